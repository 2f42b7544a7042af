
// A listening test without a server. Answers are kept in the browser until they are saved, as the
// CSV that webMUSHRA's service writes.

const test = media.test;
const $ = (id) => document.getElementById(id);
const sound = new SoundSwitch(changed);
let state = null; // of one listener; several may use one browser
let opened = 0; // when the page was shown, for the time of the answer
let row = null; // which row plays: the reference and the hidden reference are one sound

function shuffled(items) {
  const random = crypto.getRandomValues(new Uint32Array(items.length));
  return items.map((item, at) => [random[at], item]).sort((a, b) => a[0] - b[0]).map(([, item]) => item);
}

function keep() {
  try {
    localStorage.setItem(`voicegraph ${test.id} ${state.listener}`, JSON.stringify(state));
  } catch {
    $("problem").textContent = "This browser keeps nothing: do not close the page before you have saved.";
  }
}

function kept(listener) {
  try {
    const found = JSON.parse(localStorage.getItem(`voicegraph ${test.id} ${listener}`));
    if (found?.order?.length === test.trials.length) return found;
  } catch { /* nothing was kept */ }
  return null;
}

// Each listener has the pages, and the sounds of a page, in an order of their own.
function begin(listener) {
  state = kept(listener) ?? {
    listener,
    at: 0,
    answers: {},
    order: shuffled(test.trials).map(({ page, stimuli }) => ({ page, sounds: shuffled(stimuli.map(({ id }) => id)) })),
  };
  $("start").hidden = true;
  keep();
  show();
}

const place = () => state.order[state.at];
const trialOf = (page) => test.trials.find((each) => each.page === page);
const trial = () => trialOf(place().page);
const answer = () => (state.answers[place().page] ??= { scores: {}, heard: [], time: 0, comment: "" });

function show() {
  sound.pause();
  if (state.at >= state.order.length) return finish();
  $("trial").hidden = false;
  $("end").hidden = true;
  opened = Date.now();
  sound.set([...new Set([...trial().stimuli.map((each) => each.sound), trial().reference].filter(Boolean))]);
  $("position").max = sound.length;
  $("progress").textContent = `Page ${state.at + 1} of ${state.order.length}`;
  $("bar").value = state.at;
  $("comment").value = answer().comment;
  $("comment").parentElement.hidden = !test.columns.some((name) => name.endsWith("_comment"));
  $("back").disabled = state.at === 0;
  $("sounds").replaceChildren();
  if (trial().reference) addRow("Reference", trial().reference, "given");
  const letters = test.kind === "mos" ? ["Sound"] : "ABCDEFGHIJKL";
  place().sounds.forEach((id, at) => {
    const made = addRow(letters[at], trial().stimuli.find((each) => each.id === id).sound, id);
    if (test.kind === "mushra") slider(made, letters[at], id);
  });
  if (test.kind === "mos") choices("Your rating", test.scale.map((text, at) => [at + 1, text]));
  if (test.kind === "ab" || test.kind === "abx") {
    choices("Your choice", [...place().sounds.map((id, at) => [id, letters[at]]), ["undecided", test.unforced]]);
  }
  complete();
  tick();
  $("progress").focus();
}

function addRow(label, name, id) {
  const button = element("button", { type: "button", "aria-pressed": "false", "data-row": id }, `Play ${label}`);
  button.addEventListener("click", () => {
    if (sound.playing && row === id) return sound.pause();
    row = id;
    if (!answer().heard.includes(id)) answer().heard.push(id);
    sound.play(name);
    complete();
  });
  const made = element("div", { class: "sound" }, button);
  $("sounds").append(made);
  return made;
}

function slider(made, letter, id) {
  const given = answer().scores[id];
  const range = element("input", { type: "range", min: 0, max: 100, step: 1, value: given ?? 50, "aria-label": `Rating of ${letter}, 0 to 100` });
  const shown = element("output", {}, given ?? "–");
  range.classList.toggle("untouched", given === undefined);
  const rate = () => {
    answer().scores[id] = Number(range.value);
    shown.textContent = range.value;
    range.classList.remove("untouched");
    complete();
  };
  for (const event of ["input", "pointerup", "keyup"]) {
    // A rating of 50 is one, too: touching the slider is enough. Passing by with Tab is not.
    range.addEventListener(event, (happened) => happened.key === "Tab" || happened.key === "Shift" || rate());
  }
  const scale = element("div", { class: "scale", "aria-hidden": "true" }, ...test.scale.map((text) => element("span", {}, text)));
  made.append(element("div", { class: "rating" }, range, shown, scale));
}

function choices(title, options) {
  const made = element("fieldset", {}, element("legend", {}, title));
  for (const [value, text] of options) {
    const radio = element("input", { type: "radio", name: "choice", value });
    radio.checked = answer().scores.choice === value;
    radio.addEventListener("change", () => {
      answer().scores.choice = value;
      complete();
    });
    made.append(element("label", {}, radio, ` ${text}`));
  }
  $("sounds").append(made);
}

// A page counts when every sound of it was played and every question answered.
function complete() {
  const ids = place().sounds;
  const unheard = ids.filter((id) => !answer().heard.includes(id)).length;
  const unrated = test.kind === "mushra" ? ids.filter((id) => !(id in answer().scores)).length : Number(!("choice" in answer().scores));
  $("next").disabled = unheard + unrated > 0;
  $("missing").textContent = unheard ? `Still to be played: ${unheard}.` : unrated ? "Still to be rated." : "";
  keep();
}

function turn(by) {
  answer().time += Date.now() - opened;
  state.at += by;
  keep();
  show();
}

function finish() {
  $("trial").hidden = true;
  $("end").hidden = false;
  $("thanks").focus();
}

function changed(error) {
  if (error) $("problem").textContent = "This browser cannot play these sounds. Please try another one.";
  for (const button of document.querySelectorAll("[data-row]")) {
    button.setAttribute("aria-pressed", String(Boolean(sound.playing) && button.dataset.row === row));
  }
  tick();
}

let frame = 0;
function tick() {
  cancelAnimationFrame(frame);
  const { position, length } = sound;
  $("position").value = position;
  $("position").setAttribute("aria-valuetext", `${position.toFixed(1)} of ${length.toFixed(1)} seconds`);
  $("time").textContent = `${position.toFixed(1)} / ${length.toFixed(1)} s`;
  if (sound.playing) frame = requestAnimationFrame(tick);
}

// RFC 4180; a text that a spreadsheet would take for a formula gets a leading apostrophe.
function field(value) {
  let text = String(value);
  if (/^[=+\-@\t\r]/.test(text) && Number.isNaN(Number(text))) text = `'${text}`;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function lines() {
  const found = [["session_test_id", "listener", "trial_id", ...test.columns]];
  for (const { page, sounds } of state.order) {
    const given = state.answers[page];
    if (!given) continue;
    const start = [test.id, state.listener, trialOf(page).id];
    const end = [given.time, given.comment];
    const { choice } = given.scores;
    if (test.kind === "mushra") {
      for (const each of sounds) if (each in given.scores) found.push([...start, each, given.scores[each], ...end]);
    } else if (choice === undefined) {
      continue;
    } else if (test.kind === "mos") {
      found.push([...start, choice, sounds[0], given.time]);
    } else {
      const other = sounds.find((each) => each !== "reference");
      const said = choice === "undecided" ? choice : choice === "reference" ? "correct" : "incorrect";
      found.push([...start, "reference", other, said, ...end]);
    }
  }
  return found.map((line) => line.map(field).join(",")).join("\r\n") + "\r\n";
}

function save() {
  const url = URL.createObjectURL(new Blob([lines()], { type: "text/csv" }));
  const name = `${test.id}-${state.listener.replace(/[^\w-]+/g, "_").slice(0, 40)}.csv`;
  element("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
  $("saved").textContent = `Saved as ${name}.`;
}

$("start").addEventListener("submit", (event) => {
  event.preventDefault();
  const listener = $("listener").value.trim();
  if (listener) begin(listener);
});
$("next").addEventListener("click", () => turn(1));
$("back").addEventListener("click", () => turn(-1));
$("stop").addEventListener("click", () => sound.pause());
$("position").addEventListener("input", () => { sound.seek(Number($("position").value)); tick(); });
$("comment").addEventListener("change", () => { answer().comment = $("comment").value; keep(); });
$("save").addEventListener("click", save);
