// Presets: the settings of a session as a pipeline file that extends a shipped one.

import { del, encoded, get, post, put, upload } from "./api.js";
import { at, button, confirmed, empty, keyed, make, problemList, replace, text } from "./dom.js";
import { setSession } from "./connection.js";
import { day } from "./format.js";
import { saveButton } from "./save_button.js";
import { app, choices, choose, emit, on, talking } from "./store.js";

let presets = [];

export async function startPresets() {
  const name = make("input", { type: "text", id: "preset-name", maxLength: 60, placeholder: "Name", autocomplete: "off", "aria-label": "Name of the new preset" });
  const save = make("form", { class: "row", id: "preset-save" }, name, make("button", { textContent: "Save" }));
  save.onsubmit = (event) => {
    event.preventDefault();
    if (name.value.trim()) store(name.value.trim(), name);
  };
  const file = make("input", { type: "file", id: "preset-file", class: "unseen", accept: ".yaml,.yml", onchange: loadFile });
  replace(at("presets"),
    make("div", { id: "preset-list", class: "list" }),
    save,
    make("p", { id: "preset-hint", class: "hint" }),
    make("div", { class: "row" }, file, make("label", { class: "button small", for: "preset-file", textContent: "Load from a file" })),
    make("div", { id: "preset-problem", role: "alert" }));
  on("session chosen", show);
  await refresh();
}

async function refresh() {
  await attempt(async () => {
    presets = await get("/api/presets");
  });
  show();
}

async function attempt(action) {
  replace(at("preset-problem"));
  try {
    await action();
    return true;
  } catch (error) {
    replace(at("preset-problem"), problemList(error.problems || []));
    return false;
  }
}

function show() {
  const list = at("preset-list");
  if (presets.length === 0) {
    if (!list.querySelector(".empty")) replace(list, empty("No presets yet. Start, set the controls, then save them under a name."));
  } else {
    list.querySelector(".empty")?.remove();
    keyed(list, presets, (preset) => JSON.stringify([preset.name, preset.changed, preset.problems]), row, update);
  }
  const form = at("preset-save");
  for (const input of form.elements) input.disabled = !talking();
  text(at("preset-hint"), talking() ? "Saves voice and values as they are now." : "To save one, start first: a preset holds what you hear.");
}

function row(preset) {
  const name = preset.name;
  return make("div", { class: "item" },
    make("div", { class: "item-text" },
      make("span", { class: "item-title", textContent: name }),
      make("span", { class: "hint", textContent: [preset.voice, preset.extends && `extends ${preset.extends}`, day(preset.changed)].filter(Boolean).join(" · ") }),
      preset.description && make("span", { class: "hint", textContent: preset.description }),
      problemList(preset.problems)),
    make("div", { class: "actions" },
      button("Load", () => load(preset), { look: "small load", disabled: preset.problems.length > 0 }),
      saveButton("", `/api/presets/${encoded(name)}/file`, `${name}.yaml`, `Download ${name} as a file`, "plain square small"),
      button("", () => remove(name), { symbol: "trash", look: "plain square small", label: `Delete ${name}` })));
}

function update(item, preset) {
  const now = talking() ? app.session.preset === preset.name : choices.preset === preset.name;
  item.classList.toggle("chosen", now);
  const load = item.querySelector(".load span");
  text(load, now && !talking() ? "Unload" : now ? "Load again" : "Load");
}

async function load(preset) {
  if (!talking()) {
    const now = choices.preset === preset.name;
    choose({ preset: now ? null : preset.name, voice: now ? choices.voice : preset.voice || choices.voice });
    return;
  }
  await attempt(async () => {
    const session = await post(`/api/presets/${encoded(preset.name)}/load`, {});
    if (session && session.kind === "session") setSession(session);
    choose({ preset: preset.name, voice: preset.voice || choices.voice });
    emit("graph");
  });
}

async function store(name, input) {
  const there = presets.some((preset) => preset.name === name);
  if (there && !(await confirmed(`Replace the preset ${name}?`, "Replace"))) return;
  const saved = await attempt(() => put(`/api/presets/${encoded(name)}`, { description: "", replace: there }));
  if (!saved) return;
  input.value = "";
  await refresh();
}

async function remove(name) {
  if (!(await confirmed(`Delete the preset ${name}?`, "Delete", "Its file is deleted from this machine."))) return;
  if (!(await attempt(() => del(`/api/presets/${encoded(name)}`)))) return;
  if (choices.preset === name) choose({ preset: null });
  await refresh();
}

async function loadFile(event) {
  const [file] = event.target.files;
  if (!file) return;
  const form = new FormData();
  form.append("file", file, file.name);
  event.target.value = "";
  if (await attempt(() => upload("/api/presets", form).done)) await refresh();
}
