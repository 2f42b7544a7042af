// The panel of one node: what it does, its cost, its params, exchange for another, bypass. A change
// is checked before it is applied, and its problems are shown at the params they belong to.

import { post } from "./api.js";
import { command } from "./connection.js";
import { at, button, empty, keepingFocus, make, problemList, replace, text } from "./dom.js";
import { ms } from "./format.js";
import { showFaulty } from "./graph_drawing.js";
import { paramRow, showProblem, showValue } from "./param_row.js";
import { app, emit } from "./store.js";
import { change, valueOf } from "./values.js";

const CHECK_MS = 350;
let graph = null;
let node = null;
let staged = {}; // overrides that are typed and not applied: dotted path -> value
let timer = null;
let go = null; // shows another node

export function showNode(of, shown, choose) {
  const typed = node !== null && shown && node.name === shown.name && node.use === shown.use && Object.keys(staged).length > 0;
  const unchanged = JSON.stringify(node) === JSON.stringify(shown || null) && at("node-cost") !== null;
  graph = of;
  go = choose;
  node = shown || null;
  if (typed || unchanged) return; // what is typed, and where the focus is, stays while the drawing changes
  staged = {};
  showFaulty(new Set());
  if (node === null) {
    replace(at("node"), empty("Choose a node of the graph to see and change it."));
    return;
  }
  text(at("node-title"), node.name);
  keepingFocus(at("node"), () => replace(at("node"), summary(), make("p", { class: "node-cost number", id: "node-cost" }), actions(), params(), changes(), help()));
  if (app.status) updateNode(app.status);
}

function summary() {
  return make("div", { class: "node-summary" },
    make("p", {}, make("code", { textContent: node.use }), " ", make("span", { class: "tag", textContent: node.device }), " ", make("span", { class: "tag", textContent: node.dtype })),
    node.summary && make("p", { textContent: node.summary }));
}

function actions() {
  if (node.driver) return make("p", { class: "hint", textContent: "This node was added to fit a sound device, so it cannot be changed." });
  const others = make("select", { id: "node-use", onchange: (event) => stage(`nodes.${node.name}.use`, event.target.value === node.use ? undefined : event.target.value) },
    make("option", { value: node.use, textContent: `${node.use} (now)` }), node.alternatives.map((use) => make("option", { value: use, textContent: use })));
  return make("div", { class: "node-actions" },
    node.bypassable
      ? make("label", { class: "toggle" }, make("input", { type: "checkbox", role: "switch", id: "node-on", "aria-label": `${node.name} on`, onchange: (event) => change(`${node.name}:on`, event.target.checked, !node.bypassed) }), make("span", { class: "toggle-word", "aria-hidden": "true" }), make("span", { class: "hint", textContent: "off: its input passes through" }))
      : make("p", { class: "hint", textContent: "It cannot be bypassed: its input cannot stand for its output." }),
    node.alternatives.length > 0
      ? make("div", { class: "field" }, make("label", { for: "node-use", textContent: `Exchange for another ${node.interface || "node of its kind"}` }), others)
      : make("p", { class: "hint", textContent: "There is no other node of its interface." }));
}

function params() {
  if (node.params.length === 0) return make("p", { class: "hint", textContent: "It has no params." });
  return make("div", { class: "params" }, node.params.map((param) => {
    const path = `nodes.${node.name}.params.${param.name}`;
    const live = param.live && !node.bypassed;
    const put = live ? (value) => change(`${node.name}.${param.name}`, value, param.value) : (value) => stage(path, same(value, param.value) ? undefined : value);
    const row = paramRow({ ...param, value: param.value ?? (param.type === "number" ? 0 : param.value) }, param.name, param.help, put);
    row.dataset.path = path;
    row.dataset.live = live ? `${node.name}.${param.name}` : "";
    if (!live) row.querySelector(".param-name").append(make("span", { class: "tag", textContent: param.file ? "name in the library" : "needs an exchange" }));
    showValue(row, live ? valueOf(`${node.name}.${param.name}`, param.value) : param.value);
    return row;
  }));
}

const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

function changes() {
  return make("div", { id: "node-changes", hidden: true },
    make("p", { id: "changes-words", role: "status" }),
    make("div", { id: "changes-problems", role: "alert" }),
    make("div", { class: "actions" },
      make("button", { type: "button", id: "apply", class: "primary", textContent: "Apply", onclick: apply }),
      button("Discard", discard)));
}

function help() {
  return node.help && make("details", {}, make("summary", { textContent: "What it does" }), make("div", { class: "help", textContent: node.help }));
}

// ---- changes that need an exchange of nodes: typed, checked, applied --------------------------

function stage(path, value) {
  if (value === undefined) delete staged[path];
  else staged[path] = value;
  for (const row of at("node").querySelectorAll("[data-path]")) {
    if (row.dataset.path === path) showValue(row, value === undefined ? node.params.find((param) => path.endsWith(`.${param.name}`)).value : value);
  }
  clearTimeout(timer);
  at("node-changes").hidden = Object.keys(staged).length === 0;
  at("apply").disabled = true;
  if (Object.keys(staged).length === 0) return showProblems([]);
  text(at("changes-words"), "Checking the change…");
  timer = setTimeout(check, CHECK_MS);
  return undefined;
}

async function check() {
  const asked = JSON.stringify(staged);
  let found;
  try {
    found = await post("/api/session/check", { overrides: staged });
  } catch (error) {
    found = { ok: false, problems: (error.problems || []).map((problem) => ({ node: null, problem })), delay_ms: null };
  }
  if (JSON.stringify(staged) !== asked || !at("changes-words")) return;
  at("apply").disabled = !found.ok;
  const delay = found.delay_ms === null ? "" : ` The delay will be ${ms(found.delay_ms)} and devices.`;
  text(at("changes-words"), found.ok ? `This change fits.${delay}` : "This change does not fit:");
  showProblems(found.problems);
}

// Each problem where it is: at the param it names, at its node in the drawing, else in the panel.
function showProblems(problems) {
  showFaulty(new Set(problems.map((each) => each.node).filter(Boolean)));
  const rest = [];
  const rows = [...at("node").querySelectorAll("[data-path]")];
  const said = new Map(rows.map((row) => [row, ""]));
  for (const { node: where, problem } of problems) {
    const row = where === node.name && rows.find((each) => names(problem, each.dataset.path));
    if (row) said.set(row, [said.get(row), problem.message, problem.fix && `What to do: ${problem.fix}`].filter(Boolean).join("\n"));
    else rest.push({ where, problem });
  }
  for (const [row, sentence] of said) showProblem(row, sentence);
  const others = rest.map(({ where, problem }) => where && where !== node.name
    ? make("div", {}, button(where, () => go(where), { look: "small", label: `Show the node ${where}` }), problemList([problem]))
    : problemList([problem]));
  replace(at("changes-problems"), others);
}

function names(problem, path) {
  const param = path.split(".").pop();
  return (problem.where || "").includes(path) || new RegExp(`(^|[^\\w])${param.replaceAll(/[^\w]/g, "\\$&")}([^\\w]|$)`).test(problem.message);
}

async function apply() {
  const overrides = staged;
  at("apply").disabled = true;
  text(at("changes-words"), "The new nodes are loaded; you are heard with the old ones until they are ready.");
  try {
    await command({ do: "swap", overrides });
    staged = {};
    emit("graph");
  } catch (error) {
    text(at("changes-words"), "The change was not applied:");
    showProblems((error.problems || []).map((problem) => ({ node: node.name, problem })));
  }
}

function discard() {
  const shown = node;
  staged = {};
  node = null; // all of it is made anew, with the values that are in force
  showNode(graph, shown, go);
}

export function updateNode(status) {
  if (node === null || !at("node-cost")) return;
  const load = status.nodes.find((each) => each.name === node.name);
  text(at("node-cost"), !load ? "" : load.bypassed ? "Bypassed" : `${ms(load.median_ms)} a block of ${ms(status.block_ms)} (at most ${ms(load.p99_ms)}), ${ms(node.latency_ms)} behind the input`);
  const toggle = at("node-on");
  if (toggle) {
    toggle.checked = Boolean(valueOf(`${node.name}:on`, !node.bypassed));
    text(toggle.parentElement.querySelector(".toggle-word"), toggle.checked ? "on" : "off");
  }
  for (const row of at("node").querySelectorAll("[data-live]")) {
    if (!row.dataset.live) continue;
    const param = node.params.find((each) => `${node.name}.${each.name}` === row.dataset.live);
    showValue(row, valueOf(row.dataset.live, param.value));
  }
}
