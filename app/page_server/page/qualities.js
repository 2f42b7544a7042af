// Delay against safety: quick, balanced, safe, each with its milliseconds.

import { encoded, get } from "./api.js";
import { at, button, empty, keepingFocus, make, problemList, replace } from "./dom.js";
import { ms } from "./format.js";
import { delayDiffers, setLeastDelay } from "./constant_delay.js";
import { chosenVoice } from "./start_request.js";
import { active, app, choices, choose, on } from "./store.js";
import { startAnew } from "./transport.js";

let shown = []; // qualities of the voice
let touched = false; // whether a delay was chosen here since the session started
let asked = null; // the voice they belong to

export function startQualities() {
  on("voices chosen session", refresh);
  refresh();
}

async function refresh() {
  const voice = chosenVoice();
  if (voice === null) {
    asked = null;
    replace(at("qualities"), empty("The delays are shown when there is a voice."));
    return;
  }
  if (asked !== voice.name) {
    asked = voice.name;
    try {
      const found = await get(`/api/qualities?voice=${encoded(voice.name)}`);
      if (asked !== voice.name) return;
      shown = found;
    } catch (error) {
      asked = null;
      replace(at("qualities"), problemList(error.problems));
      return;
    }
  }
  build();
}

function build() {
  if (!active()) touched = false;
  const running = active() && !touched ? app.session.quality : null;
  const now = running || choices.quality || (shown.find((quality) => quality.default) || shown[0] || {}).id;
  const options = shown.map((quality) => make("label", { class: "option" },
    make("input", { type: "radio", name: "quality", value: quality.id, checked: quality.id === now, onchange: () => { touched = true; choose({ quality: quality.id }); } }),
    make("span", { class: "option-title", textContent: quality.title }),
    make("span", { class: "option-value", textContent: ms(quality.delay_ms) })));
  const chosen = shown.find((quality) => quality.id === now);
  const differs = active() && touched && app.session.quality !== null && app.session.quality !== now;
  keepingFocus(at("qualities"), () => replace(at("qualities"),
    make("fieldset", { class: "options" }, make("legend", { class: "unseen", textContent: "Delay" }), options),
    chosen && make("p", { class: "hint", textContent: `${chosen.text} Your sound devices add their own delay.` })));
  if (chosen) setLeastDelay(chosen.delay_ms);
  const other = differs || delayDiffers();
  if (other !== at("delay-now").hasChildNodes()) {
    replace(at("delay-now"), other && [
      make("p", { class: "hint", textContent: "The running session keeps its delay. Using this one starts it again: a pause of some seconds." }),
      button("Use this delay now", startAnew, { look: "small" })]);
  }
}
