// The bar at the bottom: start and stop, what happens now, levels, mute, monitor, push to talk.

import { del, post, ApiError } from "./api.js";
import { banner } from "./banner.js";
import { command, send, setSession } from "./connection.js";
import { at, icon, pressed, replace, text } from "./dom.js";
import { db, length, ms } from "./format.js";
import { setMeter } from "./meter.js";
import { startRequest, whyNot } from "./start_request.js";
import { active, app, choices, choose, on, talking } from "./store.js";

let chosenSince = false; // whether something was chosen since the session ended by a fault
let busy = null; // a sentence while a request is under way

export function startTransport() {
  at("start").onclick = () => (active() ? stop() : start());
  at("mute").onclick = () => talking() && app.status && act({ do: "mute", on: !app.status.muted });
  at("monitor").onclick = toggleMonitor;
  startHolding();
  on("session", () => { chosenSince = chosenSince && app.session.state === "ended"; });
  on("chosen", () => { chosenSince = app.session.state === "ended"; });
  on("session server chosen voices devices", show);
  on("status", show);
  show();
}

export async function start(changes = {}) {
  const again = app.session.state === "ended" && app.session.can_restart && !chosenSince && Object.keys(changes).length === 0;
  await during("Starting", () => (again ? post("/api/session/restart") : post("/api/session", { ...startRequest(), ...changes })));
}

// Starts with what is chosen now, even if a session ended by a fault could be restarted.
export async function startAnew() {
  await during("Starting", () => post("/api/session", startRequest()));
}

async function stop() {
  await during("Stopping", () => del("/api/session"));
}

async function during(sentence, request) {
  if (busy !== null) return;
  busy = sentence;
  banner.clear("action");
  show();
  try {
    const session = await request();
    if (session) setSession(session);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    banner.problems("action", error.problems);
  } finally {
    busy = null;
    show();
  }
}

async function act(wanted) {
  try {
    await command(wanted);
    banner.clear("action");
  } catch (error) {
    banner.problems("action", error.problems || []);
  }
}

function toggleMonitor() {
  if (talking() && app.status) act({ do: "monitor", on: !app.status.monitor });
  else choose({ monitor: !choices.monitor });
}

// ---- what is shown ----------------------------------------------------------------------------

function show() {
  const status = app.status;
  const reason = active() ? null : whyNot();
  const button = at("start");
  button.classList.toggle("running", active());
  button.disabled = busy !== null || app.session.state === "unknown" || !app.reachable || reason !== null;
  const named = app.session.state === "starting" ? "Cancel" : talking() ? "Stop" : app.session.state === "ended" ? "Start again" : "Start";
  if (button.textContent !== named) {
    replace(button, icon(active() ? "stop" : "play"), Object.assign(document.createElement("span"), { textContent: named }));
  }
  text(at("state"), sentence(status, reason));
  text(at("state-detail"), detail(status));
  showSwitches(status);
  const levels = { in: status ? status.input : null, out: status ? status.output : null };
  for (const [end, level] of Object.entries(levels)) {
    setMeter(at(`meter-${end}`), level ? level.rms_db : -120, level ? level.peak_db : -120);
    text(at(`meter-${end}-db`), level ? db(level.rms_db) : "");
  }
  document.title = talking() ? `${status && status.muted ? "Muted" : "Talking"} · voicegraph` : "voicegraph";
}

function showSwitches(status) {
  pressed(at("mute"), Boolean(status && status.muted));
  at("mute").disabled = status === null;
  pressed(at("monitor"), status ? status.monitor : choices.monitor);
  const holds = status ? status.push_to_talk : choices.push_to_talk;
  at("hold").hidden = !holds;
  at("hold").disabled = status === null;
  pressed(at("hold"), Boolean(status && status.push_to_talk && status.talking));
}

export function voiceTitle(name) {
  const found = app.voices.find((voice) => voice.name === name);
  return found ? found.title : name;
}

function sentence(status, reason) {
  if (!app.reachable) return "The page server does not answer";
  if (busy !== null) return `${busy}…`;
  const { state, stage, voice } = app.session;
  if (state === "starting") return stage ? `Starting: ${stage}` : "Starting…";
  if (state === "ended") return "The session ended by a fault";
  if (state === "unknown") return "Connecting…";
  if (state === "none") return reason || "Ready: press Start and talk";
  if (status === null || !app.fresh) return "Waiting for the session";
  if (status.state === "waiting") return "A sound device is gone; the session waits for it";
  if (status.muted) return "Muted";
  if (status.push_to_talk && !status.talking) return "Silent until you hold the talk button, or the space bar";
  if (status.skipping) return "Listening: it is silent";
  const name = voiceTitle(status.voice || voice);
  return name ? `You speak as ${name}` : "The voice is converted";
}

function detail(status) {
  if (status === null) return "";
  const { algorithmic_ms, buffering_ms, device_ms, measured_ms } = status.latency;
  const delay = measured_ms === null ? algorithmic_ms + buffering_ms + device_ms : measured_ms;
  const take = status.take ? " · recording" : "";
  return `${length(status.seconds)} · delay ${ms(delay)} · load ${(100 * (1 - status.headroom)).toFixed(0)} %${take}`;
}

// ---- push to talk: down while it is held, by pointer, by key on the button, or by the space bar
// where it has no other meaning. It goes up if the focus is lost.

let down = false;

function hold(now) {
  if (now === down || (now && !(app.status && app.status.push_to_talk))) return;
  down = now;
  send({ do: "talk", on: now });
  pressed(at("hold"), now);
}

function startHolding() {
  const key = at("hold");
  key.onpointerdown = (event) => {
    key.setPointerCapture(event.pointerId);
    hold(true);
  };
  for (const end of ["pointerup", "pointercancel", "lostpointercapture", "blur"]) key.addEventListener(end, () => hold(false));
  key.oncontextmenu = (event) => event.preventDefault();
  document.addEventListener("keydown", (event) => {
    const ours = event.target === key ? [" ", "Enter"].includes(event.key) : event.key === " " && !takesSpace(event.target);
    if (!ours || !(app.status && app.status.push_to_talk)) return;
    event.preventDefault();
    hold(true);
  });
  document.addEventListener("keyup", (event) => {
    if (event.key === " " || event.key === "Enter") hold(false);
  });
  window.addEventListener("blur", () => hold(false));
}

function takesSpace(element) {
  return element.closest("button, input, select, textarea, summary, a, dialog, audio, [role=button], [contenteditable]") !== null;
}
