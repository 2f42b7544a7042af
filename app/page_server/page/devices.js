// Microphone and loudspeaker of the machine that voicegraph runs on, with the level before starting.

import { closeSocket, encoded, get, socket } from "./api.js";
import { at, button, empty, keepingFocus, make, problemList, replace, text } from "./dom.js";
import { db } from "./format.js";
import { setMeter } from "./meter.js";
import { known, wantsMicrophone } from "./start_request.js";
import { active, app, choices, choose, emit, on } from "./store.js";
import { startAnew } from "./transport.js";

const AGAIN_MS = 2000;
let touched = false; // whether devices were chosen here since the session started
let lookedAt = null; // the end of the session after which the devices were listed again
let level = null; // { id, socket }

export async function startDevices() {
  on("session tab chosen", listen);
  on("session", mark);
  on("session", () => {
    const { state, ended } = app.session;
    if (state !== "ended" || ended === lookedAt) return;
    lookedAt = ended; // perhaps because a device is gone
    look();
  });
  on("status", () => at("virtual-hint") && text(at("virtual-hint"), microphoneWords()));
  document.addEventListener("visibilitychange", listen);
  await look();
}

async function look() {
  try {
    known.devices = await get("/api/devices");
  } catch (error) {
    known.devices = { inputs: [], outputs: [], problems: error.problems };
  }
  build();
  emit("devices");
  listen();
}

const lookAgain = () => button("Look again", look, { look: "small", symbol: "reset" });

function build() {
  const { inputs, outputs, problems } = known.devices;
  const meter = make("div", { id: "mic-level", class: "meter wide", role: "meter", "aria-label": "Level of the microphone", "aria-valuemin": -60, "aria-valuemax": 0, "aria-valuenow": -60 }, make("i"));
  keepingFocus(at("devices"), () => replace(at("devices"),
    problemList(problems),
    chooser("input", "Microphone", inputs, "No microphone was found. Plug one in, then look again."),
    inputs.length > 0 && make("div", { class: "mic-level" }, meter, make("output", { id: "mic-db" })),
    inputs.length > 0 && make("p", { id: "mic-hint", class: "hint" }),
    chooser("output", "Loudspeaker or headphones", outputs, "No loudspeaker was found. Plug one in, then look again."),
    virtualMicrophone(),
    make("div", { class: "row spread" },
      make("label", { class: "check" },
        make("input", { type: "checkbox", id: "ptt", checked: choices.push_to_talk, onchange: (event) => touch({ push_to_talk: event.target.checked }) }),
        "Push to talk"),
      lookAgain()),
    make("p", { id: "devices-later", class: "hint", hidden: true }),
    button("Use these now", startAnew, { look: "small", id: "devices-now", hidden: true })));
  mark();
}

function chooser(end, label, devices, none) {
  if (devices.length === 0) return empty(none);
  const id = `device-${end}`;
  const select = make("select", { id, onchange: (event) => touch({ [end]: event.target.value || null }) },
    make("option", { value: "", textContent: `System default: ${defaultName(devices)}` }),
    devices.map((device) => make("option", { value: device.id, textContent: several(devices) ? `${device.name} (${device.host_api})` : device.name })));
  show(select, end, devices);
  return make("div", { class: "field" }, make("label", { for: id, textContent: label }), select);
}

// For Discord, OBS and games: what is played comes out as a microphone there.
function virtualMicrophone() {
  const why = known.devices.no_virtual_microphone || [];
  return make("div", { id: "virtual-microphone-field" },
    make("label", { class: "check" },
      make("input", { type: "checkbox", id: "virtual-microphone", checked: wantsMicrophone(), disabled: why.length > 0, "aria-describedby": "virtual-hint", onchange: (event) => touch({ virtual_microphone: event.target.checked }) }),
      "Virtual microphone for other programs"),
    make("p", { id: "virtual-hint", class: "hint" }));
}

function microphoneWords() {
  const [why] = known.devices.no_virtual_microphone || [];
  if (why) return `Not possible here: ${why.message}.${why.fix ? ` What to do: ${why.fix}` : ""}`;
  const name = app.status && app.status.microphone;
  if (name) return `Choose the microphone “${name}” in the other program.`;
  return wantsMicrophone() ? "It is made at the start and removed at the end; the loudspeaker above is not used then." : "";
}

// A page that is opened later shows the devices of the session, not those it would choose itself.
function show(select, end, devices) {
  const id = active() && !touched ? app.session[end] : choices[end];
  select.value = devices.some((device) => device.id === id) ? id : "";
}

function touch(changes) {
  touched = true;
  choose(changes);
}

const defaultName = (devices) => (devices.find((device) => device.default) || devices[0]).name;
const several = (devices) => new Set(devices.map((device) => device.host_api)).size > 1;

// A running session keeps its devices: says so, and offers to start with the new ones.
function mark() {
  const later = at("devices-later");
  if (!later) return;
  if (!active()) touched = false;
  for (const end of ["input", "output"]) if (at(`device-${end}`)) show(at(`device-${end}`), end, known.devices[`${end}s`]);
  const virtual = active() && !touched ? app.session.virtual_microphone : wantsMicrophone();
  at("virtual-microphone").checked = virtual;
  if (at("device-output")) at("device-output").disabled = virtual;
  text(at("virtual-hint"), microphoneWords());
  const differs = active() && touched && (choices.input !== app.session.input || choices.output !== app.session.output || wantsMicrophone() !== app.session.virtual_microphone
    || (app.status !== null && choices.push_to_talk !== app.status.push_to_talk));
  later.hidden = !differs;
  at("devices-now").hidden = !differs;
  text(later, "The running session keeps the devices it was started with. Using these starts it again: a pause of some seconds.");
}

// ---- the level before starting ----------------------------------------------------------------

function listen() {
  mark();
  const wanted = app.session.state !== "unknown" && !active() && app.tab === "talk" && !document.hidden && known.devices !== null && known.devices.inputs.length > 0;
  const id = wanted ? choices.input || "" : null;
  if (level !== null && level.id === id) return;
  if (level !== null) {
    const closing = level;
    level = null;
    closeSocket(closing.socket);
  }
  showLevel(null);
  if (id !== null) open(id);
}

function open(id) {
  const here = { id, socket: socket(`/api/levels${id ? `?input=${encoded(id)}` : ""}`) };
  level = here;
  here.socket.onmessage = (event) => {
    const message = JSON.parse(event.data);
    if (level !== here) return;
    if (message.kind === "level") showLevel(message);
    else if (message.problems) hint(message.problems.map((p) => [p.message, p.fix && `What to do: ${p.fix}`].filter(Boolean).join("\n")).join("\n"));
  };
  here.socket.onclose = () => setTimeout(() => {
    if (level !== here) return;
    level = null;
    listen();
  }, AGAIN_MS);
}

let loudest = -120;

function showLevel(message) {
  const meter = at("mic-level");
  if (!meter) return;
  meter.parentElement.hidden = at("mic-hint").hidden = active();
  setMeter(meter, message ? message.rms_db : -120, message ? message.peak_db : -120);
  text(at("mic-db"), message ? db(message.rms_db) : "");
  if (message === null) {
    loudest = -120;
    hint("");
    return;
  }
  loudest = Math.max(message.peak_db, loudest - 0.2);
  if (loudest > -1) hint("Too loud: turn the microphone down, or move away from it.");
  else if (loudest > -40) hint("The microphone hears you.");
  else hint("Say something: the bar should move.");
}

function hint(sentence) {
  if (at("mic-hint")) text(at("mic-hint"), sentence);
}
