// The Graph tab: the drawing of the running pipeline with live costs, and the panel of one node.

import { get } from "./api.js";
import { banner } from "./banner.js";
import { at, button, empty, keepingFocus, problemList, replace, text } from "./dom.js";
import { ms } from "./format.js";
import { decorate, marked, showCosts } from "./graph_drawing.js";
import { showNode, updateNode } from "./node_panel.js";
import { app, on, talking } from "./store.js";

const EVERY_MS = 500;
let graph = null;
let chosen = null; // name of the node in the panel
let of = null; // the session and plan that the drawing belongs to
let last = 0;

export function startGraph() {
  on("tab session", refresh);
  on("graph", () => { of = null; refresh(); });
  on("status", (status) => {
    const now = performance.now();
    if (app.tab !== "graph" || graph === null || now - last < EVERY_MS) return;
    last = now;
    if (planOf() !== of) refresh();
    showCosts(graph, status);
    updateNode(status);
  });
  refresh();
}

// A change by another page, the screen or OSC shows in the nodes of the status.
const planOf = () => JSON.stringify([app.session.since, app.session.preset, app.status && app.status.voice, ...(app.status ? app.status.nodes.map((node) => [node.name, node.use, node.bypassed]) : [])]);

async function refresh() {
  if (app.tab !== "graph") return;
  if (!talking()) return nothing();
  const now = planOf();
  if (graph !== null && of === now) return;
  of = now;
  try {
    graph = await get("/api/session/graph");
  } catch (error) {
    of = null;
    if (graph !== null) banner.problems("graph", error.problems || []); // the drawing before stays
    else replace(at("graph"), problemList(error.problems || []), button("Try again", refresh, { look: "small" }));
    return;
  }
  banner.clear("graph");
  show();
}

function nothing() {
  graph = null;
  of = null;
  text(at("graph-facts"), "");
  if (!at("graph").querySelector(".empty")) replace(at("graph"), empty("The graph is drawn while a session runs. Press Start below."));
  text(at("node-title"), "Node");
  if (!at("node").querySelector(".empty")) replace(at("node"), empty("Choose a node of the graph to see and change it."));
}

function show() {
  text(at("graph-facts"), `${graph.pipeline} · ${graph.nodes.length} nodes · delay ${ms(graph.delay_ms)} and devices`);
  const drawing = decorate(graph, choose);
  keepingFocus(at("graph"), () => replace(at("graph"), drawing || empty("The drawing could not be read. Save the pipeline as a preset, and look at it with voicegraph draw.")));
  const still = graph.nodes.some((node) => node.name === chosen) ? chosen : (graph.nodes.find((node) => !node.driver) || graph.nodes[0] || {}).name;
  if (still) choose(still, false);
  if (app.status) showCosts(graph, app.status);
}

function choose(name, byHand = true) {
  chosen = name;
  marked(name);
  showNode(graph, graph.nodes.find((node) => node.name === name), choose);
  if (byHand && window.matchMedia("(max-width: 59.99rem)").matches) at("node-panel").scrollIntoView({ block: "start" });
}
