// The Health tab: one line, the counters, the delay in its parts, load, spectrograms, messages.

import { at, button, empty, keyed, make, replace, text } from "./dom.js";
import { bytes, clock, duration } from "./format.js";
import { messages } from "./history.js";
import { showLatency } from "./latency_bar.js";
import { drawLoad } from "./load_chart.js";
import { app, on, talking } from "./store.js";
import { watchSpectrogram } from "./spectrogram.js";
import { go } from "./tabs.js";

const EVERY_MS = 250; // numbers that change faster than this cannot be read
let last = 0;

export function startHealth() {
  on("status", () => {
    const now = performance.now();
    if (app.tab !== "health" || now - last < EVERY_MS) return;
    last = now;
    show();
  });
  on("tab session server", show);
  show();
}

function show() {
  const seen = app.tab === "health" && !document.hidden;
  watchSpectrogram(seen && talking());
  if (!seen) return;
  const status = talking() ? app.status : null;
  showLine(status);
  showFacts(status);
  showAdvice(status === null ? [] : status.advice);
  showLatency(status);
  drawLoad(status);
  showMessages(status);
}

document.addEventListener("visibilitychange", show);

function showLine(status) {
  const line = at("health-line");
  const events = status === null ? [] : status.health.events;
  const [words, look] = status === null ? [idle(), ""] : events.length > 0 ? [sentence(events[0]), "warn"] : ["Everything is as it should be", "good"];
  text(line, words);
  line.className = `headline ${look}`;
  const rest = events.slice(1).map((each) => `${sentence(each)}.`).join(" ");
  at("health-more").hidden = rest === "";
  text(at("health-more"), rest);
}

const idle = () => (app.session.state === "ended" ? "The session has ended" : "No session is running. Press Start to see how it does.");
const sentence = (event) => event[0].toUpperCase() + event.slice(1);

function showFacts(status) {
  const facts = status === null ? [] : factsOf(status);
  at("health-facts").hidden = facts.length === 0;
  keyed(at("health-facts"), facts, (fact) => fact.name,
    (fact) => make("li", {}, make("span", { class: "fact-name", textContent: fact.name }), make("span", { class: "fact-value number" })),
    (item, fact) => {
      text(item.lastChild, fact.value);
      item.classList.toggle("warn", Boolean(fact.warn));
    });
}

function factsOf({ health, late, take }) {
  const recording = health.recording;
  const clipped = health.clipped_in + health.clipped_out;
  return [
    { name: "Overruns (late blocks)", value: `${late.blocks}, ${late.last_minute} in the last minute`, warn: late.last_minute > 0 },
    { name: "Underruns", value: String(health.underruns + health.gaps), warn: health.underruns + health.gaps > 0 },
    { name: "Realignments", value: String(health.realigned), warn: health.realigned > 0 },
    { name: "Clipped samples", value: clipped === 0 ? "0" : `${health.clipped_in} in, ${health.clipped_out} out`, warn: clipped > 0 },
    take ? { name: "Recording", value: take.stopped || `${duration(take.seconds)}, ${bytes(take.bytes)}${take.free_s === null ? "" : `, room for ${duration(take.free_s)}`}`, warn: Boolean(take.stopped) || (take.free_s !== null && take.free_s < 600) }
      : { name: "Recording", value: recording === null ? "off" : recording.stopped || `${duration(recording.recorded_s)}, ${bytes(recording.bytes)}`, warn: recording !== null && recording.stopped !== null },
    recording !== null && recording.free_bytes !== null && { name: "Free disk", value: `${bytes(recording.free_bytes)}${recording.left_s === null ? "" : `, for ${duration(recording.left_s)}`}`, warn: recording.left_s !== null && recording.left_s < 600 },
    recording === null && health.takes_free_bytes !== null && { name: "Free disk", value: bytes(health.takes_free_bytes), warn: health.takes_free_bytes < 1e9 },
    health.newest_fault !== null && { name: "Newest fault", value: health.newest_fault, warn: true },
  ].filter(Boolean);
}

// What the session advises are settings of the command line; in the page there is a button for it.
function showAdvice(advice) {
  const place = at("health-advice");
  place.hidden = advice.length === 0;
  const shown = JSON.stringify(advice);
  if (place.dataset.shown === shown) return;
  place.dataset.shown = shown;
  const safest = app.session.quality === "safe";
  replace(place,
    make("p", { textContent: safest ? "Blocks come late even with the safest delay: close other programs, or choose a voice that needs less." : "Blocks come late. Choose a safer delay on the tab Talk, or close other programs." }),
    !safest && button("Choose another delay", () => go("talk"), { look: "small" }),
    make("details", {}, make("summary", { textContent: "For the command line" }), make("p", { class: "hint", textContent: advice.join("\n") })));
}

function showMessages(status) {
  const place = at("messages");
  if (messages.length === 0) {
    if (!place.querySelector(".empty")) replace(place, empty(status === null ? "Messages of a session are shown here, with their time." : "The session has said nothing yet."));
    return;
  }
  let rows = place.querySelector("ol");
  if (rows === null) {
    rows = make("ol", { class: "messages" });
    replace(place, rows);
  }
  keyed(rows, messages, (message) => message.number,
    (message) => make("li", { class: message.kind }, make("time", { dateTime: message.time.toISOString(), textContent: clock(message.time) }), make("span", { textContent: message.text })));
}

