// The SVG of the plan in the page: its nodes become buttons that show cost, device and problems.

import { at, svg, text } from "./dom.js";
import { ms } from "./format.js";

export const elementOf = (name) => at(`node-${name}`);

// The drawing as an element, or null if it cannot be read. Its style sheet stays out: the page's own
// policy forbids inline styles, and graph.css has the same rules.
export function decorate(graph, choose) {
  const source = graph.svg.replaceAll(/<style>[^<]*<\/style>/g, "");
  const parsed = new DOMParser().parseFromString(source, "image/svg+xml");
  if (parsed.querySelector("parsererror") !== null || parsed.documentElement.localName !== "svg") return null;
  const drawing = document.importNode(parsed.documentElement, true);
  for (const each of drawing.querySelectorAll("style, script, foreignObject, title")) each.remove();
  const [, , width, height] = drawing.getAttribute("viewBox").split(" ");
  drawing.removeAttribute("width");
  drawing.removeAttribute("height");
  drawing.style.aspectRatio = `${width} / ${height}`;
  drawing.style.width = `${Math.round(Number(width))}px`;
  drawing.setAttribute("role", "group"); // an image has no buttons in it
  drawing.setAttribute("class", "plan");
  for (const node of graph.nodes) {
    const group = drawing.querySelector(`#${CSS.escape(`node-${node.name}`)}`);
    if (group !== null) asButton(group, node, choose);
  }
  return drawing;
}

function asButton(group, node, choose) {
  group.setAttribute("role", "button");
  group.setAttribute("tabindex", "0");
  // What is written in the box, as a person who speaks to the machine would say it.
  group.setAttribute("aria-label", [...group.querySelectorAll("text")].map((each) => each.textContent).join(" "));
  group.classList.add("plan-node");
  group.classList.toggle("off", node.bypassed);
  group.addEventListener("click", () => choose(node.name));
  group.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    choose(node.name);
  });
  const rect = group.querySelector("rect");
  if (rect === null) return;
  const [x, y, width] = ["x", "y", "width"].map((name) => Number(rect.getAttribute(name)));
  group.after(svg("g", { class: "badge unknown", "aria-hidden": "true", "data-node": node.name },
    svg("rect", { x: x + width - 64, y: y - 9, width: 60, height: 18, rx: 9 }),
    svg("text", { x: x + width - 34, y: y + 3.5, "text-anchor": "middle" })));
}

export function marked(name) {
  for (const each of document.querySelectorAll(".plan-node")) {
    const now = each.id === `node-${name}`;
    each.classList.toggle("chosen", now);
    each.setAttribute("aria-pressed", String(now));
  }
}

// The live cost on each node; one that takes more than a fourth of a block stands out.
export function showCosts(graph, status) {
  const loads = new Map(status.nodes.map((node) => [node.name, node]));
  for (const node of graph.nodes) {
    const group = elementOf(node.name);
    const load = loads.get(node.name);
    const badge = document.querySelector(`.badge[data-node="${CSS.escape(node.name)}"]`);
    if (!group || !badge) continue;
    const words = badge.querySelector("text");
    text(words, !load ? "" : load.bypassed ? "off" : ms(load.median_ms));
    badge.classList.toggle("unknown", !load);
    const share = load && !load.bypassed ? load.median_ms / status.block_ms : 0;
    badge.classList.toggle("heavy", share > 0.25);
    group.classList.toggle("off", Boolean(load && load.bypassed));
  }
}

// Which nodes have problems in a change that was checked.
export function showFaulty(names) {
  for (const each of document.querySelectorAll(".plan-node")) each.classList.toggle("faulty", names.has(each.id.replace(/^node-/, "")));
}
