// What all parts of the page know, and how they hear that it changed. One place, so that every tab
// tells the same story.

const hub = new EventTarget();

export const app = {
  reachable: true, // whether the page server answers
  session: { state: "unknown", problems: [], can_restart: false },
  status: null, // the newest LiveStatus; null without a session
  fresh: false, // whether statuses arrive
  voices: [],
  tab: "talk",
};

export function emit(topic, detail = null) {
  hub.dispatchEvent(new CustomEvent(topic, { detail }));
}

// Topics: server, session, status, answer, spectrum, voices, tab, chosen, graph
export function on(topics, action) {
  for (const topic of topics.split(" ")) hub.addEventListener(topic, (event) => action(event.detail));
}

export const talking = () => app.session.state === "running";
export const active = () => talking() || app.session.state === "starting";

// What a person chose, kept in this browser: devices, voice, delay, values of the controls.
const KEY = "voicegraph-choices";
export const choices = load();

function load() {
  const none = { voice: null, input: null, output: null, quality: null, preset: null, push_to_talk: false, monitor: false, virtual_microphone: false, keep_delay: false, delay_ms: null, values: {} };
  try {
    return { ...none, ...JSON.parse(localStorage.getItem(KEY) || "{}") };
  } catch {
    return none; // unreadable, or storage is switched off
  }
}

export function choose(changes) {
  Object.assign(choices, changes);
  try {
    localStorage.setItem(KEY, JSON.stringify(choices));
  } catch {
    // without storage, choices last as long as the page
  }
  emit("chosen", changes);
}
