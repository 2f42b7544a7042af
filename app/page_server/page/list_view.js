// A list that is asked for again and again. What is there stays: players go on, and the focus is
// where it was, also when an answer fails.

import { button, empty, keyed, make, problemList, replace } from "./dom.js";

// `nothing`: what stands there if there are no items.
export function listView(place, nothing) {
  const problem = make("div", { role: "alert" });
  const list = make("div", { class: "list" });
  const none = empty(nothing);
  let said = null;
  replace(place, problem);
  const put = (element, shown) => {
    if (!shown) element.remove();
    else if (element.parentElement !== place) place.append(element);
  };
  return {
    show(items, key, create, update) {
      if (said !== null) replace(problem);
      said = null;
      keyed(list, items, key, create, update);
      put(list, items.length > 0);
      put(none, items.length === 0);
    },
    fail(error, again) {
      const now = JSON.stringify(error.problems);
      if (now === said) return; // a screen reader reads it aloud each time
      said = now;
      replace(problem, problemList(error.problems || []), button("Try again", again, { look: "small" }));
    },
  };
}
