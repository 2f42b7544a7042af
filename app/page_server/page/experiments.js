// The Experiments tab: finished pages, newest first.

import { download, encoded, get, token } from "./api.js";
import { at, button, empty, keyed, make, problemList, replace } from "./dom.js";
import { bytes, day } from "./format.js";
import { app, on } from "./store.js";

export function startExperiments() {
  on("tab", (tab) => tab === "experiments" && refresh());
  if (app.tab === "experiments") refresh();
}

async function refresh() {
  const place = at("experiments");
  let pages;
  try {
    pages = await get("/api/experiments");
  } catch (error) {
    replace(place, problemList(error.problems || []), button("Try again", refresh, { look: "small" }));
    return;
  }
  if (pages.length === 0) {
    replace(place, empty("No finished experiment yet. They are run on the command line, with voicegraph experiment run, and listed here when their page is written."));
    return;
  }
  let list = place.querySelector(".list");
  if (list === null) {
    list = make("div", { class: "list" });
    replace(place, list);
  }
  const newest = [...pages].sort((a, b) => (b.finished || "").localeCompare(a.finished || ""));
  keyed(list, newest, (page) => JSON.stringify(page), row);
}

function row(page) {
  const path = `/experiments/${encoded(page.name)}/page`;
  const link = make("a", { href: path, target: "_blank", rel: "noopener", class: "button small", "aria-label": `Open the page of ${page.title} in a new tab`, textContent: "Open the page" });
  // A new tab cannot send a token; the page is one file, so it can be saved and opened.
  const save = button("Save the page", () => download(path, `${page.name}.html`), { symbol: "save", look: "small", label: `Save the page of ${page.title}` });
  return make("div", { class: "item" },
    make("div", { class: "item-text" },
      make("span", { class: "item-title", textContent: page.title }),
      page.description && make("span", { class: "hint", textContent: page.description }),
      make("span", { class: "hint", textContent: `${page.name} · ${day(page.finished)} · ${bytes(page.bytes)}` })),
    make("div", { class: "actions" }, token() ? save : link));
}
