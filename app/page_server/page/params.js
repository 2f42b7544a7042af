// All live params of the running session, behind "More".

import { at, empty, keyed, make, replace } from "./dom.js";
import { formOf, paramRow, showValue } from "./param_row.js";
import { app, on } from "./store.js";
import { change, valueOf } from "./values.js";

export function startParams() {
  on("status session", show);
  at("all-params").ontoggle = show;
  show();
}

function show() {
  if (!at("all-params").open) return;
  const place = at("params");
  if (app.status === null) {
    if (!place.querySelector(".empty")) replace(place, empty("All params of the pipeline are shown here while a session runs."));
    return;
  }
  if (app.status.params.length === 0) {
    if (!place.querySelector(".empty")) replace(place, empty("This pipeline has no param that can change while it runs."));
    return;
  }
  let rows = place.querySelector(".params");
  if (rows === null) {
    rows = make("div", { class: "params" });
    replace(place, rows);
  }
  keyed(rows, app.status.params, (param) => `${param.name} ${formOf(param)}`,
    (param) => paramRow(param, param.name, param.description, (value) => change(param.name, value, param.value)),
    (row, param) => showValue(row, valueOf(param.name, param.value)));
}
