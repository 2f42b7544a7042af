// The load of the last minute, a bar for each second; seconds with late blocks are marked.

import { colour, fitted } from "./canvas.js";
import { at, empty, make, replace, text } from "./dom.js";
import { plural } from "./format.js";
import { load, SECONDS } from "./history.js";

const TOP = 1.25; // of the axis: a block that takes longer than it lasts is late

export function drawLoad(status) {
  const place = at("load");
  if (status === null) {
    if (!place.querySelector(".empty")) replace(place, empty("The load is shown while a session runs."));
    return;
  }
  let canvas = place.querySelector("canvas");
  if (canvas === null) {
    canvas = make("canvas", { class: "load-chart", role: "img" });
    replace(place, make("p", { class: "big-number" }, make("span", { class: "total number" }), make("span", { class: "hint", textContent: " of a block is used at the 99th percentile" })), canvas, make("p", { class: "hint", id: "load-words" }));
  }
  const now = Math.max(0, 1 - status.headroom);
  const late = load.reduce((total, each) => total + each.late, 0);
  text(place.querySelector(".total"), `${(100 * now).toFixed(0)} %`);
  text(at("load-words"), late > 0 ? `${plural(late, "late block")} in the seconds shown, drawn in red.` : `No late block in the ${plural(load.length, "second")} shown.`);
  canvas.setAttribute("aria-label", `Load of the last minute: ${(100 * now).toFixed(0)} % now, at most ${(100 * Math.max(...load.map((each) => each.load), 0)).toFixed(0)} %; ${plural(late, "late block")}`);
  draw(canvas);
}

function draw(canvas) {
  const { context, ratio } = fitted(canvas);
  const { width, height } = canvas;
  if (width === 0) return;
  const left = 40 * ratio;
  const level = (share) => height - (Math.min(share, TOP) / TOP) * (height - 4 * ratio);
  context.clearRect(0, 0, width, height);
  context.font = `${11 * ratio}px system-ui, sans-serif`;
  context.textAlign = "right";
  context.textBaseline = "middle";
  for (const share of [0, 0.5, 1]) {
    context.fillStyle = colour("quiet");
    context.fillText(`${share * 100} %`, left - 6 * ratio, Math.min(level(share), height - 7 * ratio));
    context.fillStyle = share === 1 ? colour("bad") : colour("line");
    context.fillRect(left, Math.round(level(share)) - (share === 0 ? ratio : 0), width - left, ratio);
  }
  const step = (width - left) / SECONDS;
  const newest = load.length ? load.at(-1).second : 0;
  for (const each of load) {
    const x = width - (newest - each.second + 1) * step;
    context.fillStyle = colour(each.late > 0 ? "bad" : "accent");
    context.fillRect(x, level(each.load), Math.max(ratio, step - 2 * ratio), height - level(each.load));
    if (each.late > 0) context.fillRect(x, 0, Math.max(ratio, step - 2 * ratio), 5 * ratio);
  }
}
