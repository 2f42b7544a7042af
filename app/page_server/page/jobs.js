// Conversions of files: progress with the time left, cancel, players, downloads.

import { abPlayer } from "./ab_player.js";
import { del, encoded, get } from "./api.js";
import { at, button, confirmed, keyed, make, problemList, replace, text } from "./dom.js";
import { day, duration, length, plural } from "./format.js";
import { listView } from "./list_view.js";
import { saveButton } from "./save_button.js";
import { app, on } from "./store.js";
import { voiceTitle } from "./transport.js";

const EVERY_MS = 700;
const IDLE_MS = 5000;
let timer = null;
let list = null;

export function startJobs() {
  list = listView(at("jobs"), "No conversions yet. Drop files above and press Convert.");
  on("tab", (tab) => tab === "files" && followJobs());
  on("server", () => app.reachable && app.tab === "files" && followJobs());
  if (app.tab === "files") followJobs();
}

// Asks for the jobs now, and again while the tab is seen.
export async function followJobs() {
  clearTimeout(timer);
  let jobs;
  try {
    jobs = await get("/api/jobs");
  } catch (error) {
    if (error.status !== 0) list.fail(error, followJobs);
    timer = app.tab === "files" && error.status !== 401 ? setTimeout(followJobs, IDLE_MS) : null;
    return;
  }
  show(jobs);
  const busy = jobs.some((job) => unfinished(job));
  timer = app.tab === "files" ? setTimeout(followJobs, busy ? EVERY_MS : IDLE_MS) : null;
}

const unfinished = (job) => job.state === "waiting" || job.state === "running";

function show(jobs) {
  const newest = [...jobs].sort((a, b) => b.created.localeCompare(a.created));
  list.show(newest, (job) => job.id, row, update);
}

function row(job) {
  return make("div", { class: "item tall", data: { job: job.id } },
    make("div", { class: "head" },
      make("div", { class: "item-text" }, make("span", { class: "item-title" }), make("span", { class: "hint job-about" })),
      make("div", { class: "actions" },
        saveButton("Download all", `/api/jobs/${encoded(job.id)}/results.zip`, `${job.id}.zip`, "Download all converted files as one ZIP archive", "small all"),
        button("Cancel", () => end(job.id), { look: "small end" }))),
    make("progress", { max: 1, value: 0, "aria-label": "Progress of the conversion" }),
    make("div", { class: "job-problems" }),
    make("ul", { class: "job-files" }));
}

const WORDS = { waiting: "waits for its turn", running: "is being converted", done: "done", failed: "could not be converted", cancelled: "cancelled" };

function update(item, job) {
  text(item.querySelector(".item-title"), `${plural(job.files.length, "file")} as ${voiceTitle(job.voice)}`);
  const left = job.state === "running" && job.left_s !== null ? `about ${duration(job.left_s)} left` : WORDS[job.state];
  text(item.querySelector(".job-about"), [left, job.pipeline, day(job.created)].join(" · "));
  const bar = item.querySelector("progress");
  bar.hidden = !unfinished(job);
  bar.value = job.progress;
  item.querySelector(".all").hidden = unfinished(job) || job.files.filter((file) => file.state === "done").length < 2;
  const ender = item.querySelector(".end");
  text(ender.lastChild, unfinished(job) ? "Cancel" : "Remove");
  ender.dataset.ask = unfinished(job) ? "" : "yes";
  const problems = JSON.stringify(job.problems);
  const place = item.querySelector(".job-problems");
  if (place.dataset.shown !== problems) {
    place.dataset.shown = problems;
    replace(place, problemList(job.problems));
  }
  keyed(item.querySelector(".job-files"), job.files, (file) => `${file.number} ${file.state}`, (file) => fileRow(job, file));
}

function fileRow(job, file) {
  const path = `/api/jobs/${encoded(job.id)}/files/${file.number}`;
  const done = file.state === "done";
  const look = { done: "good", failed: "bad", running: "", waiting: "", cancelled: "warn" }[file.state];
  return make("li", {},
    make("div", { class: "head" },
      make("div", { class: "item-text" }, make("span", { textContent: file.name }), file.seconds !== null && make("span", { class: "hint", textContent: length(file.seconds) })),
      make("div", { class: "actions" }, !done && make("span", { class: `tag ${look}`, textContent: WORDS[file.state] }),
        done && saveButton("Download", `${path}/output`, converted(job, file), `Download the converted ${file.name}`))),
    done && abPlayer(file.name, [{ label: "Original", path: `${path}/input` }, { label: "Converted", path: `${path}/output`, first: true }], file.seconds),
    problemList(file.problems));
}

// speech/a.mp3 -> a-heart.wav
function converted(job, file) {
  const base = file.name.split("/").pop().replace(/\.[^.]+$/, "");
  return `${base}-${job.voice}.${job.format || "wav"}`;
}

async function end(id) {
  const item = at("jobs").querySelector(`[data-job="${CSS.escape(id)}"]`);
  if (item.querySelector(".end").dataset.ask && !(await confirmed("Remove this conversion?", "Remove", "The converted files are deleted from this machine; your own files are not touched."))) return;
  try {
    await del(`/api/jobs/${encoded(id)}`);
  } catch (error) {
    replace(item.querySelector(".job-problems"), problemList(error.problems || []));
  }
  await followJobs();
}
