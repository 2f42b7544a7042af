"use strict";

// Shows and controls a live session through one WebSocket.

const EDIT_MS = 700; // for so long after an edit, statuses do not overwrite an input
const STORAGE_KEY = "voicegraph-token";

const at = (id) => document.getElementById(id);
let socket = null;
let status = null;
const edited = new Map(); // id of a row -> time of the last edit

// ---- the connection ---------------------------------------------------------------------------

// A link may contain the token in its fragment (#token=...), which browsers do not send.
const linkToken = new URLSearchParams(location.hash.slice(1)).get("token");
if (linkToken) {
  sessionStorage.setItem(STORAGE_KEY, linkToken);
  history.replaceState(null, "", location.pathname);
}

async function connect() {
  const token = sessionStorage.getItem(STORAGE_KEY);
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  try {
    const answer = await fetch("status", { headers });
    if (answer.status === 401) return askForToken(token !== null);
  } catch {
    return reconnect();
  }
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  socket = new WebSocket(`${scheme}//${location.host}/ws?rate=12`);
  socket.onopen = () => {
    if (token) socket.send(JSON.stringify({ token }));
  };
  socket.onmessage = (event) => {
    const message = JSON.parse(event.data);
    if (message.kind === "status") show(message.status);
    else showAnswer(message);
  };
  socket.onclose = () => {
    if (status === null || status.state !== "stopped") reconnect();
  };
}

function reconnect() {
  at("state").textContent = "not connected";
  setTimeout(connect, 1000);
}

function askForToken(wrong) {
  sessionStorage.removeItem(STORAGE_KEY);
  at("problem").textContent = wrong ? "This token is wrong." : "";
  at("token-form").hidden = false;
  at("token").focus();
}

at("token-form").onsubmit = (event) => {
  event.preventDefault();
  sessionStorage.setItem(STORAGE_KEY, at("token").value.trim());
  at("token").value = "";
  at("token-form").hidden = true;
  at("problem").textContent = "";
  connect();
};

function send(command) {
  if (socket && socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(command));
}

function showAnswer(answer) {
  at("problem").textContent = answer.problems
    .map((p) => [p.message, ...p.notes, p.fix ? `fix: ${p.fix}` : ""].filter(Boolean).join("\n"))
    .join("\n");
}

// ---- status -----------------------------------------------------------------------------------

function show(now) {
  status = now;
  at("session").hidden = false;
  at("pipeline").textContent = now.pipeline;
  document.title = `${now.muted ? "(muted) " : ""}${now.pipeline} - voicegraph`;
  at("state").textContent = now.skipping ? "silent: processing is paused" : now.state;
  press("mute", now.muted);
  press("monitor", now.monitor);
  at("talk").hidden = !now.push_to_talk;
  press("talk", now.talking);
  at("variant").hidden = now.variant === null;
  at("variant").textContent = `Variant ${now.variant}`;
  meter("input", now.input.rms_db, `${now.input.rms_db.toFixed(0)} dB`);
  meter("output", now.output.rms_db, `${now.output.rms_db.toFixed(0)} dB`);
  showProfiles(now.profiles, now.active_profiles);
  const load = 100 * (1 - now.headroom);
  meter("load", load, `${load.toFixed(0)} %`, "load-percent");
  at("facts").textContent = facts(now);
  list("health", now.health.events);
  now.params.forEach(showParam);
  removeOthers("params", now.params.map((p) => `param-${p.name}`));
  now.nodes.forEach(showNode);
  removeOthers("nodes", now.nodes.map((n) => `node-${n.name}`));
  list("messages", [...now.messages, ...now.advice]);
}

function facts(now) {
  const sum = now.latency.algorithmic_ms + now.latency.buffering_ms + now.latency.device_ms;
  const measured = now.latency.measured_ms;
  const note = measured === null ? "" : ` (measured ${measured.toFixed(0)} ms)`;
  return `latency ${sum.toFixed(0)} ms${note}, late blocks (overruns) ${now.late.blocks}, ` +
    `${now.late.last_minute} in the last minute`;
}

// The first entry stands for no profile; several in force have an entry of their own.
function showProfiles(names, active) {
  at("profiles").hidden = names.length === 0;
  const joined = active.join(" + ");
  const entries = [["none", "null"], ...names.map((name) => [name, JSON.stringify(name)])];
  if (active.length > 1) entries.push([joined, ""]);
  const form = JSON.stringify(entries);
  const box = at("profile");
  if (box.dataset.form !== form) {
    box.dataset.form = form;
    box.replaceChildren(...entries.map(([textContent, value]) =>
      make("option", { value, textContent })));
  }
  if (Date.now() - (edited.get("profile") || 0) < EDIT_MS) return;
  box.value = active.length > 1 ? "" : JSON.stringify(active.length ? active[0] : null);
}

function press(id, on) {
  at(id).setAttribute("aria-pressed", String(on));
}

function meter(id, value, text, label = `${id}-db`) {
  at(id).value = value;
  at(label).textContent = text;
}

function list(id, lines) {
  const shown = [...at(id).children].map((item) => item.textContent);
  if (shown.join("\n") === lines.join("\n")) return;
  at(id).replaceChildren(...lines.map((text) => make("li", { textContent: text })));
}

function make(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

function removeOthers(parent, ids) {
  for (const row of [...at(parent).children]) if (!ids.includes(row.id)) row.remove();
}

// ---- params: a slider for a range, a list for choices, otherwise text -------------------------

function showParam(param) {
  const id = `param-${param.name}`;
  const form = JSON.stringify([param.minimum, param.maximum, param.choices, param.unit]);
  let row = at(id);
  if (!row || row.dataset.form !== form) {
    const made = makeParam(param, id);
    made.dataset.form = form;
    if (row) row.replaceWith(made);
    else at("params").append(made);
    row = made;
  }
  if (Date.now() - (edited.get(id) || 0) < EDIT_MS) return;
  for (const input of row.querySelectorAll("input, select")) {
    const typing = document.activeElement === input && ["number", "text"].includes(input.type);
    if (!typing) input.value = param.value === null ? "" : String(param.value);
  }
}

function makeParam(param, id) {
  const name = param.unit ? `${param.name} (${param.unit})` : param.name;
  const label = make("label", { textContent: name, title: param.description, htmlFor: `${id}-0` });
  const inputs = makeInputs(param);
  inputs.forEach((input, i) => {
    input.id = `${id}-${i}`;
    input.setAttribute("aria-label", name);
    input.addEventListener(input.type === "range" ? "input" : "change", () => {
      edited.set(id, Date.now());
      const value = valueOf(input);
      for (const other of inputs) if (other !== input) other.value = String(value);
      send({ do: "set", param: param.name, value });
    });
  });
  return make("div", { id, className: "param" }, label, ...inputs);
}

function makeInputs(param) {
  if (param.choices) return [makeChoice(param)];
  if (isRange(param)) return makeSlider(param);
  const type = typeof param.value === "number" ? "number" : "text";
  return [make("input", { type, step: "any" })];
}

function isRange(param) {
  return typeof param.value === "number" && param.minimum !== null && param.maximum !== null;
}

function makeSlider(param) {
  const ends = { min: param.minimum, max: param.maximum, step: "any" };
  return [make("input", { type: "range", ...ends }), make("input", { type: "number", ...ends })];
}

function makeChoice(param) {
  const options = param.choices.map((text) => make("option", { value: text, textContent: text }));
  return make("select", {}, ...options);
}

function valueOf(input) {
  if (input.tagName === "SELECT") return input.value;
  if (input.type === "range") return Number(Number(input.value).toPrecision(3));
  if (input.type === "number") return Number(input.value);
  try {
    return JSON.parse(input.value);
  } catch {
    return input.value; // text without quotes
  }
}

// ---- nodes ------------------------------------------------------------------------------------

function showNode(node) {
  const id = `node-${node.name}`;
  const row = at(id) || at("nodes").appendChild(makeNode(node, id));
  const [box, label, cost] = row.children;
  if (Date.now() - (edited.get(id) || 0) > EDIT_MS) box.checked = !node.bypassed;
  label.textContent = node.use ? `${node.name}  ${node.use}` : node.name;
  cost.textContent = node.bypassed ? "off" : `${node.median_ms.toFixed(2)} ms`;
}

function makeNode(node, id) {
  const box = make("input", { type: "checkbox", id: `${id}-on`, checked: !node.bypassed });
  box.onchange = () => {
    edited.set(id, Date.now());
    send({ do: "bypass", node: node.name, on: !box.checked });
  };
  return make("div", { id, className: "node" }, box, make("label", { htmlFor: box.id }),
    make("span"));
}

// ---- switches ---------------------------------------------------------------------------------

at("mute").onclick = () => send({ do: "mute", on: !status.muted });
at("monitor").onclick = () => send({ do: "monitor", on: !status.monitor });
at("profile").onchange = () => {
  edited.set("profile", Date.now());
  if (at("profile").value) send({ do: "profile", name: JSON.parse(at("profile").value) });
};
at("variant").onclick = () => send({ do: "variant", name: "other" });
at("stop").onclick = () => {
  if (confirm("End the session?")) send({ do: "stop" });
};

// The talk key is down while it is held, by pointer or key; it goes up if the focus is lost.
let talking = false;
function talk(on) {
  if (on === talking) return;
  talking = on;
  send({ do: "talk", on });
}
at("talk").onpointerdown = (event) => {
  at("talk").setPointerCapture(event.pointerId);
  talk(true);
};
for (const end of ["pointerup", "pointercancel", "lostpointercapture", "blur"])
  at("talk").addEventListener(end, () => talk(false));
at("talk").onkeydown = (event) => {
  if (event.key === " " || event.key === "Enter") talk(true);
};
at("talk").onkeyup = () => talk(false);
at("talk").oncontextmenu = (event) => event.preventDefault();
window.addEventListener("blur", () => talk(false));

connect();
