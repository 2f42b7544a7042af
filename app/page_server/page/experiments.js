// The Experiments tab: finished pages, newest first.

import { encoded, get, mediaAddress, token } from "./api.js";
import { banner } from "./banner.js";
import { at, make } from "./dom.js";
import { bytes, day } from "./format.js";
import { listView } from "./list_view.js";
import { saveButton } from "./save_button.js";
import { app, on } from "./store.js";

let list = null;

export function startExperiments() {
  list = listView(at("experiments"), "No finished experiment yet. They are run on the command line, with voicegraph experiment run, and listed here when their page is written.");
  on("tab", (tab) => tab === "experiments" && refresh());
  if (app.tab === "experiments") refresh();
}

async function refresh() {
  try {
    const pages = await get("/api/experiments");
    const newest = pages.sort((a, b) => (b.finished || "").localeCompare(a.finished || ""));
    list.show(newest, (page) => JSON.stringify(page), row);
  } catch (error) {
    list.fail(error, refresh);
  }
}

function row(page) {
  const path = `/experiments/${encoded(page.name)}/page`;
  const link = make("a", { href: path, target: "_blank", rel: "noopener", class: "button small", "aria-label": `Open the page of ${page.title} in a new tab`, textContent: "Open the page" });
  // A new tab cannot send the token: this browser gets a cookie for this page first.
  const open = (event) => {
    if (!token() || event.button > 1) return;
    event.preventDefault();
    openTab(path);
  };
  link.onclick = open;
  link.onauxclick = open;
  return make("div", { class: "item" },
    make("div", { class: "item-text" },
      make("span", { class: "item-title", textContent: page.title }),
      page.description && make("span", { class: "hint", textContent: page.description }),
      make("span", { class: "hint", textContent: `${page.name} · ${day(page.finished)} · ${bytes(page.bytes)}` })),
    make("div", { class: "actions" }, link, saveButton("Save", path, `${page.name}.html`, `Save the page of ${page.title}`)));
}

async function openTab(path) {
  try {
    window.open(await mediaAddress(path), "_blank", "noopener");
    banner.clear("experiment");
  } catch (error) {
    banner.problems("experiment", error.problems || []);
  }
}
