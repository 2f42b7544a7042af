// Voice cards: choosing one, and exchanging it while talking.

import { ApiError, encoded, get, mediaAddress } from "./api.js";
import { banner } from "./banner.js";
import { command } from "./connection.js";
import { at, button, empty, keyed, make, problemList, replace, text } from "./dom.js";
import { chosenVoice } from "./start_request.js";
import { app, choices, choose, emit, on, talking } from "./store.js";
import { addVoice, showVoice } from "./voice_dialogs.js";

const SETTLE_MS = 350; // arrow keys pass over voices without exchanging each of them
let exchanging = null; // the name that is being loaded into the session
let settle = null;
let failed = null;

export async function startVoices() {
  replace(at("voice-actions"), button("Add a voice", () => addVoice(loadVoices), { symbol: "plus", look: "small" }));
  on("session status chosen", mark);
  await loadVoices();
}

export async function loadVoices() {
  try {
    app.voices = await get("/api/voices");
    failed = null;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    failed = error.problems;
  }
  build();
  emit("voices");
}

function build() {
  const place = at("voices");
  if (failed !== null) return replace(place, problemList(failed), button("Try again", loadVoices, { look: "small" }));
  if (app.voices.length === 0) {
    return replace(place, empty("There are no voices yet. Add an RVC model (.pth, .safetensors, .onnx or a zip of them), or a voice made with voicegraph voice make."));
  }
  let grid = place.querySelector(".voices");
  if (grid === null) {
    grid = make("div", { class: "voices", role: "radiogroup", "aria-labelledby": "voice-title" });
    replace(place, grid, make("p", { id: "voice-state", class: "hint", role: "status" }));
  }
  keyed(grid, app.voices, (voice) => JSON.stringify([voice.name, voice.title, voice.needs, voice.picture]), card);
  return mark();
}

function card(voice) {
  const ready = voice.needs.length === 0;
  const id = `voice-${voice.name}`;
  const input = make("input", { type: "radio", name: "voice", id, value: voice.name, class: "unseen", disabled: !ready, onchange: () => pick(voice.name) });
  const label = make("label", { class: "voice-label", for: id },
    portrait(voice),
    make("span", { class: "voice-text" },
      make("span", { class: "voice-name", textContent: voice.title }),
      make("span", { class: "hint", textContent: [voice.kind === "rvc" ? "RVC" : "voicegraph", brief(voice.licence)].join(" · ") }),
      !ready && make("span", { class: "tag warn", textContent: "Something is missing" }),
      make("span", { class: "tag good now", textContent: "Speaking", hidden: true })));
  const about = button("", () => showVoice(voice, loadVoices), { label: `About ${voice.title}`, look: "plain square small about" });
  about.append(make("span", { textContent: "…", "aria-hidden": "true" }));
  return make("div", { class: ready ? "voice" : "voice missing", data: { voice: voice.name } }, input, label, about);
}

// The first words of a licence; the whole of it stands in the dialog.
function brief(licence) {
  if (!licence) return "no licence stated";
  const [first] = licence.split(/[.;,(]\s|\s\(/);
  return first.length > 40 ? `${first.slice(0, 39)}…` : first;
}

// Its picture, or its first letter on a colour that its name gives.
export function portrait(voice) {
  if (voice.picture) {
    const image = make("img", { class: "portrait", alt: "", width: 52, height: 52 });
    mediaAddress(`/api/voices/${encoded(voice.name)}/picture`).then((address) => { image.src = address; }, () => image.replaceWith(letter(voice)));
    return image;
  }
  return letter(voice);
}

function letter(voice) {
  const sum = [...voice.name].reduce((total, character) => (total * 31 + character.codePointAt(0)) % 9973, 7);
  return make("span", { class: `portrait letter hue-${sum % 6}`, "aria-hidden": "true", textContent: [...voice.title][0]?.toUpperCase() || "?" });
}

// ---- choosing and exchanging ------------------------------------------------------------------

function pick(name) {
  choose({ voice: name });
  clearTimeout(settle);
  settle = talking() ? setTimeout(() => exchange(name), SETTLE_MS) : null;
}

const settling = () => settle !== null || exchanging !== null;

async function exchange(name) {
  settle = null;
  exchanging = name;
  mark();
  try {
    await command({ do: "voice", name });
    banner.clear("voice");
  } catch (error) {
    if (choices.voice === name) choose({ voice: speaking() });
    banner.problems("voice", error.problems || []);
  }
  if (exchanging === name) exchanging = null;
  mark();
  emit("graph");
}

const speaking = () => (app.status && app.status.voice) || app.session.voice;

function mark() {
  const grid = at("voices").querySelector(".voices");
  if (grid === null) return;
  const now = talking() ? speaking() : null;
  const checked = (settling() && choices.voice) || now || (chosenVoice() || {}).name;
  for (const each of grid.children) {
    const name = each.dataset.voice;
    each.querySelector("input").checked = name === checked;
    each.querySelector(".now").hidden = name !== now;
    each.classList.toggle("loading", name === exchanging);
  }
  text(at("voice-state"), exchanging === null ? "" : `Loading ${titleOf(exchanging)}; you are heard with the old voice until it is ready.`);
}

const titleOf = (name) => (app.voices.find((voice) => voice.name === name) || { title: name }).title;
