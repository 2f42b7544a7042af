
// Players of the report: the sounds of a clip, with spectrogram and F0 below.

function shape(tag, attributes) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

class Player {
  constructor(root, entries, named) {
    this.root = root;
    this.entries = entries;
    this.sound = new SoundSwitch((error) => this.changed(error));
    this.build(named);
    this.show(0);
    root.addEventListener("keydown", (event) => this.key(event));
  }

  build(named) {
    const id = this.root.dataset.players;
    this.title = element("p", { class: "title" });
    this.play = element("button", { type: "button" }, "Play");
    this.play.addEventListener("click", () => this.toggle());
    this.slider = element("input", { type: "range", min: 0, step: 0.01, value: 0, "aria-label": "Position in seconds" });
    this.slider.addEventListener("input", () => { this.sound.seek(Number(this.slider.value)); this.tick(); });
    this.time = element("output", { "aria-live": "off" });
    const loop = element("input", { type: "checkbox", id: `${id}-loop`, checked: "" });
    loop.addEventListener("change", () => this.sound.repeat(loop.checked));
    const controls = element("div", { class: "controls" }, this.play, this.slider, this.time,
      element("label", { for: `${id}-loop` }, loop, " repeat"));
    if (named) {
      const choice = element("select", { id: `${id}-clip` });
      this.entries.forEach((entry, at) => choice.append(element("option", { value: at }, entry.title)));
      choice.addEventListener("change", () => this.show(Number(choice.value)));
      this.root.append(element("p", { class: "title" }, element("label", { for: `${id}-clip` }, "Clip "), choice));
    } else {
      this.root.append(this.title);
    }
    this.tracks = element("fieldset");
    this.pictures = element("div", { class: "pictures" });
    this.problem = element("p", { class: "error", role: "alert" });
    this.root.append(controls, this.tracks, this.pictures, this.problem);
  }

  show(at) {
    this.entry = this.entries[at];
    this.sound.set(this.entry.tracks.map((track) => track.sound));
    this.title.textContent = this.entry.title;
    this.tracks.replaceChildren(element("legend", {}, "Sound"));
    this.entry.tracks.forEach((track, index) => {
      const radio = element("input", { type: "radio", name: `${this.root.dataset.players}-track`, value: index });
      radio.checked = index === 0;
      radio.addEventListener("change", () => this.choose(index));
      this.tracks.append(element("label", {}, radio, ` ${track.label}`));
    });
    this.slider.max = this.sound.length;
    this.choose(0);
    this.tick();
  }

  choose(index) {
    this.track = this.entry.tracks[index];
    if (this.sound.playing) this.sound.play(this.track.sound);
    this.draw();
  }

  toggle() {
    if (this.sound.playing) this.sound.pause();
    else this.sound.play(this.track.sound);
  }

  changed(error) {
    this.play.textContent = this.sound.playing ? "Pause" : "Play";
    if (error) {
      this.problem.textContent = "This browser cannot decode these sounds. Make the page with " +
        "report: {format: mp3} in the experiment file.";
    }
    this.tick();
  }

  tick() {
    cancelAnimationFrame(this.frame);
    const { position, length } = this.sound;
    this.slider.value = position;
    this.slider.setAttribute("aria-valuetext", `${position.toFixed(1)} of ${length.toFixed(1)} seconds`);
    this.time.textContent = `${position.toFixed(2)} / ${length.toFixed(2)} s`;
    if (this.head) this.head.style.left = `${(100 * position) / length}%`;
    if (this.sound.playing) this.frame = requestAnimationFrame(() => this.tick());
  }

  key(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === " " && event.target.type === "radio") {
      event.preventDefault();
      this.toggle();
    } else if (/^[1-9]$/.test(event.key) && event.target.tagName !== "SELECT") {
      const radio = this.tracks.querySelectorAll("input")[Number(event.key) - 1];
      if (radio && !radio.checked) {
        radio.checked = true;
        radio.focus();
        this.choose(Number(radio.value));
      }
    }
  }

  draw() {
    const { track } = this;
    const sound = media.sounds[track.sound];
    const source = this.entry.tracks.find((each) => each.kind === "source");
    const compared = source && source !== track;
    const picture = element("img", {
      src: sound.picture,
      alt: `Spectrogram of ${track.label}, 0 to 8 kHz in mel, ${sound.seconds.toFixed(1)} seconds`,
    });
    picture.style.width = `${(100 * sound.seconds) / this.sound.length}%`;
    this.head = element("div", { class: "head" });
    this.pictures.replaceChildren(picture, this.contours(track, sound, compared && media.sounds[source.sound]), this.head,
      element("p", { class: "quiet" }, "Above: spectrogram, 0 to 8 kHz (mel). Below: F0, 50 to 500 Hz (log)" +
        `${compared ? "; grey: the source" : ""}.`));
    this.tick();
  }

  contours(track, sound, source) {
    const frames = 100 * this.sound.length;
    const svg = shape("svg", { viewBox: "0 0 1000 120", preserveAspectRatio: "none", role: "img",
      "aria-label": `F0 of ${track.label}${source ? ", and of the source in grey" : ""}; ${median(sound.f0)}` });
    const dots = (values, style) => values.forEach((hz, frame) => hz > 0 && svg.append(
      shape("rect", { x: (1000 * frame) / frames, y: height(hz) - 1.5, width: 1000 / frames + 0.4, height: 3, class: style })));
    if (source) dots(source.f0, "f0-source");
    dots(sound.f0, "f0");
    return svg;
  }
}

// A logarithmic axis from 50 to 500 Hz, on 120 units.
function height(hz) {
  return 116 - (112 * Math.log(Math.min(Math.max(hz, 50), 500) / 50)) / Math.log(10);
}

function median(values) {
  const voiced = values.filter((hz) => hz > 0).sort((a, b) => a - b);
  return voiced.length ? `median ${voiced[voiced.length >> 1]} Hz` : "unvoiced throughout";
}

const players = {};
for (const root of document.querySelectorAll("[data-players]")) {
  const entries = media.players[root.dataset.players];
  if (entries.length) players[root.dataset.players] = new Player(root, entries, root.dataset.players === "clips");
}
for (const button of document.querySelectorAll("[data-listen]")) {
  button.addEventListener("click", () => {
    const player = players.worst;
    player.show(Number(button.dataset.listen));
    player.root.scrollIntoView({ block: "nearest" });
    player.play.focus();
    player.toggle();
  });
}
