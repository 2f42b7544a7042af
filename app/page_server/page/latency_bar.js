// The delay from microphone to loudspeaker in its parts, as one bar.

import { at, empty, make, replace, text } from "./dom.js";
import { ms } from "./format.js";

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
  const whole = Math.max(sum, latency.measured_ms || 0, 1);
  PARTS.forEach(([name], i) => {
    place.querySelector(`.bar .${name}`).style.width = `${(100 * values[i]) / whole}%`;
    text(place.querySelector(`[data-part=${name}] .number`), ms(values[i]));
  });
  text(place.querySelector(".total"), ms(sum));
  text(place.querySelector("[data-part=measured] .number"), latency.measured_ms === null ? "not measured" : ms(latency.measured_ms));
  const mark = place.querySelector(".measured-mark");
  mark.hidden = latency.measured_ms === null;
  if (latency.measured_ms !== null) mark.style.left = `${(100 * latency.measured_ms) / whole}%`;
}

function build(place) {
  const part = ([name, title, about]) => make("li", { data: { part: name } }, make("span", { class: `key ${name}`, "aria-hidden": "true" }),
    make("span", {}, title, make("span", { class: "hint", textContent: ` ${about}` })), make("span", { class: "number" }));
  replace(place,
    make("p", { class: "big-number" }, make("span", { class: "total number" }), make("span", { class: "hint", textContent: " from microphone to loudspeaker" })),
    make("div", { class: "bar", "aria-hidden": "true" }, PARTS.map(([name]) => make("span", { class: `part ${name}` })), make("span", { class: "measured-mark" })),
    make("ul", { class: "legend" }, PARTS.map(part), part(["measured", "Measured", "from output to input, by a test signal (voicegraph latency)"])));
}
