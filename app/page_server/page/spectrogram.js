// Spectrograms of input and output with the pitch drawn on them, 20 columns a second. Whoever asks
// for less motion sees a picture that is written over in place, from left to right, instead of one
// that runs.

import { colour, fitted, still } from "./canvas.js";
import { watchSpectrum } from "./connection.js";
import { at, empty, make, replace, text } from "./dom.js";
import { on, talking } from "./store.js";

const [LOWEST_HZ, HIGHEST_HZ, BANDS] = [50, 12_000, 64];
const COLUMN_PX = 2; // CSS pixels a message
const AXIS = [100, 500, 1000, 2000, 5000, 10_000];
const WORDS_MS = 2000;

const pictures = {}; // end -> { canvas, column, pitchBefore }
let pending = [];
let drawing = false;
let wordsAt = 0;

const mel = (hz) => 2595 * Math.log10(1 + hz / 700);
const heightOf = (hz) => (mel(hz) - mel(LOWEST_HZ)) / (mel(HIGHEST_HZ) - mel(LOWEST_HZ));

on("spectrum", (message) => {
  pending.push(message);
  if (pending.length > 200) pending = pending.slice(-200);
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(drawPending);
});

export function watchSpectrogram(wanted) {
  watchSpectrum(wanted);
  const place = at("spectrum");
  if (!talking()) {
    if (!place.querySelector(".empty")) replace(place, empty("Input and output are drawn here while a session runs."));
  } else if (wanted && !place.querySelector("canvas")) build(place);
}

function build(place) {
  const figure = (end, title) => {
    const canvas = make("canvas", { class: "spectrogram", role: "img", "aria-label": `Spectrogram of the ${title.toLowerCase()}` });
    pictures[end] = { canvas, column: 0, pitchBefore: null, title };
    const axis = make("div", { class: "axis", "aria-hidden": "true" }, AXIS.map((hz) => {
      const tick = make("span", { textContent: hz < 1000 ? `${hz} Hz` : `${hz / 1000} kHz` });
      tick.style.bottom = `${100 * heightOf(hz)}%`;
      return tick;
    }));
    return make("figure", {}, make("figcaption", { textContent: title }), make("div", { class: "picture" }, axis, canvas));
  };
  replace(place, make("div", { class: "columns even" }, figure("input", "Input"), figure("output", "Output")),
    make("p", { class: "hint" }, make("span", { class: "pitch-key", "aria-hidden": "true" }), "Pitch: ", make("span", { id: "pitch-words", class: "number", textContent: "none" })));
}

function drawPending() {
  drawing = false;
  const waiting = pending;
  pending = [];
  for (const [end, picture] of Object.entries(pictures)) {
    if (picture.canvas.isConnected && waiting.length > 0) drawColumns(picture, waiting, end);
  }
  say(waiting.at(-1));
}

function drawColumns(picture, waiting, end) {
  const { context, ratio, changed } = fitted(picture.canvas);
  const { width, height } = picture.canvas;
  if (width === 0) return;
  if (changed) Object.assign(picture, { column: 0, pitchBefore: null });
  const step = Math.max(1, Math.round(COLUMN_PX * ratio));
  if (!still.matches) {
    const shift = Math.min(width, step * waiting.length);
    context.drawImage(picture.canvas, -shift, 0);
  }
  waiting.forEach((message, i) => {
    const x = still.matches ? picture.column : width - step * (waiting.length - i);
    column(context, message[end], x, step, height);
    pitch(context, picture, newestPitch(message, end), x, step, height, ratio);
    if (still.matches) advance(context, picture, x + step, step, width, height);
  });
}

function advance(context, picture, next, step, width, height) {
  picture.column = next + step > width ? 0 : next;
  if (picture.column === 0) picture.pitchBefore = null;
  context.fillStyle = colour("quiet");
  context.fillRect(picture.column, 0, step, height); // the place where it is written
}

function column(context, bands, x, step, height) {
  for (let band = 0; band < BANDS; band += 1) {
    const top = Math.round(height * (1 - (band + 1) / BANDS));
    const bottom = Math.round(height * (1 - band / BANDS));
    context.fillStyle = SHADES[bands[band]];
    context.fillRect(x, top, step, bottom - top);
  }
}

function newestPitch(message, end) {
  const values = (end === "output" && message.output_pitch_hz) || (end === "input" ? message.pitch_hz : null);
  const voiced = (Array.isArray(values) ? values : []).filter((hz) => typeof hz === "number" && hz > 0);
  return voiced.length > 0 ? voiced[voiced.length - 1] : null;
}

function pitch(context, picture, hz, x, step, height, ratio) {
  const y = hz === null ? null : height * (1 - heightOf(hz));
  const before = picture.pitchBefore;
  if (y !== null) {
    context.strokeStyle = "#5ef2ff";
    context.lineWidth = 2 * ratio;
    context.beginPath();
    context.moveTo(x, before === null ? y : before);
    context.lineTo(x + step, y);
    context.stroke();
  }
  picture.pitchBefore = y;
}

function say(message) {
  if (!message || !at("pitch-words")) return;
  const hz = newestPitch(message, "input");
  text(at("pitch-words"), hz === null ? "none" : `${hz.toFixed(0)} Hz`);
  const now = performance.now();
  if (now - wordsAt < WORDS_MS) return;
  wordsAt = now;
  const words = hz === null ? "no pitch now" : `pitch ${hz.toFixed(0)} Hz now`;
  for (const { canvas, title } of Object.values(pictures)) canvas.setAttribute("aria-label", `Spectrogram of the ${title.toLowerCase()}, 50 Hz to 12 kHz; ${words}`);
}

// 0 .. 255 as colours from black over violet and orange to light yellow: steps that look even, also
// to people who do not tell red from green.
const STOPS = [[0, 12, 10, 28], [0.3, 74, 18, 104], [0.55, 176, 45, 90], [0.78, 243, 120, 54], [1, 252, 245, 180]];
const SHADES = Array.from({ length: 256 }, (_, i) => {
  const t = i / 255;
  const next = STOPS.findIndex(([at_]) => at_ >= t);
  const [high, low] = [STOPS[Math.max(1, next)], STOPS[Math.max(1, next) - 1]];
  const share = (t - low[0]) / (high[0] - low[0]);
  const mix = (k) => Math.round(low[k] + share * (high[k] - low[k]));
  return `rgb(${mix(1)} ${mix(2)} ${mix(3)})`;
});
