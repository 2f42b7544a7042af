// The Files tab: drop files, choose voice and settings, convert.

import { ApiError, get, upload } from "./api.js";
import { at, button, make, problemList, replace, text } from "./dom.js";
import { bytes, plural } from "./format.js";
import { chosenFiles, droppedFiles, looksLikeSound } from "./dropped_files.js";
import { followJobs } from "./jobs.js";
import { chosenVoice } from "./start_request.js";
import { app, on } from "./store.js";

const OVERHEAD = 1 << 20; // names and boundaries beside the files
let waiting = []; // { file, name }
let left = 0; // how many were left out
let limits = null; // what one upload may take; null until it is known
let sending = null; // the upload under way

export function startFiles() {
  build();
  on("voices", showVoices);
  on("tab", (tab) => tab === "files" && askLimits());
  if (app.tab === "files") askLimits();
  // Files that are being sent are lost when the page is left; a conversion that runs is not.
  window.addEventListener("beforeunload", (event) => sending !== null && event.preventDefault());
  showVoices();
  show();
}

function build() {
  const files = make("input", { type: "file", id: "sound-files", class: "unseen", multiple: true, accept: "audio/*,.flac,.wav,.mp3,.ogg,.opus,.m4a,.aiff", onchange: (event) => add(chosenFiles(event.target.files), event.target) });
  const folder = make("input", { type: "file", id: "sound-folder", class: "unseen", webkitdirectory: true, onchange: (event) => add(chosenFiles(event.target.files), event.target) });
  const zone = make("div", { id: "drop", class: "drop" },
    make("p", {}, make("strong", { textContent: "Drop sound files or folders here" })),
    make("div", { class: "row centre" }, files, make("label", { class: "button", for: "sound-files", textContent: "Choose files" }), folder, make("label", { class: "button", for: "sound-folder", textContent: "Choose a folder" })));
  dropping(zone);
  const select = (id, label, options) => make("div", { class: "field" }, make("label", { for: id, textContent: label }), make("select", { id }, options.map(([value, words]) => make("option", { value, textContent: words }))));
  const shift = make("input", { type: "number", id: "file-transpose", value: 0, min: -24, max: 24, step: 1, "aria-describedby": "transpose-hint" });
  Object.assign(shift, { min: -24, max: 24, step: 1 });
  replace(at("convert"), zone, make("div", { id: "waiting" }),
    make("div", { class: "fields" },
      select("file-voice", "Voice", []),
      select("file-quality", "Quality", [["best", "Best: the whole file is known"], ["live", "As live: what a session would play"]]),
      make("div", { class: "field" }, make("label", { for: "file-transpose", textContent: "Pitch, semitones" }), shift, make("p", { class: "hint", id: "transpose-hint", textContent: "On top of what suits the voice; 12 is an octave up." })),
      select("file-format", "Format", [["wav", "WAV"], ["flac", "FLAC (smaller, without loss)"]])),
    make("div", { class: "row" }, make("button", { id: "convert-now", type: "button", class: "primary", textContent: "Convert", onclick: convert }), make("p", { id: "convert-state", class: "hint", role: "status" })),
    make("progress", { id: "convert-progress", max: 1, value: 0, hidden: true, "aria-label": "Sending the files" }),
    make("div", { id: "convert-problem", role: "alert" }));
}

function dropping(zone) {
  let depth = 0;
  const over = (now) => zone.classList.toggle("over", now);
  // The whole page takes files while the tab is seen: one that misses the zone must not leave it.
  document.addEventListener("dragenter", (event) => { if (hasFiles(event)) { event.preventDefault(); depth += 1; over(true); } });
  document.addEventListener("dragover", (event) => { if (hasFiles(event)) event.preventDefault(); });
  document.addEventListener("dragleave", (event) => { if (hasFiles(event)) { depth = Math.max(0, depth - 1); over(depth > 0); } });
  document.addEventListener("drop", async (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    depth = 0;
    over(false);
    if (app.tab === "files" && !document.querySelector("dialog[open]")) await drop(event.dataTransfer);
  });
}

async function drop(transfer) {
  replace(at("convert-problem"));
  try {
    add(await droppedFiles(transfer));
  } catch (error) {
    const problem = { message: `What was dropped cannot be read: ${error.message}`, fix: "choose the files with the button" };
    replace(at("convert-problem"), problemList([problem]));
  }
}

async function askLimits() {
  if (limits !== null) return;
  try {
    limits = await get("/api/limits");
  } catch (error) {
    if (!(error instanceof ApiError)) throw error; // then the server alone tells
  }
  show();
}

// Told before anything is sent: a server that refuses in the middle of an upload is hardly heard.
function tooMuch(total) {
  if (limits === null) return null;
  if (waiting.length > limits.upload_files) return `${waiting.length} files are too many: at most ${limits.upload_files} at a time. Convert them in parts.`;
  if (total > limits.upload_bytes - OVERHEAD) return `${bytes(total)} is too much: at most ${bytes(limits.upload_bytes)} at a time. Convert the files in parts, or as FLAC.`;
  return null;
}

function words(total) {
  const skipped = left > 0 ? ` ${plural(left, "file")} left out: no sound.` : "";
  if (sending !== null) return "Sending the files";
  if (at("file-voice").options.length === 0) return "No voice is ready to speak: add one on the tab Talk.";
  if (waiting.length === 0) return left > 0 ? `There is no sound in it: ${plural(left, "file")} left out. WAV, FLAC, MP3, Ogg, Opus, M4A and AIFF can be converted.` : "Choose files first.";
  return tooMuch(total) || `${plural(waiting.length, "file")}, ${bytes(total)}.${skipped}`;
}

const hasFiles = (event) => [...(event.dataTransfer ? event.dataTransfer.types : [])].includes("Files");

function add(found, input = null) {
  const sounds = found.filter(looksLikeSound);
  left = found.length - sounds.length;
  const there = new Set(waiting.map(({ name, file }) => `${name} ${file.size}`));
  waiting = [...waiting, ...sounds.filter(({ name, file }) => !there.has(`${name} ${file.size}`))];
  if (input) input.value = "";
  show();
}

function showVoices() {
  const select = at("file-voice");
  const before = select.value || (chosenVoice() || {}).name;
  const ready = app.voices.filter((voice) => voice.needs.length === 0);
  replace(select, ready.map((voice) => make("option", { value: voice.name, textContent: voice.title })));
  if (ready.some((voice) => voice.name === before)) select.value = before;
  show();
}

function show() {
  const total = waiting.reduce((sum, { file }) => sum + file.size, 0);
  const voices = at("file-voice").options.length;
  at("convert-now").disabled = waiting.length === 0 || voices === 0 || sending !== null || tooMuch(total) !== null;
  text(at("convert-state"), words(total));
  const rows = waiting.slice(0, 50).map((each) => make("li", {}, make("span", { textContent: each.name }), make("span", { class: "hint", textContent: bytes(each.file.size) }),
    button("", () => { waiting = waiting.filter((other) => other !== each); show(); }, { symbol: "close", look: "plain square small", label: `Leave out ${each.name}`, disabled: sending !== null })));
  replace(at("waiting"), waiting.length > 0 && make("ul", { class: "waiting" }, rows, waiting.length > 50 && make("li", { textContent: `and ${waiting.length - 50} more` })));
}

async function convert() {
  const form = new FormData();
  const transpose = Number(at("file-transpose").value) || 0;
  const settings = { voice: at("file-voice").value, quality: at("file-quality").value, format: at("file-format").value, overrides: transpose === 0 ? {} : { "vars.transpose": transpose } };
  form.append("settings", JSON.stringify(settings));
  for (const { file, name } of waiting) form.append("files", file, name);
  replace(at("convert-problem"));
  const bar = at("convert-progress");
  bar.hidden = false;
  bar.value = 0;
  sending = upload("/api/jobs", form, (share) => { bar.value = share; });
  const cancel = button("Cancel", () => sending && sending.abort(), { look: "small" });
  at("convert-now").after(cancel);
  show();
  try {
    await sending.done;
    waiting = [];
    left = 0;
    followJobs();
  } catch (error) {
    replace(at("convert-problem"), problemList(error.problems || []));
  }
  sending = null;
  cancel.remove();
  bar.hidden = true;
  show();
}

