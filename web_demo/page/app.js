// The page: a source's frames through the network onto the canvas, and what the buttons do.

import { FlowWorker } from "./flow_worker.js";
import { Latest } from "./latest.js";
import { prepareOffline } from "./offline.js";
import { CameraSource, ClipSource, SceneSource } from "./sources.js";
import { FrameRate, LatencyStatistics } from "./statistics.js";
import { drawFlow, drawWheel } from "./view.js";

const TOLERANCE = 1e-3; // px that the self-check may be off
const element = (id) => document.getElementById(id);
const stage = element("stage").getContext("2d");

const statistics = new LatencyStatistics();
const frameRate = new FrameRate();
const frames = new Latest(showFrame);
let network = null; // a FlowWorker, once it is loaded
let source = null;
let first = true; // whether the next frame follows none
let facing = "environment";

// The network -----------------------------------------------------------------------------------

async function loadNetwork() {
  say("network", "");
  network?.close();
  network = null;
  const check = element("self-check");
  check.className = "";
  check.textContent = "loading the network …";
  const worker = new FlowWorker();
  try {
    const wanted = Number(new URLSearchParams(location.search).get("threads"));
    const { name, width, height, threads } = await worker.load(wanted);
    element("network").textContent =
      `${name}, ${width} × ${height}, ${threads} thread${threads > 1 ? "s" : ""}`;
    const error = await worker.check();
    const good = error.largest <= TOLERANCE;
    check.className = good ? "good" : "bad";
    const verdict = good ? "ok" : "WRONG FLOW";
    check.textContent = `self-check ${verdict}: ${error.largest.toFixed(4)} px off at most`;
    if (!good) {
      say(
        "network",
        `This browser computes another flow than the network was shipped with: ${error.mean.toFixed(4)} ` +
          `px off on average, ${error.largest.toFixed(4)} at most. Don't trust what you see.`,
      );
    }
    network = worker;
    first = true;
  } catch (error) {
    worker.close();
    failed(error);
  }
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
    colors: show !== "arrows",
    arrows: show !== "colors",
  };
  first = false;
  let result;
  try {
    result = await network.next(frame, options);
  } catch (error) {
    return failed(error);
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

async function open(opening) {
  say("source", "");
  try {
    use(await opening());
  } catch (error) {
    say("source", error.message); // what was on the screen goes on
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
element("retry").onclick = loadNetwork;
element("controls").oninput = showSettings;
showSettings();
drawWheel(element("wheel").getContext("2d"));
setInterval(showNumbers, 500);
setInterval(showMemory, 1000);

const notOffline = await prepareOffline();
element("offline").textContent = notOffline ? `no: ${notOffline}` : "yes";
loadNetwork();
if (!source) use(new SceneSource()); // somebody may have been faster
