// What the Health tab draws: the load and the late blocks of each of the last 60 seconds, and when
// each message was said. Collected from the statuses whether or not the tab is seen.

import { app, on } from "./store.js";

export const SECONDS = 60;
export const load = []; // { second, load, late }, oldest first
export const messages = []; // LoggedMessage with its time as a Date, newest first

const MOST_MESSAGES = 200;
let lateBefore = null;
let session = null;

export function startHistory() {
  on("status", note);
  on("session", () => {
    if (app.session.since === session) return;
    session = app.session.since;
    load.length = 0;
    lateBefore = null;
    messages.length = 0;
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

// Statuses hold the newest messages, numbered; earlier ones that this page has seen stay.
function noteMessages(status) {
  const newest = messages.length > 0 ? messages[0].number : 0;
  for (const message of status.log) {
    if (message.number > newest) messages.unshift({ ...message, time: new Date(message.unix_s * 1000) });
  }
  messages.length = Math.min(messages.length, MOST_MESSAGES);
}
