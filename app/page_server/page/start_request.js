// What POST /api/session is told, from what was chosen; and why it cannot be sent, if so.

import { app, choices } from "./store.js";

export const known = { devices: null, controls: [] };

export function chosenVoice() {
  const ready = app.voices.filter((voice) => voice.needs.length === 0);
  return ready.find((voice) => voice.name === choices.voice) || ready[0] || null;
}

export function startRequest() {
  const voice = chosenVoice();
  const preset = choices.preset;
  return {
    voice: preset && !choices.voice ? null : voice && voice.name,
    input: present(choices.input, known.devices?.inputs),
    output: present(choices.output, known.devices?.outputs),
    quality: choices.quality || "balanced",
    preset,
    overrides: preset ? {} : overrides(voice),
    push_to_talk: choices.push_to_talk,
    monitor: choices.monitor,
    delay_ms: choices.keep_delay ? choices.delay_ms : null,
    virtual_microphone: wantsMicrophone(),
  };
}

// A machine that cannot make a virtual microphone is not asked for one, whatever was chosen once.
export const wantsMicrophone = () => choices.virtual_microphone && known.devices?.no_virtual_microphone?.length === 0;

// A device that was chosen once and is not there now: the system's default, as the list shows.
function present(id, devices) {
  return devices && devices.some((device) => device.id === id) ? id : null;
}

function overrides(voice) {
  const values = (voice && choices.values[voice.name]) || {};
  const found = {};
  for (const control of known.controls) {
    const value = control.param === null ? undefined : values[control.param];
    if (value !== undefined && value !== control.default) {
      const [node, ...param] = control.param.split(".");
      found[`nodes.${node}.params.${param.join(".")}`] = value;
    }
    const enabled = control.node === null ? undefined : values[`${control.node}:on`];
    if (enabled !== undefined) found[`nodes.${control.node}.enabled`] = enabled;
  }
  return found;
}

export function whyNot() {
  if (known.devices === null) return "Looking for microphones and loudspeakers";
  if (known.devices.inputs.length === 0) return "No microphone was found";
  if (known.devices.outputs.length === 0 && !wantsMicrophone()) return "No loudspeaker was found";
  if (app.voices.length > 0 && chosenVoice() === null) return "No voice is ready to speak";
  return null;
}
