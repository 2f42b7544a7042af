// The delay from microphone to loudspeaker in its parts, as one bar.

import { at, empty, make, replace, text } from "./dom.js";
import { ms } from "./format.js";
import { measured } from "./measure_latency.js";
import { app } from "./store.js";

const JUST_MS = 60_000; // a session goes on so soon after it was measured

const PARTS = [
  ["algorithmic", "Algorithm", "look-ahead and overlap of the pipeline"],
  ["buffering", "Buffers", "one block to fill, one to play, and the reserve"],
  ["device", "Devices", "buffers and converters of both sound devices"],
];

export function showLatency(status) {
  const place = at("latency");
  if (status === null) {
    if (!place.querySelector(".empty")) replace(place, empty("The delay is shown while a session runs."));
    return;
  }
  if (!place.querySelector(".bar")) build(place);
  const { latency } = status;
  const values = PARTS.map(([name]) => latency[`${name}_ms`]);
  const sum = values.reduce((total, value) => total + value, 0);
  const found = latency.measured_ms ?? ofSession();
  const whole = Math.max(sum, found || 0, 1);
  PARTS.forEach(([name], i) => {
    place.querySelector(`.bar .${name}`).style.width = `${(100 * values[i]) / whole}%`;
    text(place.querySelector(`[data-part=${name}] .number`), ms(values[i]));
  });
  text(place.querySelector(".total"), ms(sum));
  text(place.querySelector("[data-part=measured] .number"), found === null ? "not measured" : ms(found));
  const mark = place.querySelector(".measured-mark");
  mark.hidden = found === null;
  if (found !== null) mark.style.left = `${(100 * found) / whole}%`;
}

// What was measured with this pipeline and voice since the session began; another delay would not fit.
function ofSession() {
  const found = measured();
  if (found === null || found.dry || found.pipeline !== app.session.pipeline || found.voice !== app.session.voice) return null;
  return app.session.since !== null && Math.abs(new Date(found.measured) - new Date(app.session.since)) < JUST_MS ? found.measured_ms : null;
}

function build(place) {
  const part = ([name, title, about]) => make("li", { data: { part: name } }, make("span", { class: `key ${name}`, "aria-hidden": "true" }),
    make("span", {}, title, make("span", { class: "hint", textContent: ` ${about}` })), make("span", { class: "number" }));
  replace(place,
    make("p", { class: "big-number" }, make("span", { class: "total number" }), make("span", { class: "hint", textContent: " from microphone to loudspeaker" })),
    make("div", { class: "bar", "aria-hidden": "true" }, PARTS.map(([name]) => make("span", { class: `part ${name}` })), make("span", { class: "measured-mark" })),
    make("ul", { class: "legend" }, PARTS.map(part), part(["measured", "Measured", "from output to input, by a test signal, just before this session went on"])));
}
