// What the Health tab draws: the load and the late blocks of each of the last 60 seconds, and when
// each message was said. Collected from the statuses whether or not the tab is seen.

import { app, on } from "./store.js";

export const SECONDS = 60;
export const load = []; // { second, load, late }, oldest first
export const messages = []; // { text, time: Date | null }, newest first

const MOST_MESSAGES = 200;
let lateBefore = null;
let shown = [];
let session = null;

export function startHistory() {
  on("status", note);
  on("session", () => {
    if (app.session.since === session) return;
    session = app.session.since;
    load.length = 0;
    lateBefore = null;
    shown = [];
  });
}

function note(status) {
  const second = Math.floor(status.seconds);
  const blocks = status.late.blocks + status.late.dropped;
  const late = lateBefore === null ? 0 : Math.max(0, blocks - lateBefore);
  lateBefore = blocks;
  const now = Math.max(0, 1 - status.headroom);
  const last = load.at(-1);
  if (last && last.second === second) {
    last.load = Math.max(last.load, now);
    last.late += late;
  } else {
    load.push({ second, load: now, late });
    while (load[0].second <= second - SECONDS) load.shift();
  }
  noteMessages(status);
}

// Statuses hold the newest messages, oldest first. New are those beyond the overlap with the ones
// of the status before.
function noteMessages(status) {
  const now = status.messages;
  if (now.length === shown.length && now.every((each, i) => each === shown[i])) return;
  let overlap = Math.min(shown.length, now.length);
  while (overlap > 0 && !now.slice(0, overlap).every((each, i) => each === shown[shown.length - overlap + i])) overlap -= 1;
  const began = Date.now() - status.seconds * 1000;
  now.slice(overlap).forEach((each, i) => {
    const seconds = (status.message_seconds || [])[overlap + i];
    messages.unshift({ text: each, time: new Date(seconds === undefined ? Date.now() : began + seconds * 1000) });
  });
  messages.length = Math.min(messages.length, MOST_MESSAGES);
  shown = [...now];
}
