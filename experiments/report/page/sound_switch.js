"use strict";
// Plays one of several sounds; choosing another one goes on at the same position. Everything is in
// the page: sounds are base64 in its data, and nothing is loaded.

const media = JSON.parse(document.getElementById("media").textContent);
const FADE = 0.008; // seconds: no click, and far below what is heard as a gap
const LEAD = 0.004; // seconds from the command to the first sample, so that it is not late

let context = null;
let sounding = null; // one switch at a time
const decoded = new Map();

function audioContext() {
  context ??= new AudioContext();
  return context;
}

async function buffer(name) {
  if (!decoded.has(name)) {
    const bytes = Uint8Array.from(atob(media.sounds[name].audio), (char) => char.charCodeAt(0));
    decoded.set(name, audioContext().decodeAudioData(bytes.buffer));
  }
  return decoded.get(name);
}

class SoundSwitch {
  // `changed` is called when playing starts, stops or fails (then with the error).
  constructor(changed) {
    this.changed = changed;
    this.loop = true;
    this.voice = null; // what sounds: name, source, gain, when it started, at which position
    this.offset = 0;
    this.token = 0;
    this.names = [];
    this.length = 0;
  }

  // The sounds between which can be switched; they share one time axis.
  set(names) {
    this.pause();
    this.names = names;
    this.offset = 0;
    this.length = Math.max(0, ...names.map((name) => media.sounds[name].seconds));
  }

  get playing() {
    return this.voice?.name ?? null;
  }

  get position() {
    return this.voice ? this.positionAt(context.currentTime) : this.offset;
  }

  // Plays a sound from the position of now; what sounds meanwhile goes on until it is decoded.
  async play(name) {
    const token = ++this.token;
    if (!this.voice && !this.loop && this.offset > this.length - 0.05) this.offset = 0;
    let sound;
    try {
      if (audioContext().state !== "running") await context.resume();
      for (const other of this.names) buffer(other).catch(() => {}); // whoever plays it, tells
      sound = await buffer(name);
    } catch (error) {
      this.changed(error);
      return;
    }
    if (token !== this.token) return; // another choice was made meanwhile
    if (sounding && sounding !== this) sounding.pause();
    sounding = this;
    const when = context.currentTime + LEAD;
    const at = this.positionAt(when);
    const source = new AudioBufferSourceNode(context, { buffer: this.padded(sound), loop: this.loop });
    const gain = new GainNode(context, { gain: 0 });
    gain.gain.setValueAtTime(0, when);
    gain.gain.linearRampToValueAtTime(1, when + FADE);
    source.connect(gain).connect(context.destination);
    source.onended = () => this.voice?.source === source && this.ended();
    source.start(when, at);
    this.fade(when);
    this.voice = { name, source, gain, when, at };
    this.changed(null);
  }

  pause() {
    this.token++;
    if (!this.voice) return;
    this.offset = this.position;
    this.fade(context.currentTime);
    this.changed(null);
  }

  seek(position) {
    const name = this.playing;
    if (name) this.fade(context.currentTime);
    this.offset = Math.min(position, this.length);
    if (name) this.play(name);
  }

  repeat(loop) {
    const { position } = this;
    this.loop = loop;
    this.seek(position);
  }

  // All sounds are equally long here, so that they repeat together.
  padded(sound) {
    const length = Math.round(this.length * sound.sampleRate);
    if (sound.length >= length) return sound;
    const { sampleRate, numberOfChannels } = sound;
    const longer = new AudioBuffer({ length, sampleRate, numberOfChannels });
    for (let channel = 0; channel < numberOfChannels; channel++) {
      longer.copyToChannel(sound.getChannelData(channel), channel);
    }
    return longer;
  }

  fade(when) {
    if (!this.voice) return;
    const { source, gain } = this.voice;
    source.onended = null;
    gain.gain.setValueAtTime(1, when);
    gain.gain.linearRampToValueAtTime(0, when + FADE);
    source.stop(when + FADE);
    this.voice = null;
  }

  positionAt(time) {
    if (!this.voice) return this.offset;
    const passed = this.voice.at + Math.max(0, time - this.voice.when);
    return this.loop ? passed % this.length : Math.min(passed, this.length);
  }

  ended() {
    this.voice = null;
    this.offset = 0;
    this.changed(null);
  }
}

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}
