// The page: a source's frames through the network onto the canvas, and what the buttons do.

import { FlowWorker } from "./flow_worker.js";
import { Latest } from "./latest.js";
import { prepareOffline } from "./offline.js";
import { CameraSource, ClipSource, SceneSource } from "./sources.js";
import { describe, passes } from "./self_check.js";
import { shippedModels } from "./shipped_model.js";
import { FrameRate, LatencyStatistics } from "./statistics.js";
import { drawFlow, drawWheel } from "./view.js";

const UNITS = { webgpu: "WebGPU", wasm: "WebAssembly" };
const asked = new URLSearchParams(location.search);
const element = (id) => document.getElementById(id);
const stage = element("stage").getContext("2d");

const statistics = new LatencyStatistics();
const frameRate = new FrameRate();
const frames = new Latest(showFrame);
let network = null; // a FlowWorker, once it is loaded
let loading = 0; // how often one was asked for
let source = null;
let first = true; // whether the next frame follows none
let facing = "environment";

// The network -----------------------------------------------------------------------------------

async function loadNetwork() {
  say("network", "");
  network?.close();
  network = null;
  loading++;
  const turn = loading;
  const check = element("self-check");
  check.className = "";
  check.textContent = "loading the network …";
  const lines = [];
  try {
    await listNetworks();
    for (const unit of await unitsToTry()) {
      const worker = new FlowWorker();
      let good = false;
      try {
        const threads = Number(asked.get("threads"));
        const loaded = await worker.load(element("network-choice").value, unit, threads);
        const result = await worker.check();
        if (turn !== loading) return worker.close(); // another was chosen meanwhile
        good = passes(result);
        lines.push(`${UNITS[unit]}: ${good ? "ok" : "WRONG FLOW"}, ${describe(result)}`);
        const last = unit === "wasm" || asked.get("unit") === unit;
        if (good || last) {
          show(loaded, unit, lines, good);
          network = worker;
          first = true;
          return;
        }
      } catch (error) {
        // Where there is another way, that it fails is only told.
        if (unit === "wasm" || asked.get("unit") === unit) throw error;
        lines.push(`${UNITS[unit]}: ${error.message}`);
      } finally {
        if (network !== worker) worker.close();
      }
    }
  } catch (error) {
    if (turn === loading) failed(error);
  }
}

/** Fills the list to choose from, once. */
async function listNetworks() {
  const list = element("network-choice");
  if (list.options.length) return;
  for (const name of await shippedModels()) list.add(new Option(name, name));
}

/** ?unit=wasm and ?unit=webgpu in the address ask for one alone. */
async function unitsToTry() {
  if (UNITS[asked.get("unit")]) return [asked.get("unit")];
  const worker = new FlowWorker();
  try {
    return await worker.units();
  } finally {
    worker.close();
  }
}

function show({ name, width, height, threads, givesConfidence }, unit, lines, good) {
  const runs = unit === "wasm" ? `${threads} thread${threads > 1 ? "s" : ""}` : UNITS[unit];
  element("network").textContent = `${name}, ${width} × ${height}, ${runs}`;
  element("checks").textContent = lines.join("\n");
  element("sure").disabled = !givesConfidence;
  element("no-confidence").hidden = givesConfidence;
  const check = element("self-check");
  check.className = good ? "good" : "bad";
  check.textContent = `self-check ${lines.at(-1)}`;
  const problem =
    `This browser computes another flow than the network was shipped with (${lines.at(-1)}). ` +
    "Don't trust what you see.";
  say("network", good ? "" : problem);
}

function failed(error) {
  network?.close();
  network = null;
  element("self-check").className = "bad";
  element("self-check").textContent = "no network";
  element("network").textContent = "";
  say("network", error.message);
}

// Frames ----------------------------------------------------------------------------------------

async function showFrame(from) {
  if (from !== source) return; // it was offered before another source was chosen
  const start = performance.now();
  const frame = await from.grab().catch(() => null);
  if (!frame) return; // the source has ended meanwhile
  if (from !== source) return frame.close(); // another was chosen meanwhile
  if (!network) {
    drawFlow(stage, { picture: frame }, 0);
    frame.close();
    return;
  }
  const grabbed = performance.now();
  const show = element("show").value;
  const options = {
    first,
    maxFlow: Number(element("max-flow").value),
    sure: element("sure").checked,
    colors: show !== "arrows",
    arrows: show !== "colors",
  };
  first = false;
  const used = network;
  let result;
  try {
    result = await used.next(frame, options);
  } catch (error) {
    if (used === network) failed(error); // else another was chosen meanwhile
    return;
  }
  if (result.picture && from === source) {
    const computed = performance.now();
    drawFlow(stage, result, Number(element("blend").value) / 100);
    const end = performance.now();
    const times = { grab: grabbed - start, ...result.times, draw: end - computed, total: end - start };
    for (const [name, time] of Object.entries(times)) statistics.record(name, time);
    frameRate.tick(end);
  }
  result.picture?.close();
  result.colors?.close();
}

function use(next) {
  source?.stop();
  source = next;
  first = true;
  statistics.clear();
  frameRate.clear();
  frames.dropped = 0;
  showNumbers();
  element("source").textContent = source.label;
  element("other-camera").hidden = !(source instanceof CameraSource);
  source.start((anew) => {
    if (anew) first = true;
    frames.offer(next);
  });
}

let choice = 0; // how many sources were chosen so far

async function open(opening) {
  const own = ++choice;
  say("source", "");
  try {
    const opened = await opening();
    if (own !== choice) return opened.stop(); // another was chosen meanwhile
    use(opened);
  } catch (error) {
    if (own === choice) say("source", error.message); // what was on the screen goes on
  }
}

const openCamera = () =>
  open(() =>
    CameraSource.open(facing, (message) => {
      use(new SceneSource());
      say("source", message);
    }),
  );

// What is written -------------------------------------------------------------------------------

/** A problem with the "network" or the "source", or that there is none any more: "". */
function say(subject, text) {
  element(`${subject}-problem`).textContent = text;
  element(`${subject}-message`).hidden = !text;
}

function showNumbers() {
  const time = (stage, percent) => {
    const milliseconds = statistics.percentile(stage, percent);
    return Number.isNaN(milliseconds) ? "–" : milliseconds.toFixed(1);
  };
  element("fps").textContent = frameRate.perSecond(performance.now()).toFixed(1);
  element("p50").textContent = time("total", 50);
  element("p90").textContent = time("total", 90);
  element("stages").replaceChildren(
    ...statistics.stages.map((stage) => {
      const row = document.createElement("tr");
      for (const text of [stage, time(stage, 50), time(stage, 90)]) row.insertCell().textContent = text;
      return row;
    }),
  );
  element("dropped").textContent = frames.dropped;
}

async function showMemory() {
  const memory = await network?.memory().catch(() => null);
  if (!memory) return;
  element("memory").textContent = `${(memory.heapBytes / 2 ** 20).toFixed(0)} MiB`;
  element("tensors").textContent = memory.tensors;
}

function showSettings() {
  const maxFlow = `${element("max-flow").value} px`;
  const arrowsAlone = element("show").value === "arrows";
  element("max-flow-value").textContent = maxFlow;
  element("blend-value").textContent = `${element("blend").value} %`;
  element("wheel").hidden = arrowsAlone;
  element("wheel-edge").textContent = `${arrowsAlone ? "longest arrow" : "edge"} ${maxFlow}`;
}

// The start -------------------------------------------------------------------------------------

element("scene").onclick = () => open(() => new SceneSource());
element("camera").onclick = openCamera;
element("other-camera").onclick = () => {
  facing = facing === "user" ? "environment" : "user";
  use(new SceneSource()); // phones open one camera at a time
  openCamera();
};
element("clip").onclick = () => element("file").click();
element("file").onchange = ({ target }) => {
  if (target.files.length) {
    const file = target.files[0];
    open(() => ClipSource.open(file));
  }
  target.value = ""; // the same file may be chosen again
};
element("save").onclick = () => {
  const href = stage.canvas.toDataURL(); // a PNG
  Object.assign(document.createElement("a"), { href, download: "flow.png" }).click();
};
element("retry").onclick = loadNetwork;
element("network-choice").onchange = loadNetwork;
document.onvisibilitychange = () => {
  if (document.hidden) return;
  first = true; // the last frame is from before the pause
  source?.resume(); // browsers stop what plays in the background
};
element("controls").oninput = showSettings;
showSettings();
drawWheel(element("wheel").getContext("2d"));
setInterval(showNumbers, 500);
setInterval(showMemory, 1000);

const notOffline = await prepareOffline();
element("offline").textContent = notOffline ? `no: ${notOffline}` : "yes";
loadNetwork();
if (!source) use(new SceneSource()); // somebody may have been faster
