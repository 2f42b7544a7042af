// The Record tab: start, stop and mark a take; the takes with players, replay check, download.

import { del, download, encoded, get, post } from "./api.js";
import { abPlayer } from "./ab_player.js";
import { command } from "./connection.js";
import { at, button, confirmed, empty, keyed, make, problemList, replace, text } from "./dom.js";
import { bytes, day, duration, length, plural } from "./format.js";
import { app, on, talking } from "./store.js";
import { voiceTitle } from "./transport.js";

let takes = null;
let wasRecording = null;

export function startRecord() {
  build();
  on("status session server", show);
  on("tab", (tab) => tab === "record" && refresh());
  show();
  if (app.tab === "record") refresh();
}

function build() {
  const note = make("input", { type: "text", id: "mark-text", maxLength: 200, placeholder: "What happens here", autocomplete: "off", "aria-label": "Text of the mark" });
  const mark = make("form", { class: "row", id: "mark-form" }, note, make("button", { textContent: "Mark this moment" }));
  mark.onsubmit = async (event) => {
    event.preventDefault();
    if (await attempt({ do: "mark", text: note.value.trim() })) note.value = "";
  };
  replace(at("recorder"),
    make("div", { class: "row" },
      make("button", { id: "record", type: "button", class: "record", onclick: toggle }, make("span", { class: "record-dot", "aria-hidden": "true" }), make("span", { textContent: "Record" })),
      make("p", { id: "record-state", role: "status" })),
    mark,
    make("p", { class: "hint", textContent: "A take holds your voice, the converted voice and every change. It stays on this machine until you delete it." }),
    make("div", { id: "record-problem", role: "alert" }));
}

const recording = () => Boolean(app.status && app.status.take);

async function toggle() {
  await attempt({ do: "record", on: !recording() });
}

async function attempt(wanted) {
  replace(at("record-problem"));
  try {
    await command(wanted);
    return true;
  } catch (error) {
    replace(at("record-problem"), problemList(error.problems || []));
    return false;
  }
}

function show() {
  const take = app.status && app.status.take;
  const button_ = at("record");
  button_.disabled = !talking() || app.status === null;
  button_.classList.toggle("running", recording());
  text(button_.lastChild, recording() ? "Stop recording" : "Record");
  for (const element of at("mark-form").elements) element.disabled = !recording();
  text(at("record-state"), !talking() ? "Start a session first: what is recorded is what you say and what is heard." : !take ? "Not recording." : stateOf(take));
  if (wasRecording !== recording()) {
    if (wasRecording !== null && app.tab === "record") refresh();
    wasRecording = recording();
  }
}

function stateOf(take) {
  const left = take.free_s === null || take.free_s === undefined ? "" : `, the disk has room for ${duration(take.free_s)}`;
  if (take.stopped) return `The recording has stopped: ${take.stopped}`;
  return `Recording: ${length(take.seconds)}, ${bytes(take.bytes)}${left}`;
}

// ---- takes ------------------------------------------------------------------------------------

async function refresh() {
  try {
    takes = await get("/api/takes");
  } catch (error) {
    replace(at("takes"), problemList(error.problems || []), button("Try again", refresh, { look: "small" }));
    return;
  }
  // A take that has just ended is still being written for a moment.
  if (!recording() && takes.some((take) => take.recording)) setTimeout(refresh, 700);
  const place = at("takes");
  const sorted = [...takes].sort((a, b) => (b.started || b.name).localeCompare(a.started || a.name));
  if (sorted.length === 0) {
    replace(place, empty("No takes yet. Start a session and press Record."));
    return;
  }
  let list = place.querySelector(".list");
  if (list === null) {
    list = make("div", { class: "list" });
    replace(place, list);
  }
  keyed(list, sorted, (take) => JSON.stringify([take.name, take.seconds, take.recording, take.marks.length]), row);
}

function row(take) {
  const path = `/api/takes/${encoded(take.name)}`;
  const result = make("div", { role: "status" });
  const whole = !take.recording && take.seconds > 0;
  const about = [length(take.seconds), bytes(take.bytes), take.voice && voiceTitle(take.voice), take.pipeline, take.marks.length > 0 && plural(take.marks.length, "mark")].filter(Boolean);
  return make("div", { class: "item tall" },
    make("div", { class: "item-text" },
      make("span", { class: "item-title" }, take.started ? day(take.started) : take.name, take.recording && make("span", { class: "tag bad", textContent: "recording" })),
      make("span", { class: "hint", textContent: about.join(" · ") }),
      problemList(take.problems)),
    whole && abPlayer(`the take of ${take.started ? day(take.started) : take.name}`, [{ label: "My voice", path: `${path}/input.wav` }, { label: "Converted", path: `${path}/output.wav`, first: true }], take.seconds, take.marks),
    whole && make("div", { class: "actions" },
      button("Check by replay", () => check(take, result), { look: "small" }),
      button("My voice", () => download(`${path}/input.wav`, `${take.name}-input.wav`), { symbol: "save", look: "small", label: "Download my voice" }),
      button("Converted", () => download(`${path}/output.wav`, `${take.name}-output.wav`), { symbol: "save", look: "small", label: "Download the converted voice" }),
      button("", () => remove(take), { symbol: "trash", look: "plain square small", label: "Delete this take" })),
    result);
}

async function check(take, result) {
  replace(result, make("p", { class: "hint", textContent: "Converting the recorded input again and comparing; this takes about as long as a file conversion." }));
  try {
    const found = await post(`/api/takes/${encoded(take.name)}/check`, {});
    replace(result, make("p", { class: found.same ? "good-text" : "bad-text", textContent: found.text }),
      found.lines.length > 0 && make("details", {}, make("summary", { textContent: "Details" }), make("pre", { textContent: found.lines.join("\n"), tabIndex: 0 })));
  } catch (error) {
    replace(result, problemList(error.problems || []));
  }
}

async function remove(take) {
  if (!(await confirmed("Delete this take?", "Delete", "Both sound files are deleted from this machine."))) return;
  try {
    await del(`/api/takes/${encoded(take.name)}`);
  } catch (error) {
    replace(at("record-problem"), problemList(error.problems || []));
  }
  await refresh();
}
