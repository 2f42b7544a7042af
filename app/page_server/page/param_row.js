// One param as a row: a slider with a number for a range, a list for choices, a box for a switch,
// otherwise a text. Used by "all params" and by the panel of a node.

import { button, make, text } from "./dom.js";
import { number } from "./format.js";

// `param`: { name, value, minimum, maximum, choices, unit, type?, default? }; `put(value)` is
// called with what was typed; `reset` shows a button if there is a default.
export function paramRow(param, label, help, put) {
  const id = `param-${label.replaceAll(/[^\w-]/g, "-")}-${(paramRow.count = (paramRow.count || 0) + 1)}`;
  const inputs = inputsFor(param, id, put);
  const reset = param.default !== undefined && param.default !== null && button("", () => put(param.default), { symbol: "reset", look: "plain square small reset", label: `Reset ${label}` });
  return make("div", { class: "param", data: { form: formOf(param) } },
    make("label", { for: id, class: "param-name" }, label, param.unit && make("span", { class: "hint", textContent: ` ${param.unit}` })),
    make("div", { class: "param-inputs" }, inputs, reset),
    help && make("p", { class: "hint", textContent: help }));
}

export const formOf = (param) => JSON.stringify([typeof param.value, param.minimum, param.maximum, param.choices, param.unit]);

function inputsFor(param, id, put) {
  if (param.choices) {
    return [make("select", { id, onchange: (event) => put(event.target.value) }, param.choices.map((each) => make("option", { value: each, textContent: each })))];
  }
  if (typeof param.value === "boolean") return [make("input", { type: "checkbox", id, class: "box", onchange: (event) => put(event.target.checked) })];
  if (isRange(param)) return sliderAndNumber(param, id, put);
  const type = typeof param.value === "number" ? "number" : "text";
  return [make("input", { type, id, step: "any", autocomplete: "off", onchange: (event) => put(parse(event.target)) })];
}

function isRange(param) {
  const { value, minimum, maximum } = param;
  return typeof value === "number" && typeof minimum === "number" && typeof maximum === "number";
}

function sliderAndNumber(param, id, put) {
  const slider = make("input", { type: "range", min: param.minimum, max: param.maximum, step: "any", "aria-label": `${param.name}, slider` });
  const box = make("input", { type: "number", id, min: param.minimum, max: param.maximum, step: "any" });
  slider.min = param.minimum;
  slider.max = param.maximum;
  slider.oninput = () => put(Number(Number(slider.value).toPrecision(3)));
  box.onchange = () => box.value !== "" && put(Number(box.value));
  return [slider, box];
}

function parse(input) {
  if (input.type === "number") return input.value === "" ? null : Number(input.value);
  try {
    return JSON.parse(input.value);
  } catch {
    return input.value; // text without quotes
  }
}

// Shows a value; what a person is typing stays.
export function showValue(row, value) {
  for (const input of row.querySelectorAll("input, select")) {
    if (document.activeElement === input && ["number", "text"].includes(input.type)) continue;
    if (input.type === "checkbox") input.checked = Boolean(value);
    else {
      const shown = value === null || value === undefined ? "" : typeof value === "string" ? value : typeof value === "number" ? (input.type === "range" ? String(value) : number(value)) : JSON.stringify(value);
      if (input.value !== shown) input.value = shown;
    }
  }
}

export function showProblem(row, sentence) {
  let place = row.querySelector(".problem");
  if (place === null) {
    place = make("p", { class: "problem", role: "alert" });
    row.append(place);
  }
  text(place, sentence || "");
  for (const input of row.querySelectorAll("input, select")) {
    if (sentence) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
  }
}
