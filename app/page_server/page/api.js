// Requests to the page server. Every failure is an ApiError with sentences for people.

import { app, emit } from "./store.js";

const TOKEN_KEY = "voicegraph-token";

// A link may hold the token in its fragment (#token=...), which browsers do not send.
const inLink = new URLSearchParams(location.hash.slice(1)).get("token");
if (inLink) {
  setToken(inLink);
  history.replaceState(null, "", location.pathname);
}

export function token() {
  try {
    return sessionStorage.getItem(TOKEN_KEY);
  } catch {
    return null;
  }
}

export function setToken(value) {
  if (value) sessionStorage.setItem(TOKEN_KEY, value);
  else sessionStorage.removeItem(TOKEN_KEY);
}

export class ApiError extends Error {
  constructor(status, problems) {
    super(problems.map((problem) => problem.message).join("\n"));
    this.status = status;
    this.problems = problems;
  }
}

const sentence = (message, fix = null) => ({ code: "page", message, where: null, line: null, column: null, notes: [], fix });

export const get = (path) => ask("GET", path);
export const post = (path, body) => ask("POST", path, body);
export const put = (path, body) => ask("PUT", path, body);
export const del = (path) => ask("DELETE", path);

async function ask(method, path, body) {
  const headers = authorization();
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const text = body === undefined ? undefined : JSON.stringify(body);
  const answer = await reach(path, { method, headers, body: text });
  return answer.status === 204 ? null : parsed(answer.status, await answer.text());
}

function authorization() {
  return token() ? { Authorization: `Bearer ${token()}` } : {};
}

async function reach(path, options) {
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw lost();
  }
  setReachable(true);
  if (answer.status === 401) emit("token");
  if (!answer.ok) throw failure(answer.status, await answer.text());
  return answer;
}

function lost() {
  setReachable(false);
  return new ApiError(0, [sentence("The page server does not answer.", "start it again with: voicegraph app")]);
}

export function setReachable(now) {
  if (app.reachable === now) return;
  app.reachable = now;
  emit("server");
}

function parsed(status, text) {
  try {
    return JSON.parse(text);
  } catch {
    throw new ApiError(status, [sentence("The page server gave an answer that is no JSON.", "reload this page: the program may be of another version")]);
  }
}

function failure(status, text) {
  try {
    const { problems } = JSON.parse(text);
    if (problems.length > 0) return new ApiError(status, problems);
  } catch {
    // not one of our own answers
  }
  return new ApiError(status, [sentence(`The page server refused this (HTTP ${status}).`, "reload this page")]);
}

// Sends files. `progress` gets the share that is sent; the returned object can be aborted.
export function upload(path, form, progress = () => {}, method = "POST") {
  const request = new XMLHttpRequest();
  const done = new Promise((resolve, reject) => {
    request.open(method, path);
    for (const [name, value] of Object.entries(authorization())) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => event.lengthComputable && progress(event.loaded / event.total);
    request.onload = () => {
      setReachable(true);
      if (request.status === 401) emit("token");
      if (request.status >= 200 && request.status < 300) {
        try {
          resolve(request.status === 204 || !request.responseText ? null : parsed(request.status, request.responseText));
        } catch (error) {
          reject(error);
        }
      } else reject(failure(request.status, request.responseText));
    };
    request.onerror = () => brokenOff().then(reject);
    request.onabort = () => reject(new ApiError(0, [sentence("The upload was cancelled.")]));
    request.send(form);
  });
  return { done, abort: () => request.abort() };
}

// Why an upload ended without an answer: the server is gone, or has refused it in the middle.
async function brokenOff() {
  try {
    await get("/api/session");
  } catch (error) {
    return error;
  }
  return new ApiError(0, [sentence("The upload broke off before it was complete.", "send less at a time, and leave some space on the disk of the machine that voicegraph runs on")]);
}

// The path of a file, once this browser may open it by itself: tabs, players, pictures and downloads
// cannot send a token, so the server gives them a cookie for this path alone.
export async function mediaAddress(path) {
  if (token()) await post("/api/passes", { path });
  return path;
}

// Saves a file under a name. The browser writes it to the disk as it comes, however large it is; the
// first byte is asked for here, so that a refusal can be said.
export async function download(path, name) {
  const answer = await reach(await mediaAddress(path), { headers: { ...authorization(), Range: "bytes=0-0" } });
  await answer.body.cancel();
  const link = document.createElement("a");
  link.href = path;
  link.download = name;
  link.click();
}

export function socket(path) {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  const made = new WebSocket(`${scheme}//${location.host}${path}`);
  if (token()) made.addEventListener("open", () => made.send(JSON.stringify({ token: token() })));
  return made;
}

// Closing a socket that is still being opened would be an error on the console.
export function closeSocket(closing) {
  if (closing.readyState === WebSocket.CONNECTING) closing.addEventListener("open", () => closing.close());
  else closing.close();
}

export const encoded = encodeURIComponent;
