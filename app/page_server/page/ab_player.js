// Two or more sounds that are heard at one position: both run, one is audible, and a switch fades
// from one to the other within 15 ms.

import { mediaAddress } from "./api.js";
import { button, icon, make, replace, text } from "./dom.js";
import { length } from "./format.js";

const FADE_S = 0.015;
const NO_OUTPUT_MS = 4000;
const APART_S = 0.03; // sounds that are further apart are brought together at a switch

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
    this.build(marks);
  }

  build(marks) {
    const group = `player-${(count += 1)}`;
    this.play = make("button", { type: "button", class: "square play", onclick: () => this.toggle() }, icon("play"));
    this.slider = make("input", { type: "range", min: 0, step: 0.01, value: 0, "aria-label": `Position in ${this.title}` });
    this.slider.max = this.seconds || 1;
    this.slider.oninput = () => this.seek(Number(this.slider.value));
    this.time = make("output", { class: "number player-time", "aria-live": "off" });
    this.problem = make("p", { class: "problem", role: "alert" });
    const tracks = this.sounds.map((sound, i) => make("label", { class: "option" },
      make("input", { type: "radio", name: group, checked: i === this.heard, onchange: () => this.choose(i) }),
      make("span", { class: "option-title", textContent: sound.label })));
    this.element = make("div", { class: "player", role: "group", "aria-label": `Player of ${this.title}` },
      make("div", { class: "player-row" }, this.play, this.slider, this.time),
      make("div", { class: "player-row" }, make("fieldset", { class: "options inline" }, make("legend", { class: "unseen", textContent: `What is heard of ${this.title}` }), tracks),
        marks.map((mark) => button(`${length(mark.seconds)} ${mark.text}`.trim(), () => this.seek(mark.seconds), { look: "small mark" }))),
      this.problem);
    this.show();
  }

  async toggle() {
    if (playing === this) return this.pause();
    try {
      await this.load();
      if (playing) playing.pause();
      playing = this;
      await Promise.race([context.resume(), noOutput()]);
      this.together();
      await Promise.all(this.sounds.map(({ audio }) => audio.play()));
      this.tick();
    } catch (error) {
      this.pause();
      text(this.problem, `This sound cannot be played: ${error.message}`);
    }
    return this.show();
  }

  async load() {
    if (this.sounds[0].audio !== null) return;
    context = context || new AudioContext();
    const addresses = await Promise.all(this.sounds.map(({ path }) => mediaAddress(path)));
    this.sounds.forEach((sound, i) => {
      sound.audio = make("audio", { src: addresses[i], preload: "auto" });
      sound.gain = context.createGain();
      sound.gain.gain.value = i === this.heard ? 1 : 0;
      context.createMediaElementSource(sound.audio).connect(sound.gain).connect(context.destination);
    });
    const { audio } = this.sounds[this.heard];
    await Promise.all(this.sounds.map(ready));
    for (const each of this.sounds) each.audio.currentTime = Number(this.slider.value);
    this.seconds = Math.max(...this.sounds.map((each) => each.audio.duration));
    this.slider.max = this.seconds;
    audio.onended = () => this.ended();
    this.sounds.filter((each) => each.audio !== audio).forEach((each) => { each.audio.onended = () => this.ended(); });
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
    if (playing !== this || !this.element.isConnected) return playing === this && this.pause();
    const audio = this.sounds[this.heard].audio;
    this.slider.value = String(audio.ended ? Math.max(...this.sounds.map((each) => each.audio.currentTime)) : audio.currentTime);
    this.show();
    return setTimeout(() => this.tick(), 50);
  }

  show() {
    const now = playing === this;
    const label = `${now ? "Pause" : "Play"} ${this.title}`;
    if (this.play.getAttribute("aria-label") !== label) {
      this.play.setAttribute("aria-label", label);
      replace(this.play, icon(now ? "pause" : "play"));
    }
    const words = `${length(Number(this.slider.value))} / ${length(this.seconds)}`;
    text(this.time, words);
    this.slider.setAttribute("aria-valuetext", words);
  }
}

// Without a loudspeaker some browsers wait for one for ever.
function noOutput() {
  return new Promise((_, reject) => {
    setTimeout(() => context.state !== "running" && reject(new Error("this browser finds no loudspeaker")), NO_OUTPUT_MS);
  });
}

function ready({ audio }) {
  if (audio.readyState >= HTMLMediaElement.HAVE_METADATA) return Promise.resolve();
  return new Promise((resolve, reject) => {
    audio.addEventListener("loadedmetadata", resolve, { once: true });
    audio.addEventListener("error", () => reject(new Error(audio.error && audio.error.message ? audio.error.message : "the file cannot be read")), { once: true });
  });
}
