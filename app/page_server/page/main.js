// Starts all parts of the page.

import { startBanner } from "./banner.js";
import { connect } from "./connection.js";
import { startConstantDelay } from "./constant_delay.js";
import { startControls } from "./controls.js";
import { startDevices } from "./devices.js";
import { startExperiments } from "./experiments.js";
import { startFiles } from "./files.js";
import { startGraph } from "./graph.js";
import { startHealth } from "./health.js";
import { startHistory } from "./history.js";
import { startJobs } from "./jobs.js";
import { startMeasureLatency } from "./measure_latency.js";
import { startParams } from "./params.js";
import { startPresets } from "./presets.js";
import { startQualities } from "./qualities.js";
import { startRecord } from "./record.js";
import { startTabs } from "./tabs.js";
import { startTokenForm } from "./token_form.js";
import { start, startTransport } from "./transport.js";
import { startVoices } from "./voices.js";

for (const begin of [
  startTokenForm, startTabs, () => startBanner(start), startHistory, startTransport, startParams, startMeasureLatency, startHealth, startGraph,
  startDevices, startVoices, startConstantDelay, startQualities, startControls, startPresets, startRecord, startFiles, startJobs, startExperiments, connect,
]) begin();
