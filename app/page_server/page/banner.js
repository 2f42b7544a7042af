// The strip below the tabs: what is wrong now, and what to do. One line for each cause, so that one
// that is over takes only its own line away.

import { at, button, make, problemList, replace } from "./dom.js";
import { app, on, talking } from "./store.js";

const causes = new Map(); // cause -> { bad, nodes }
let dismissed = null; // the ended session whose problems were read

export const banner = {
  problems(cause, problems) {
    if (problems.length === 0) return this.clear(cause);
    const close = button("", () => this.clear(cause), { symbol: "close", label: "Close this message", look: "plain square small" });
    return put(cause, true, [problemList(problems), close]);
  },
  say(cause, sentence, bad = false, ...more) {
    put(cause, bad, [make("span", { textContent: sentence }), ...more]);
  },
  clear(cause) {
    if (causes.delete(cause)) show();
  },
};

function put(cause, bad, nodes) {
  causes.set(cause, { bad, nodes });
  show();
}

function show() {
  const place = at("banner");
  place.hidden = causes.size === 0;
  place.classList.toggle("bad", [...causes.values()].some((cause) => cause.bad));
  replace(place, [...causes.values()].map(({ nodes }) => make("div", { class: "banner-line" }, nodes)));
}

let startAgain = null;

export function startBanner(restart) {
  startAgain = restart;
  on("server session", watch);
  on("answer", (answer) => banner.problems("action", answer.problems));
}

// A line is written only if it changed: a screen reader reads it aloud each time.
let said = "";

function watch() {
  const now = JSON.stringify([app.reachable, app.session.state, app.session.ended, talking() && app.fresh, dismissed]);
  if (now === said) return;
  said = now;
  if (app.reachable) banner.clear("server");
  else banner.say("server", "The page server does not answer. A session that runs goes on without it. This page tries again every second; if it stays so, start it again with: voicegraph app");
  showEnd();
}

function showEnd() {
  const { state, problems, ended } = app.session;
  if (state !== "ended" || dismissed === ended) return banner.clear("ended");
  const what = problems.length ? problemList(problems) : make("span", { textContent: "The session ended without saying why." });
  const again = app.session.can_restart && button("Start again", () => startAgain(), { look: "small" });
  const close = button("Dismiss", () => { dismissed = ended; watch(); }, { look: "small" });
  return put("ended", true, [make("strong", { textContent: "The session has ended. " }), what, again, close].filter(Boolean));
}
