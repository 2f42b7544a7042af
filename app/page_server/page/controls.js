// The main controls: few, with ranges that make sense, reset and undo.

import { encoded, get } from "./api.js";
import { at, button, empty, keyed, make, problemList, replace, text } from "./dom.js";
import { number } from "./format.js";
import { chosenVoice, known } from "./start_request.js";
import { active, app, choices, emit, on, talking } from "./store.js";
import { change, undo, undoable, valueOf } from "./values.js";

let asked; // what the controls shown belong to
const undoButton = button("Undo", undo, { symbol: "undo", look: "small" });
const resetButton = button("Reset all", resetAll, { symbol: "reset", look: "small" });

export function startControls() {
  replace(at("control-actions"), undoButton, resetButton);
  document.addEventListener("keydown", (event) => {
    if (event.key !== "z" || !(event.ctrlKey || event.metaKey) || event.shiftKey || event.target.closest("input[type=text], input[type=number], textarea, dialog")) return;
    event.preventDefault();
    undo();
  });
  on("voices chosen session", refresh);
  on("graph", () => { asked = undefined; refresh(); });
  on("values", show);
  on("status", show);
  refresh();
}

// What decides which controls there are.
function wanted() {
  if (active()) return JSON.stringify(["session", app.session.pipeline, app.session.profile, app.status && app.status.voice, talking()]);
  const voice = chosenVoice();
  return voice === null ? null : JSON.stringify([voice.name, choices.quality]);
}

async function refresh() {
  const now = wanted();
  if (now === asked) return show();
  asked = now;
  if (now === null) {
    known.controls = [];
    return replace(at("controls"), empty("The controls are shown when there is a voice."));
  }
  const query = active() ? "" : `?voice=${encoded(chosenVoice().name)}&quality=${encoded(choices.quality || "balanced")}`;
  try {
    const found = await get(`/api/controls${query}`);
    if (asked !== now) return undefined;
    known.controls = found;
  } catch (error) {
    asked = undefined;
    known.controls = [];
    return replace(at("controls"), problemList(error.problems || []));
  }
  build();
  emit("controls");
  return show();
}

function build() {
  let grid = at("controls").querySelector(".controls");
  if (grid === null) {
    grid = make("div", { class: "controls" });
    replace(at("controls"), grid);
  }
  keyed(grid, known.controls, (control) => JSON.stringify(control), controlRow);
}

function controlRow(control) {
  const id = `control-${control.id}`;
  const input = control.param !== null && (control.choices ? choiceOf(control, id) : sliderOf(control, id));
  const title = input ? make("label", { for: id, class: "control-title", textContent: control.label }) : make("span", { class: "control-title", id: `${id}-title`, textContent: control.label });
  const toggle = control.node !== null && make("label", { class: "toggle" },
    make("input", { type: "checkbox", role: "switch", id: `${id}-on`, disabled: control.problem !== null, "aria-label": `${control.label} on`, "aria-describedby": `${id}-text`, onchange: (event) => change(`${control.node}:on`, event.target.checked, control.on) }),
    make("span", { class: "toggle-word", "aria-hidden": "true" }));
  const reset = input && button("", () => change(control.param, control.default, control.default), { symbol: "reset", look: "plain square small reset", label: `Reset ${control.label}` });
  const output = input && !control.choices && make("output", { class: "control-value", for: id });
  return make("div", { class: control.part_of === null ? "control" : "control part", data: { control: control.id } },
    make("div", { class: "control-head" }, title, reset, output, toggle),
    input, make("p", { class: "hint", id: `${id}-text`, textContent: control.text }),
    control.problem !== null && problemList([control.problem]));
}

function choiceOf(control, id) {
  return make("select", { id, "aria-describedby": `${id}-text`, onchange: (event) => change(control.param, event.target.value, control.default) },
    control.choices.map((each) => make("option", { value: each, textContent: each.replaceAll("_", " ") })));
}

function sliderOf(control, id) {
  const slider = make("input", { type: "range", id, "aria-describedby": `${id}-text` });
  Object.assign(slider, { min: control.minimum, max: control.maximum, step: control.step });
  slider.oninput = () => change(control.param, Number(slider.value), control.default);
  slider.ondblclick = () => change(control.param, control.default, control.default);
  return slider;
}

export function shownValue(control, value) {
  const scaled = value * control.scale;
  const digits = number(scaled, (control.step || 0.01) * control.scale);
  const sign = scaled > 0 && control.minimum < 0 && ["semitones", "dB"].includes(control.unit) ? "+" : "";
  return `${sign}${digits}${control.unit ? ` ${control.unit}` : ""}`;
}

function show() {
  const last = undoable();
  undoButton.disabled = last === null;
  undoButton.title = last === null ? "Nothing to undo" : `Undo the change of ${last.name} (Ctrl+Z)`;
  const grid = at("controls").querySelector(".controls");
  if (grid === null) return;
  let changed = false;
  for (const control of known.controls) {
    const row = grid.querySelector(`[data-control="${control.id}"]`);
    if (row === null) continue;
    if (control.param !== null) changed = (control.choices ? showChoice : showSlider)(control, row) || changed;
    if (control.node !== null) changed = showToggle(control, row) || changed;
    row.hidden = !isUsed(control);
  }
  resetButton.disabled = !changed;
}

function showSlider(control, row) {
  const value = Number(valueOf(control.param, control.default));
  const slider = row.querySelector("input[type=range]");
  if (Number(slider.value) !== value) slider.value = String(value);
  const words = shownValue(control, value);
  text(row.querySelector("output"), words);
  if (slider.getAttribute("aria-valuetext") !== words) slider.setAttribute("aria-valuetext", words);
  const differs = Math.abs(value - control.default) > 1e-9;
  row.querySelector(".reset").disabled = !differs;
  return differs;
}

function showChoice(control, row) {
  const value = String(valueOf(control.param, control.default));
  const select = row.querySelector("select");
  if (select.value !== value) select.value = value;
  row.querySelector(".reset").disabled = value === control.default;
  return value !== control.default;
}

// Parts of a control that is off are not shown.
function isUsed(control) {
  const whole = known.controls.find((each) => each.id === control.part_of);
  return whole === undefined || Boolean(valueOf(`${whole.node}:on`, whole.on));
}

function showToggle(control, row) {
  const now = Boolean(valueOf(`${control.node}:on`, control.on));
  const box = row.querySelector("[role=switch]");
  if (box.checked !== now) box.checked = now;
  text(row.querySelector(".toggle-word"), now ? "on" : "off");
  const slider = row.querySelector("input[type=range]");
  if (slider) slider.disabled = !now;
  return now !== control.on;
}

function resetAll() {
  for (const control of known.controls) {
    if (control.param !== null) change(control.param, control.default, control.default);
    if (control.node !== null) change(`${control.node}:on`, control.on, control.on);
  }
}
