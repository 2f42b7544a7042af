// The connection to the live session through the page server. It is opened again by itself, and a
// page that is opened later follows the session that runs.

import { ApiError, closeSocket, get, post, setReachable, socket } from "./api.js";
import { app, emit, on } from "./store.js";

const RATE_HZ = 20;
const AGAIN_MS = 1000;
const STALE_MS = 3000; // without a status for so long, the session does not answer

let main = null;
let lastStatus = 0;
let stopped = false; // while the page asks for a token

export async function connect() {
  stopped = false;
  try {
    setSession(await get("/api/session"));
  } catch (error) {
    if (error.status !== 401) again();
    return;
  }
  open();
}

function again() {
  if (!stopped) setTimeout(connect, AGAIN_MS);
}

function open() {
  if (main !== null) return;
  const opened = socket(`/api/session/ws?rate=${RATE_HZ}`);
  main = opened;
  opened.onmessage = (event) => receive(JSON.parse(event.data));
  opened.onclose = () => {
    if (main !== opened) return;
    main = null;
    setFresh(false);
    again();
  };
}

function receive(message) {
  setReachable(true);
  if (message.kind === "session") setSession(message);
  else if (message.kind === "status") setStatus(message.status);
  else if (message.kind === "answer" && !message.ok) emit("answer", message);
}

export function setSession(session) {
  app.session = session;
  if (session.state !== "running") {
    app.status = null;
    setFresh(false);
  }
  emit("session");
}

function setStatus(status) {
  lastStatus = performance.now();
  app.status = status;
  setFresh(true);
  emit("status", status);
}

function setFresh(now) {
  if (app.fresh === now) return;
  app.fresh = now;
  emit("server");
}

setInterval(() => {
  if (app.fresh && performance.now() - lastStatus > STALE_MS) setFresh(false);
}, 500);

on("token", () => {
  stopped = true;
  if (main !== null) closeSocket(main);
  main = null;
});

// A command whose answer nobody waits for: params while a slider moves, the talk key. A refusal
// comes back as "answer".
export function send(command) {
  if (main !== null && main.readyState === WebSocket.OPEN) main.send(JSON.stringify(command));
}

// A command that may take seconds or be refused; resolves when it is heard, or throws an ApiError.
export async function command(wanted) {
  const answer = await post("/api/session/command", wanted);
  if (answer.ok === false) throw new ApiError(409, answer.problems);
  return answer;
}

// Spectrograms are computed only while a page shows them, so they have a socket of their own.
let spectrum = null;
export function watchSpectrum(wanted) {
  if (wanted && spectrum === null) openSpectrum();
  else if (!wanted && spectrum !== null) {
    const closing = spectrum;
    spectrum = null;
    closeSocket(closing);
  }
}

function openSpectrum() {
  const opened = socket("/api/session/ws?rate=1&spectrum=true");
  spectrum = opened;
  opened.onmessage = (event) => {
    const message = JSON.parse(event.data);
    if (message.kind === "spectrum") emit("spectrum", message);
  };
  opened.onclose = () => {
    if (spectrum !== opened) return;
    setTimeout(() => spectrum === opened && openSpectrum(), AGAIN_MS);
  };
}
