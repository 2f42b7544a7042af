// The Record tab: start, stop and mark a take; the takes with players, replay check, download.

import { del, encoded, get, post } from "./api.js";
import { abPlayer } from "./ab_player.js";
import { command } from "./connection.js";
import { at, button, confirmed, make, problemList, replace, text } from "./dom.js";
import { bytes, day, duration, length, plural } from "./format.js";
import { listView } from "./list_view.js";
import { saveButton } from "./save_button.js";
import { app, on, talking } from "./store.js";
import { voiceTitle } from "./transport.js";

const AGAIN_MS = 700; // a take that is being finished, or recorded by another program, soon changes
let list = null;
let timer = null;
let wasRecording = null;

export function startRecord() {
  build();
  list = listView(at("takes"), "No takes yet. Start a session and press Record.");
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
  clearTimeout(timer);
  let takes;
  try {
    takes = await get("/api/takes");
  } catch (error) {
    list.fail(error, refresh);
    return;
  }
  if (app.tab === "record" && takes.some((take) => take.recording)) timer = setTimeout(refresh, AGAIN_MS);
  const newest = [...takes].sort((a, b) => (b.started || b.name).localeCompare(a.started || a.name));
  list.show(newest, (take) => take.name, row, update);
}

const titleOf = (take) => (take.started ? day(take.started) : take.name);

function row(take) {
  return make("div", { class: "item tall" },
    make("div", { class: "item-text" },
      make("span", { class: "item-title" }, titleOf(take), " ", make("span", { class: "tag bad take-state", textContent: "recording" })),
      make("span", { class: "hint take-about" }),
      make("div", { class: "take-problems" })));
}

// A finished take does not change any more, so its player is made once.
function update(item, take) {
  const about = [length(take.seconds), bytes(take.bytes), take.voice && voiceTitle(take.voice), take.pipeline, take.marks.length > 0 && plural(take.marks.length, "mark")].filter(Boolean);
  text(item.querySelector(".take-about"), about.join(" · "));
  item.querySelector(".take-state").hidden = !take.recording;
  if (take.recording || item.dataset.finished) return;
  item.dataset.finished = "yes";
  replace(item.querySelector(".take-problems"), problemList(take.problems));
  item.append(...finished(take));
}

function finished(take) {
  const path = `/api/takes/${encoded(take.name)}`;
  const result = make("div", { role: "status" });
  const playable = take.seconds > 0 && take.problems.length === 0;
  const parts = [
    playable && abPlayer(`the take of ${titleOf(take)}`, [{ label: "My voice", path: `${path}/input.wav` }, { label: "Converted", path: `${path}/output.wav`, first: true }], take.seconds, take.marks),
    make("div", { class: "actions" },
      playable && button("Check by replay", (event) => check(take, result, event.currentTarget), { look: "small" }),
      playable && saveButton("My voice", `${path}/input.wav`, `${take.name}-input.wav`, "Download my voice"),
      playable && saveButton("Converted", `${path}/output.wav`, `${take.name}-output.wav`, "Download the converted voice"),
      button("", () => remove(take), { symbol: "trash", look: "plain square small", label: `Delete the take of ${titleOf(take)}` })),
    result,
  ];
  return parts.filter(Boolean);
}

async function check(take, result, pressed) {
  pressed.disabled = true;
  replace(result, make("p", { class: "hint", textContent: "Converting the recorded input again and comparing; this takes about as long as a file conversion." }));
  try {
    const found = await post(`/api/takes/${encoded(take.name)}/check`, {});
    replace(result, make("p", { class: found.same ? "good-text" : "bad-text", textContent: found.text }),
      found.lines.length > 0 && make("details", {}, make("summary", { textContent: "Details" }), make("pre", { textContent: found.lines.join("\n"), tabIndex: 0 })));
  } catch (error) {
    replace(result, problemList(error.problems || []));
  }
  pressed.disabled = false;
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
