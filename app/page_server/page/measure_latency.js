// Measures the delay from loudspeaker to microphone by a test signal, and shows what was found.

import { ApiError, get, post } from "./api.js";
import { at, button, make, problemList, replace, text } from "./dom.js";
import { clock, ms } from "./format.js";
import { startRequest, whyNot } from "./start_request.js";
import { app, on, talking } from "./store.js";
import { voiceTitle } from "./transport.js";

const CLOSE_MS = 5; // the parts explain the whole if they differ by no more
let newest = null; // MeasuredLatency
let busy = false;

export const measured = () => newest;

export function startMeasureLatency() {
  const press = button("Start measuring", measure, { look: "small", id: "measure-now" });
  replace(at("measure"),
    make("details", { id: "measure-more" },
      make("summary", { textContent: "Measure the delay" }),
      make("p", { class: "hint", textContent: "A short test signal is played three times, and recorded again: what lies between is the true delay, with all that the sound system does not tell. So the loudspeaker must reach the microphone: connect output and input by a cable, or hold the microphone to the loudspeaker. Take headphones off. It takes about half a minute; a running session pauses for it, and goes on by itself." }),
      make("label", { class: "check" }, make("input", { type: "checkbox", id: "measure-dry" }), "Without the voice: sound devices and buffers alone"),
      make("div", { class: "row" }, press, make("p", { id: "measure-state", class: "hint", role: "status" })),
      make("div", { id: "measure-problem", role: "alert" })),
    make("p", { id: "measure-result", class: "hint" }));
  on("session server devices voices", show);
  on("tab", (tab) => tab === "health" && look());
  if (app.tab === "health") look();
  show();
}

async function look() {
  try {
    newest = await get("/api/latency");
  } catch (error) {
    if (!(error instanceof ApiError)) throw error; // the strip below the tabs says it
  }
  show();
}

async function measure() {
  busy = true;
  replace(at("measure-problem"));
  show();
  try {
    newest = await post("/api/latency", { session: startRequest(), dry: at("measure-dry").checked });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    replace(at("measure-problem"), problemList(error.problems));
  }
  busy = false;
  show();
}

function show() {
  const reason = talking() ? null : whyNot();
  at("measure-now").disabled = busy || reason !== null || !app.reachable;
  text(at("measure-state"), busy ? "Measuring: you hear short bursts of a tone…" : reason || "");
  text(at("measure-result"), newest === null ? "" : result(newest));
}

function result(found) {
  const sum = found.algorithmic_ms + found.buffering_ms + found.device_ms;
  const what = found.dry ? "without a voice" : `with ${voiceTitle(found.voice) || found.pipeline}`;
  const parts = `algorithm ${ms(found.algorithmic_ms)}, buffers ${ms(found.buffering_ms)}, devices ${ms(found.device_ms)} (they say ${ms(found.device_claimed_ms)})`;
  const fits = Math.abs(found.measured_ms - sum) <= CLOSE_MS ? "as the parts say" : `the parts say ${ms(sum)}`;
  const late = found.late > 0 ? ` ${found.late} blocks came late meanwhile, which makes it less sure.` : "";
  return `Measured at ${clock(new Date(found.measured))}, ${what}: ${ms(found.measured_ms)}, ${fits}: ${parts}. ${found.runs} measurements, at most ${ms(found.spread_ms)} apart. From ${found.output} to ${found.input}.${late}`;
}
