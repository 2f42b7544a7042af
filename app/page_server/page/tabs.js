// Tabs by the ARIA pattern: arrow keys, Home and End move, one tab is in the order of Tab. The
// address keeps the tab, so that reloading and going back stay where they were.

import { at } from "./dom.js";
import { app, emit } from "./store.js";

const tabs = [...document.querySelectorAll("[role=tab]")];
const nameOf = (tab) => tab.id.replace("tab-", "");

export function startTabs() {
  for (const tab of tabs) {
    tab.onclick = () => go(nameOf(tab));
    tab.onkeydown = (event) => move(event, tab);
  }
  window.addEventListener("hashchange", fromAddress);
  fromAddress();
}

function move(event, tab) {
  const here = tabs.indexOf(tab);
  const last = tabs.length - 1;
  const next = { ArrowRight: here === last ? 0 : here + 1, ArrowLeft: here === 0 ? last : here - 1, Home: 0, End: last }[event.key];
  if (next === undefined) return;
  event.preventDefault();
  tabs[next].focus();
  go(nameOf(tabs[next]));
}

function fromAddress() {
  const named = location.hash.slice(1);
  show(tabs.some((tab) => nameOf(tab) === named) ? named : "talk");
}

export function go(name) {
  if (location.hash.slice(1) !== name) history.pushState(null, "", `#${name}`);
  show(name);
}

function show(name) {
  for (const tab of tabs) {
    const chosen = nameOf(tab) === name;
    tab.setAttribute("aria-selected", String(chosen));
    tab.tabIndex = chosen ? 0 : -1;
    at(`panel-${nameOf(tab)}`).hidden = !chosen;
    if (chosen) tab.scrollIntoView({ block: "nearest", inline: "nearest" });
  }
  app.tab = name;
  emit("tab", name);
}
