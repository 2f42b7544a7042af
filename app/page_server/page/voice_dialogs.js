// Dialogs of voices: add one from files, look at its card, give it a picture, remove it.

import { del, encoded, mediaAddress, upload } from "./api.js";
import { button, confirmed, make, problemList, replace } from "./dom.js";

function open(title, ...content) {
  const dialog = make("dialog", { "aria-labelledby": "dialog-title" },
    make("div", { class: "head" }, make("h2", { id: "dialog-title", textContent: title }),
      button("", () => dialog.close(), { symbol: "close", label: "Close", look: "plain square small" })),
    ...content);
  dialog.onclose = () => dialog.remove();
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

// ---- adding -----------------------------------------------------------------------------------

export function addVoice(changed) {
  const result = make("div", { role: "status" });
  const send = (files) => files.length > 0 && sendVoice([...files], result, changed);
  const files = make("input", { type: "file", id: "voice-files", multiple: true, class: "unseen", accept: ".pth,.pt,.safetensors,.onnx,.index,.zip,.png,.jpg,.jpeg,.webp", onchange: (event) => send(event.target.files) });
  const folder = make("input", { type: "file", id: "voice-folder", class: "unseen", webkitdirectory: true, onchange: (event) => send(event.target.files) });
  open("Add a voice",
    make("p", { class: "quiet", textContent: "Choose a model (.pth, .safetensors or .onnx) together with its .index file, a zip of them, or a whole folder. Files are paired by their content and checked before they are kept." }),
    make("div", { class: "row" },
      files, make("label", { class: "button", for: "voice-files", textContent: "Choose files" }),
      folder, make("label", { class: "button", for: "voice-folder", textContent: "Choose a folder" })),
    result);
}

async function sendVoice(files, result, changed) {
  const form = new FormData();
  for (const file of files) form.append("files", file, file.webkitRelativePath || file.name);
  const bar = make("progress", { max: 1, value: 0, "aria-label": "Sending the files" });
  const words = make("p", { class: "hint", textContent: "Sending the files" });
  replace(result, bar, words);
  try {
    const voice = await upload("/api/voices", form, (share) => {
      bar.value = share;
      if (share === 1) {
        bar.removeAttribute("value");
        words.textContent = "Checking and converting; a large model takes some seconds";
      }
    }).done;
    const ready = voice.needs.length === 0;
    replace(result, make("p", { class: "good-text", textContent: ready ? `${voice.title} has been added, and is ready to speak.` : `${voice.title} has been added. Before it can speak, something is missing:` }), problemList(voice.needs));
    await changed();
  } catch (error) {
    replace(result, make("p", { textContent: "The voice was not added:" }), problemList(error.problems || []));
  }
}

// ---- one voice --------------------------------------------------------------------------------

export function showVoice(voice, changed) {
  const problem = make("div", { role: "alert" });
  const dialog = open(voice.title,
    voice.description && make("p", { textContent: voice.description }),
    problemList(voice.needs),
    facts(voice),
    voice.notes.length > 0 && make("ul", { class: "notes" }, voice.notes.map((note) => make("li", { textContent: note }))),
    pictureRow(voice, problem, changed),
    problem,
    !voice.bundled && make("div", { class: "dialog-actions" }, button("Remove this voice", () => remove(), { look: "danger", symbol: "trash" })));
  async function remove() {
    if (!(await confirmed(`Remove ${voice.title}?`, "Remove", "Its files are deleted from the library of this machine."))) return;
    try {
      await del(`/api/voices/${encoded(voice.name)}`);
      dialog.close();
      await changed();
    } catch (error) {
      replace(problem, problemList(error.problems || []));
    }
  }
}

function facts(voice) {
  const rows = [
    ["Name", voice.name],
    ["Licence", voice.licence || "none is stated: ask whoever made it before you publish what it says"],
    ["Made by", voice.kind === "rvc" ? "RVC" : "voicegraph voice make"],
    ["Sample rate", voice.rate_hz === null ? null : `${voice.rate_hz} Hz`],
    ["Merged from", voice.parents.join(" and ") || null],
    ["Speaks in", voice.pipelines.join(", ") || "no pipeline"],
    ["Settings", Object.entries(voice.settings).map(([path, value]) => `${path} = ${JSON.stringify(value)}`).join(", ") || null],
  ].filter(([, value]) => value !== null);
  return make("dl", { class: "facts-list" }, rows.flatMap(([name, value]) => [make("dt", { textContent: name }), make("dd", { textContent: value })]));
}

function pictureRow(voice, problem, changed) {
  if (voice.bundled) return null;
  const shown = make("span", {});
  if (voice.picture) mediaAddress(`/api/voices/${encoded(voice.name)}/picture`).then((address) => replace(shown, make("img", { class: "portrait large", alt: `Picture of ${voice.title}`, src: address })), () => {});
  const input = make("input", { type: "file", id: "voice-picture", class: "unseen", accept: "image/png,image/jpeg,image/webp", onchange: async (event) => {
    const [file] = event.target.files;
    if (!file) return;
    const form = new FormData();
    form.append("picture", file, file.name);
    try {
      await upload(`/api/voices/${encoded(voice.name)}/picture`, form, () => {}, "PUT").done;
      replace(shown, make("img", { class: "portrait large", alt: `Picture of ${voice.title}`, src: URL.createObjectURL(file) }));
      await changed();
    } catch (error) {
      replace(problem, problemList(error.problems || []));
    }
  } });
  return make("div", { class: "row" }, shown, input, make("label", { class: "button small", for: "voice-picture", textContent: voice.picture ? "Change the picture" : "Give it a picture" }));
}
