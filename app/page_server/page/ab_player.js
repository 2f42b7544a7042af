// Two or more sounds that are heard at one position: both run, one is audible, and a switch fades
// from one to the other within 15 ms.

import { mediaAddress } from "./api.js";
import { button, icon, make, replace, text } from "./dom.js";
import { length } from "./format.js";

const FADE_S = 0.015;
const NO_OUTPUT_MS = 4000;
const LOADS_MS = 20_000; // without a sound for so long after a press, the file does not come
const APART_S = 0.03; // sounds that are further apart are brought together at a switch

const GIVEN_UP = new Error("given up");

let context = null;
let playing = null; // the only player that is heard
let count = 0;

// `sounds`: [{ label, path }]; `seconds`: their length, as far as it is known; `marks`: [{ seconds, text }]
export function abPlayer(title, sounds, seconds, marks = []) {
  return new Player(title, sounds, seconds, marks).element;
}

class Player {
  constructor(title, sounds, seconds, marks) {
    this.title = title;
    this.sounds = sounds.map((sound) => ({ ...sound, audio: null, gain: null }));
    this.heard = Math.max(0, sounds.findIndex((sound) => sound.first));
    this.seconds = seconds || 0;
    this.attempt = null; // ends the waiting for sounds that are being loaded
    this.build(marks);
  }

  build(marks) {
    const group = `player-${(count += 1)}`;
    this.play = make("button", { type: "button", class: "square play", onclick: () => this.toggle() }, icon("play"));
    this.slider = make("input", { type: "range", min: 0, step: 0.01, value: 0, "aria-label": `Position in ${this.title}` });
    this.slider.max = this.seconds || 1;
    this.slider.oninput = () => this.seek(Number(this.slider.value));
    this.time = make("output", { class: "number player-time", "aria-live": "off" });
    this.state = make("p", { class: "hint player-state", role: "status" });
    this.problem = make("p", { class: "problem", role: "alert" });
    const tracks = this.sounds.map((sound, i) => make("label", { class: "option" },
      make("input", { type: "radio", name: group, checked: i === this.heard, onchange: () => this.choose(i) }),
      make("span", { class: "option-title", textContent: sound.label })));
    this.element = make("div", { class: "player", role: "group", "aria-label": `Player of ${this.title}` },
      make("div", { class: "player-row" }, this.play, this.slider, this.time),
      make("div", { class: "player-row" }, make("fieldset", { class: "options inline" }, make("legend", { class: "unseen", textContent: `What is heard of ${this.title}` }), tracks),
        marks.map((mark) => button(`${length(mark.seconds)} ${mark.text}`.trim(), () => this.seek(mark.seconds), { look: "small mark" }))),
      this.state, this.problem);
    this.show();
  }

  // A press plays, pauses, or gives up a sound that is being loaded.
  async toggle() {
    if (playing === this) return this.pause();
    if (this.attempt !== null) return this.attempt.abort(GIVEN_UP);
    const attempt = new AbortController();
    this.attempt = attempt;
    text(this.problem, "");
    this.show();
    try {
      await this.begin(attempt);
    } catch (error) {
      this.unload();
      if (error !== GIVEN_UP) this.fail(error);
    }
    this.attempt = null;
    return this.show();
  }

  async begin(attempt) {
    context = context || new AudioContext();
    await withLimit(this.load(attempt.signal), attempt, LOADS_MS, "the file did not come within 20 s");
    await withLimit(context.resume(), attempt, NO_OUTPUT_MS, "this browser finds no loudspeaker");
    if (playing) playing.pause();
    this.together();
    const begun = Promise.all(this.sounds.map(({ audio }) => audio.play()));
    await withLimit(begun, attempt, LOADS_MS, "the sound did not begin within 20 s");
    playing = this;
    this.tick();
  }

  async load(signal) {
    if (this.sounds[0].audio !== null) return;
    const addresses = await Promise.all(this.sounds.map(({ path }) => mediaAddress(path)));
    signal.throwIfAborted();
    this.sounds.forEach((sound, i) => {
      sound.audio = make("audio", { src: addresses[i], preload: "auto" });
      sound.gain = context.createGain();
      sound.gain.gain.value = i === this.heard ? 1 : 0;
      context.createMediaElementSource(sound.audio).connect(sound.gain).connect(context.destination);
      sound.audio.onended = () => this.ended();
    });
    await Promise.all(this.sounds.map(ready));
    for (const { audio } of this.sounds) {
      audio.currentTime = Number(this.slider.value);
      audio.onerror = () => this.broken(audio);
    }
    this.seconds = Math.max(...this.sounds.map(({ audio }) => audio.duration));
    this.slider.max = this.seconds;
  }

  // Forgets what was loaded: the next press asks for it again.
  unload() {
    for (const sound of this.sounds) {
      if (sound.audio === null) continue;
      sound.audio.onended = sound.audio.onerror = null;
      sound.audio.pause();
      sound.audio.removeAttribute("src");
      sound.audio.load(); // ends a transfer that goes on
      sound.gain.disconnect();
      sound.audio = sound.gain = null;
    }
    if (playing === this) playing = null;
  }

  // A file that is lost while it is heard.
  broken(audio) {
    const error = mediaError(audio);
    this.unload();
    this.fail(error);
    this.show();
  }

  fail(error) {
    text(this.problem, `This sound cannot be played: ${error.message.replace(/\.$/, "")}.\nWhat to do: press Play again; if it stays so, reload this page.`);
  }

  ended() {
    if (!this.sounds.every(({ audio }) => audio.ended)) return;
    this.pause();
    this.seek(0);
  }

  pause() {
    for (const { audio } of this.sounds) if (audio) audio.pause();
    if (playing === this) playing = null;
    this.show();
  }

  choose(index) {
    this.together();
    this.heard = index;
    this.sounds.forEach(({ gain }, i) => gain && gain.gain.setTargetAtTime(i === index ? 1 : 0, context.currentTime, FADE_S / 3));
  }

  // Brings all sounds to the position of the one that is heard.
  together() {
    const { audio } = this.sounds[this.heard];
    if (audio === null) return;
    for (const each of this.sounds) {
      if (Math.abs(each.audio.currentTime - audio.currentTime) > APART_S) each.audio.currentTime = audio.currentTime;
    }
  }

  seek(seconds) {
    for (const { audio } of this.sounds) if (audio) audio.currentTime = Math.min(seconds, audio.duration || seconds);
    this.slider.value = String(seconds);
    this.show();
  }

  tick() {
    if (!this.element.isConnected) return this.unload();
    if (playing !== this) return undefined;
    if (this.sounds.every((each) => each.audio.ended)) return this.ended();
    const audio = this.sounds[this.heard].audio;
    this.slider.value = String(audio.ended ? Math.max(...this.sounds.map((each) => each.audio.currentTime)) : audio.currentTime);
    this.show();
    return setTimeout(() => this.tick(), 50);
  }

  show() {
    const now = playing === this;
    const loading = this.attempt !== null && !now;
    const label = `${now ? "Pause" : loading ? "Stop loading" : "Play"} ${this.title}`;
    if (this.play.getAttribute("aria-label") !== label) {
      this.play.setAttribute("aria-label", label);
      replace(this.play, icon(now ? "pause" : loading ? "close" : "play"));
    }
    text(this.state, loading ? "Loading…" : "");
    const words = `${length(Number(this.slider.value))} / ${length(this.seconds)}`;
    text(this.time, words);
    this.slider.setAttribute("aria-valuetext", words);
  }
}

// The promise, unless it takes too long or is given up. Without a loudspeaker some browsers wait for
// one for ever, and for a file whose server says nothing, too.
function withLimit(promise, attempt, ms, sentence) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => attempt.abort(new Error(sentence)), ms);
    attempt.signal.addEventListener("abort", () => reject(attempt.signal.reason));
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

function ready({ audio }) {
  if (audio.readyState >= HTMLMediaElement.HAVE_METADATA) return Promise.resolve();
  return new Promise((resolve, reject) => {
    audio.addEventListener("loadedmetadata", resolve, { once: true });
    audio.addEventListener("error", () => reject(mediaError(audio)), { once: true });
  });
}

function mediaError({ error }) {
  return new Error((error && error.message) || "the file cannot be read");
}
