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
// called for all; focus and what a person has typed survive.
export function keyed(parent, items, key, create, update = () => {}) {
  const known = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  let before = parent.firstElementChild;
  for (const item of items) {
    const name = String(key(item));
    let child = known.get(name);
    if (child === undefined) {
      child = create(item);
      child.dataset.key = name;
    }
    known.delete(name);
    if (child === before) before = before.nextElementSibling;
    else parent.insertBefore(child, before);
    update(child, item);
  }
  for (const child of known.values()) child.remove();
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
