// Values of params: those of the running session, or those that the next one starts with. Every
// change goes through here, so that each can be undone.

import { command, send } from "./connection.js";
import { banner } from "./banner.js";
import { chosenVoice } from "./start_request.js";
import { active, app, choices, choose, emit, on, talking } from "./store.js";

const MERGE_MS = 1200; // changes of one value that follow each other so closely are one step
const HELD_MS = 700; // for so long after a change, statuses do not overwrite what is shown
const MOST = 200;

const history = []; // { name, from, to, at }
const early = new Map(); // name -> value, changed while a session starts
const held = new Map(); // name -> { value, until }

// A name is `node.param`, or `node:on` for a switch.
export function valueOf(name, otherwise) {
  const mine = held.get(name);
  if (mine && performance.now() < mine.until) return mine.value;
  if (talking() && app.status !== null) return fromStatus(name, otherwise);
  const voice = chosenVoice();
  const stored = voice && choices.values[voice.name];
  return stored && name in stored ? stored[name] : otherwise;
}

function fromStatus(name, otherwise) {
  if (name.endsWith(":on")) {
    const node = app.status.nodes.find((each) => `${each.name}:on` === name);
    return node ? !node.bypassed : otherwise;
  }
  const param = app.status.params.find((each) => each.name === name);
  return param ? param.value : otherwise;
}

export function change(name, value, otherwise) {
  const from = valueOf(name, otherwise);
  if (from === value) return;
  const last = history.at(-1);
  const now = performance.now();
  if (last && last.name === name && now - last.at < MERGE_MS) Object.assign(last, { to: value, at: now });
  else history.push({ name, from, to: value, at: now });
  if (history.length > MOST) history.shift();
  put(name, value);
  emit("values");
}

export const undoable = () => history.at(-1) || null;

export function undo() {
  const last = history.pop();
  if (last) put(last.name, last.from);
  emit("values");
}

export function forget() {
  history.length = 0;
  emit("values");
}

function put(name, value) {
  held.set(name, { value, until: performance.now() + HELD_MS });
  keep(name, value);
  if (talking()) tell(name, value);
  else if (active()) early.set(name, value);
}

function tell(name, value) {
  if (name.endsWith(":on")) bypass(name.slice(0, -3), !value);
  else send({ do: "set", param: name, value });
}

// What was changed while a session starts came too late for its start, and is told when it runs.
on("session", () => {
  if (app.session.state === "starting") return;
  if (talking()) for (const [name, value] of early) tell(name, value);
  early.clear();
});

async function bypass(node, off) {
  held.set(`${node}:on`, { value: !off, until: Infinity }); // the new nodes are loaded first
  try {
    await command({ do: "bypass", node, on: off });
  } catch (error) {
    banner.problems("action", error.problems || []);
  }
  held.delete(`${node}:on`);
  emit("values");
}

// Kept for each voice: what suits one does not suit another.
function keep(name, value) {
  const voice = talking() ? (app.status && app.status.voice) || app.session.voice : (chosenVoice() || {}).name;
  if (!voice) return;
  const values = { ...choices.values, [voice]: { ...choices.values[voice], [name]: value } };
  choose({ values });
}

on("answer", () => held.clear());
