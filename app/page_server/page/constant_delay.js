// A constant delay from microphone to loudspeaker, for pictures that are delayed by the same time.

import { at, make, replace, text } from "./dom.js";
import { ms } from "./format.js";
import { active, app, choices, choose, on, talking } from "./store.js";

const RESERVE_MS = 60; // what common sound devices add, and some milliseconds against jitter
const LONGEST_MS = 10_000;
let touched = false; // whether it was chosen here since the session started
let least = 0; // algorithmic and buffering latency of the chosen delay

export function startConstantDelay() {
  const box = make("input", { type: "checkbox", id: "keep-delay", onchange: (event) => keep(event.target.checked) });
  const number = make("input", { type: "number", id: "delay-ms", "aria-describedby": "delay-hint", onchange: () => type(number) });
  Object.assign(number, { min: 1, max: LONGEST_MS, step: 10 });
  replace(at("constant-delay"),
    make("label", { class: "check" }, box, "Keep the delay constant, for video"),
    make("div", { id: "delay-field", class: "field inline" }, make("label", { for: "delay-ms", textContent: "Delay in ms" }), number),
    make("p", { id: "delay-hint", class: "hint" }));
  on("session chosen", show);
  on("status", showHint);
  show();
}

// What the chosen quality takes without devices; called when another one is shown.
export function setLeastDelay(milliseconds) {
  least = milliseconds;
  show();
}

// Whether a running session has another one than was chosen here.
export const delayDiffers = () => active() && touched && (choices.keep_delay ? choices.delay_ms : null) !== app.session.delay_ms;

const suggested = () => Math.ceil((least + RESERVE_MS) / 10) * 10;

function keep(wanted) {
  touched = true;
  choose({ keep_delay: wanted, delay_ms: choices.delay_ms ?? suggested() });
}

function type(number) {
  touched = true;
  const typed = Math.round(Number(number.value));
  choose({ delay_ms: Number.isFinite(typed) && typed > 0 ? Math.min(typed, LONGEST_MS) : suggested() });
}

// What a running session keeps, or what the next one will.
const wanted = () => (active() && !touched ? app.session.delay_ms : choices.keep_delay ? choices.delay_ms : null);

function show() {
  if (!at("keep-delay")) return;
  if (!active()) touched = false;
  const now = wanted();
  at("keep-delay").checked = now !== null;
  at("delay-field").hidden = now === null;
  if (document.activeElement !== at("delay-ms")) at("delay-ms").value = String(now ?? choices.delay_ms ?? suggested());
  showHint();
}

function showHint() {
  const held = talking() && app.status ? app.status.latency.held_ms : null;
  text(at("delay-hint"), held === null || held === undefined ? planned(wanted()) : `In OBS, type ${Math.round(held)} ms: right-click the camera, Filters, Render Delay or Video Delay.`);
}

function planned(delay) {
  if (delay === null) return "";
  if (delay < least) return `Too short: this voice and this delay take ${ms(least)}, and your sound devices come on top.`;
  return `Type the same number into OBS: right-click the camera, Filters, Render Delay or Video Delay: ${delay} ms.`;
}
