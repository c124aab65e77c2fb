// The page in Chromium under less usual conditions, and for longer.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import test, { after } from "node:test";

import {
  OK, colourful, launch, launchWithCamera, open, screenshot, serve, settings, shownAnew, showsFrameOf, siteWith, text,
} from "./browser.mjs";

const file = { after };
const [browser, server] = await Promise.all([launchWithCamera(file), serve(file)]);

test("a plain host, in a folder of it: threads, and all of it again without the host", async (t) => {
  const host = await serve(t, path.dirname(settings.site), "--plain");
  const page = await open(t, browser, `${host.url}/${path.basename(settings.site)}/`);
  await text(page, "self-check", /ok/);
  assert.equal(await page.evaluate(() => crossOriginIsolated), true);
  assert.equal(await page.textContent("#offline"), "yes");
  await host.stop();
  await page.reload();
  assert.match(await text(page, "self-check", /self-check|no network/), OK);
  await text(page, "fps", /^[1-9]/);
  await screenshot(page, "offline");
  assert.deepEqual(page.errors, []);
});

test("offline after a first visit to an isolating host", async (t) => {
  const host = await serve(t);
  const page = await open(t, browser, host.url);
  await text(page, "self-check", /ok/);
  await host.stop();
  await page.reload();
  assert.match(await text(page, "self-check", /self-check|no network/), /ok/);
});

test("a reload past the caches finds the service worker at once", async (t) => {
  const page = await open(t, browser, server.url);
  await text(page, "offline", /^yes$/);
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("Network.enable");
  await devtools.send("Network.setBypassServiceWorker", { bypass: true });
  await page.reload();
  await text(page, "offline", /^yes$/, 8000); // its patience is ten seconds
});

test("offline, a network whose new version was never loaded is not called damaged", async (t) => {
  const site = await siteWith("updated", {});
  const host = await serve(t, site);
  const page = await open(t, browser, host.url);
  const other = settings.networks.at(-1);
  await text(page, "self-check", /ok/);
  await page.selectOption("#network-choice", other);
  await text(page, "network", new RegExp(other));
  const models = listing();
  for (const form of models.models.find(({ name }) => name === other).files) {
    form.sha256 = "0".repeat(64);
  }
  await writeFile(path.join(site, "models/models.json"), JSON.stringify(models));
  await page.reload();
  await text(page, "self-check", /ok/);
  await host.stop();
  await page.selectOption("#network-choice", other);
  assert.match(await text(page, "network-problem", /./), /can't be loaded .*is there a network/);
});

const MODEL = `models/${settings.model}`;
const original = (file) => readFileSync(path.join(settings.site, file));
const listing = () => JSON.parse(original("models/models.json"));

const WRONG_NETWORKS = {
  "damaged in one byte": () => {
    const file = original(MODEL);
    file[file.length >> 1] ^= 1;
    return [{ [MODEL]: file }, /is damaged or of another version.*Make the site again/];
  },
  "a page that says it is missing": () => [
    { [MODEL]: "<!DOCTYPE html><title>404</title>" },
    /expected a \.tflite file; got a web page/,
  ],
  "cut off, and so listed": () => {
    const file = original(MODEL).subarray(0, 100_000);
    const models = listing();
    models.models[0].files[0].sha256 = createHash("sha256").update(file).digest("hex");
    return [
      { [MODEL]: file, "models/models.json": JSON.stringify(models) },
      /LiteRT\.js can't load the network/,
    ];
  },
};

for (const [name, make] of Object.entries(WRONG_NETWORKS)) {
  test(`a network that is ${name}: said, and the page is usable`, async (t) => {
    const [changes, problem] = make();
    const broken = await serve(t, await siteWith(name.replaceAll(" ", "_").replace(",", ""), changes));
    const page = await open(t, browser, broken.url, { permissions: ["camera"] });
    assert.match(await text(page, "network-problem", /./), problem);
    await page.click("#camera");
    await text(page, "source", /Camera/);
    assert.equal(await page.isVisible("#retry"), true);
    assert.deepEqual(page.errors, []);
      });
}

test("LiteRT.js that is missing in part: said", async (t) => {
  const broken = await serve(t, await siteWith("no_litert", { "litert/wasm_utils.js": null }));
  const page = await open(t, browser, broken.url);
  assert.match(await text(page, "network-problem", /./), /LiteRT\.js can't be loaded: .*make the site again/);
  assert.deepEqual(page.errors, []);
});

test("another flow than the golden one is said to be wrong", async (t) => {
  const [{ golden_flow: name }] = listing().models[0].files;
  const flow = original(`models/${name}`);
  for (let at = 0; at < flow.length; at += 4) flow.writeFloatLE(2 * flow.readFloatLE(at), at);
  const other = await serve(t, await siteWith("wrong_flow", { [`models/${name}`]: flow }));
  const page = await open(t, browser, other.url);
  assert.match(await text(page, "self-check", /self-check/), /WebAssembly: WRONG FLOW, EPE/);
  assert.match(await page.textContent("#network-problem"), /Don't trust what you see/);
  await text(page, "fps", /^[1-9]/);
});

test("a clip of odd size, and a file that is none", async (t) => {
  const page = await open(t, browser, server.url);
  await text(page, "self-check", /ok/);
  await page.fill("#blend", "100");
  await page.setInputFiles("#file", settings.clip);
  await text(page, "source", /clip\.webm/);
  await text(page, "stages", /total/);
  assert.ok(await showsFrameOf(page, settings.clip_size));
  // The clip's picture goes to the right: red in the colour code.
  const [red, green, blue] = await page.evaluate(() => {
    const { canvas } = document.getElementById("stage").getContext("2d");
    const copy = new OffscreenCanvas(1, 1).getContext("2d");
    copy.drawImage(canvas, canvas.width / 4, canvas.height / 4, canvas.width / 2, canvas.height / 2, 0, 0, 1, 1);
    return [...copy.getImageData(0, 0, 1, 1).data];
  });
  assert.ok(red > green + 40 && red > blue + 40, `${[red, green, blue]}`);
  for (const show of ["arrows", "both"]) {
    await page.selectOption("#show", show);
    await page.waitForTimeout(500);
    await screenshot(page, `clip_${show}`);
  }
  await page.setInputFiles("#file", { name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("no clip") });
  assert.match(await text(page, "source-problem", /./), /notes\.txt can't be played .* Choose another clip/);
  assert.match(await page.textContent("#source"), /clip\.webm/);
  await shownAnew(page);
  assert.deepEqual(page.errors, []);
});

for (const [network, flow] of Object.entries(settings.flows)) {
  test(`${network}: all of the golden pair's flow is that of Python's interpreter`, async (t) => {
    const page = await open(t, browser, server.url);
    const pictures = [1, 2].map((i) => original(`models/golden_image${i}.png`).toString("base64"));
    const golden = readFileSync(flow, "base64");
    const { differ, mean, largest } = await page.evaluate(async ([network, golden, ...pictures]) => {
      const content = async (data) => fetch(`data:application/octet-stream;base64,${data}`);
      const { FlowWorker } = await import("./flow_worker.js");
      const worker = new FlowWorker();
      await worker.load(network, "wasm", 1);
      const bitmaps = pictures.map(async (picture) =>
        createImageBitmap(await (await content(picture)).blob()),
      );
      const { flow } = await worker.predict(...(await Promise.all(bitmaps)));
      worker.close();
      const errors = new Float32Array(await (await content(golden)).arrayBuffer()).map((value, i) =>
        Math.abs(value - flow[i]),
      );
      return {
        differ: errors.reduce((count, error) => count + (error !== 0), 0) / errors.length,
        mean: errors.reduce((sum, error) => sum + error, 0) / errors.length,
        largest: errors.reduce((most, error) => Math.max(most, error)),
      };
    }, [network, golden, ...pictures]);
    console.log(
      `${(100 * differ).toFixed(2)} % of the flow's numbers differ, by ${mean} px on average, ${largest} at most`,
    );
    // What floats round otherwise may be the next whole number of int8. NaN fails.
    assert.ok(mean < 0.05 && largest < 1);
  });
}

test("memory is steady", async (t) => {
  const page = await open(t, browser, server.url);
  await text(page, "self-check", /ok/);
  // A frame, its features and its flow are megabytes: left over at each turn, they would be seen.
  const memory = await page.evaluate(async (network) => {
    const { FlowWorker } = await import("./flow_worker.js");
    const { Scene } = await import("./scene.js");
    const [worker, scene] = [new FlowWorker(), new Scene()];
    await worker.load(network, "wasm", 0);
    const memories = [];
    for (let number = 0; number < 80; number++) {
      const options = { first: number % 10 === 0, maxFlow: 10, colors: true, arrows: true };
      const { picture, colors } = await worker.next(scene.frame(number), options);
      picture?.close();
      colors?.close();
      if (number % 20 === 19) memories.push(await worker.memory());
    }
    worker.close();
    return memories;
  }, settings.networks[0]);
  assert.ok(memory.every(({ tensors }) => tensors === settings.tensors), JSON.stringify(memory));
  // It grows by a fifth when it must, which may come late once.
  assert.ok(memory.at(-1).heapBytes < 1.25 * memory[0].heapBytes, JSON.stringify(memory));
});

test("on a phone's screen nothing is wider than it", async (t) => {
  const phone = { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };
  const page = await open(t, browser, server.url, phone);
  await text(page, "fps", /^[1-9]/);
  await screenshot(page, "phone");
  assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 360);
  let share = 0;
  for (let frames = 0; frames < 50 && share < 0.1; frames++) { // the first has no flow
    await shownAnew(page);
    share = await colourful(page);
  }
  assert.ok(share >= 0.1);
});

test("one thread gives the same flow", async (t) => {
  const page = await open(t, browser, `${server.url}/?threads=1`);
  assert.match(await text(page, "self-check", /self-check|no network/), OK);
  assert.match(await page.textContent("#network"), /1 thread$/);
});

test("no camera", async (t) => {
  const other = await launch(t);
  const page = await open(t, other, server.url, { permissions: ["camera"] });
  await page.click("#camera");
  assert.match(await text(page, "source-problem", /./), /No camera was found\. Connect one/);
});

test("no SIMD", async (t) => {
  const other = await launch(t, "--js-flags=--no-enable-ssse3");
  const page = await open(t, other, server.url);
  assert.match(await text(page, "network-problem", /./), /no SIMD in WebAssembly.*Use Chrome/);
  assert.deepEqual(page.errors, []);
});

test("no relaxed SIMD: the compatible build, and a flow as good", async (t) => {
  // Chromium has no switch for it: LiteRT.js's own question is made to fail.
  const question = "WASM_RELAXED_SIMD_CHECK = new Uint8Array([";
  const core = String(original("litert/core.js"));
  assert.ok(core.includes(question));
  const unlike = core.replace(question, `${question}1, `);
  const other = await serve(t, await siteWith("no_relaxed_simd", { "litert/core.js": unlike }));
  const page = await open(t, browser, other.url);
  const builds = [];
  page.context().on("request", (request) => builds.push(path.basename(request.url())));
  const check = await text(page, "self-check", /self-check|no network/);
  console.log(check); // it rounds otherwise
  assert.match(check, OK);
  assert.match(await page.textContent("#network"), /1 thread$/);
  assert.ok(builds.includes("litert_wasm_compat_internal.wasm"), `${builds}`);
});

const SOFTWARE_GPU = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", "--enable-features=Vulkan"];
const IN_PART = /^WebGPU: LiteRT\.js can't run all of the network on this browser's GPU\nWebAssembly: ok/;

test("a GPU is tried first, and the self-check decides", async (t) => {
  const other = await launch(t, ...SOFTWARE_GPU);
  const page = await open(t, other, server.url);
  const units = await page.evaluate(async () => {
    const { FlowWorker } = await import("./flow_worker.js");
    const worker = new FlowWorker();
    const units = await worker.units();
    worker.close();
    return units;
  });
  if (units[0] !== "webgpu") return t.skip("this Chromium has no WebGPU, not even by software");
  assert.match(await text(page, "checks", /ok/, 300_000), /^WebGPU: ok, /);
  // From floats of the pair's size it computes the very flow.
  await page.selectOption("#network-choice", "lightflow");
  await text(page, "checks", /^WebGPU: ok, .* 0\.00 apart$/, 120_000);
  await screenshot(page, "webgpu");
  assert.deepEqual(page.errors, []);
});

// LiteRT.js on a GPU that can't run all of a network: on some browsers it leaves the rest to the
// processor, on those without JSPI it goes over to that altogether.
function answering(...questions) {
  let core = String(original("litert/core.js"));
  for (const question of questions) {
    assert.match(core, question);
    core = core.replace(question, " return false;");
  }
  return core;
}

const ALL_OF_IT = /(?<=get isFullyAccelerated\(\) \{)/;
const JSPI = /(?<=function isJspiSupported\(\) \{)/;

for (const [name, ...questions] of [["in part", ALL_OF_IT], ["not at all without JSPI", ALL_OF_IT, JSPI]]) {
  test(`a network that the GPU runs ${name}`, async (t) => {
    const core = answering(...questions);
    const site = await siteWith(name.replaceAll(" ", "_"), { "litert/core.js": core });
    const other = await serve(t, site);
    const page = await open(t, await launch(t, ...SOFTWARE_GPU), other.url);
    const checks = await text(page, "checks", /ok/, 120_000);
    if (!checks.startsWith("WebGPU")) return t.skip("this Chromium has no WebGPU, not even by software");
    assert.match(checks, IN_PART);
  });
}
