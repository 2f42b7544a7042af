// Making and updating elements. Text is always set as text, never parsed as HTML.

const SVG = "http://www.w3.org/2000/svg";

export const at = (id) => document.getElementById(id);

// make("button", { class: "plain", onclick: f, "aria-label": "Undo", disabled: true }, "text", node)
export function make(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) set(made, name, value);
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

function set(element, name, value) {
  if (value === null || value === undefined) return;
  if (name === "class") element.className = value;
  else if (name === "data") Object.assign(element.dataset, value);
  else if (name.includes("-") || name === "role" || name === "for") element.setAttribute(name, value);
  else element[name] = value;
}

export function svg(tag, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

export function icon(name) {
  return svg("svg", { class: "icon", "aria-hidden": "true" }, svg("use", { href: `#i-${name}` }));
}

// A button with an icon; without text, the label is its name and its tooltip.
export function button(text, action, { look = "", symbol = null, label = null, ...rest } = {}) {
  const named = label === null ? {} : { "aria-label": label, title: label };
  return make("button", { type: "button", class: look, onclick: action, ...named, ...rest },
    symbol && icon(symbol), text && make("span", { textContent: text }));
}

export function text(element, value) {
  if (element.textContent !== value) element.textContent = value;
}

export function replace(parent, ...children) {
  parent.replaceChildren(...children.flat().filter((child) => child));
}

// Shows one child for each item, keeps those that are there, in the order of the items. `update` is
// called for all. Focus, players, scroll position and what a person has typed survive: what stays is
// not taken out of the page, and the focus of a child that goes passes to the one in its place.
export function keyed(parent, items, key, create, update = () => {}) {
  keepingFocus(parent, () => {
    const names = items.map((item) => String(key(item)));
    const known = kept(parent, new Set(names));
    let before = parent.firstElementChild;
    items.forEach((item, i) => {
      let child = known.get(names[i]);
      if (child === undefined) {
        child = create(item);
        child.dataset.key = names[i];
      }
      if (child === before) before = before.nextElementSibling;
      else parent.insertBefore(child, before);
      update(child, item);
    });
  });
}

// Children by key, without those that go. These go first: else those behind them would have to move.
function kept(parent, wanted) {
  const known = new Map();
  for (const child of [...parent.children]) {
    if (wanted.has(child.dataset.key)) {
      known.set(child.dataset.key, child);
      continue;
    }
    const focused = child.contains(document.activeElement);
    const next = child.nextElementSibling || child.previousElementSibling;
    child.remove();
    if (focused) focusIn(next || parent);
  }
  return known;
}

const FOCUSABLE = "button:enabled, a[href], input:enabled, select:enabled, textarea:enabled, summary, [tabindex='0']";

// Focuses the first thing in an element that can be, else what is around it.
export function focusIn(element) {
  const first = element.matches(FOCUSABLE) ? element : element.querySelector(FOCUSABLE) || element.parentElement.closest(FOCUSABLE);
  if (first) first.focus({ preventScroll: true });
}

// Does something that makes a place anew. Where it was scrolled to, and where the focus was, it is
// again: in the element of the same id, else in the same one of the same part.
export function keepingFocus(place, action) {
  const { scrollLeft, scrollTop } = place;
  const before = place.contains(document.activeElement) ? document.activeElement : null;
  const again = before === null ? null : finder(place, before);
  action();
  if (place.scrollLeft !== scrollLeft || place.scrollTop !== scrollTop) Object.assign(place, { scrollLeft, scrollTop });
  if (before === null || before === document.activeElement) return;
  const found = before.isConnected ? before : again();
  if (found) found.focus({ preventScroll: true });
  else if (!place.contains(document.activeElement)) focusIn(place);
}

function finder(place, element) {
  const part = element.closest("[data-path], [data-key]");
  const inside = part && place.contains(part) ? part : place;
  const number = [...inside.querySelectorAll(element.localName)].indexOf(element);
  const { path, key } = inside.dataset;
  const alike = (each) => each.dataset.path === path && each.dataset.key === key;
  return () => {
    const same = element.id && document.getElementById(element.id);
    if (same) return same;
    const within = inside === place ? place : [...place.querySelectorAll("[data-path], [data-key]")].find(alike);
    return within ? within.querySelectorAll(element.localName)[number] : null;
  };
}

export function pressed(element, on) {
  element.setAttribute("aria-pressed", String(on));
}

// Problems as sentences with what to do; nothing if there are none.
export function problemList(problems) {
  if (problems.length === 0) return null;
  return make("ul", { class: "problems" }, problems.map((problem) => make("li", {},
    [problem.message, ...(problem.notes || [])].join("\n"),
    problem.fix && make("span", { class: "fix", textContent: `What to do: ${problem.fix}` }))));
}

// What stands in a place that has nothing to show yet.
export function empty(sentence, ...more) {
  return make("div", { class: "empty" }, make("p", { textContent: sentence }), ...more);
}

// Asks before something is lost; resolves to whether the person agreed. Escape means no.
export function confirmed(question, yes, detail = "") {
  return new Promise((done) => {
    const dialog = make("dialog", { "aria-labelledby": "question" },
      make("h2", { id: "question", textContent: question }),
      detail && make("p", { class: "quiet", textContent: detail }),
      make("div", { class: "dialog-actions" },
        button("Cancel", () => dialog.close("no")),
        button(yes, () => dialog.close("yes"), { look: "primary" })));
    dialog.onclose = () => {
      dialog.remove();
      done(dialog.returnValue === "yes");
    };
    document.body.append(dialog);
    dialog.showModal();
  });
}
