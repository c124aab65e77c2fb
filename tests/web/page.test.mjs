// The page in Chromium: what must hold before anything else.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import test, { after } from "node:test";

import {
  OK, colourful, launchWithCamera, open, repair, screenshot, serve, settings, shownAnew, showsFrameOf, siteWith, text,
} from "./browser.mjs";

const file = { after };
const [browser, server] = await Promise.all([launchWithCamera(file), serve(file)]);

test("the camera's flow, in colours", async (t) => {
  const page = await open(t, browser, server.url, { permissions: ["camera"] });
  assert.match(await text(page, "self-check", /self-check|no network/), OK);
  await text(page, "fps", /^[1-9]/);
  await page.fill("#blend", "100");
  await page.click("#camera");
  await text(page, "source", /^Camera$/);
  await text(page, "stages", /total/);
  assert.match(await page.textContent("#stages"), /grab.*pack.*run.*paint.*draw.*total/s);
  assert.equal(await page.textContent("#tensors"), `${settings.tensors}`);
  assert.ok(await showsFrameOf(page, settings.camera_size));
  assert.ok((await colourful(page)) > 0.5, "the camera's scene moves everywhere");
  await screenshot(page, "camera");
  const [download] = await Promise.all([page.waitForEvent("download"), page.click("#save")]);
  assert.equal(download.suggestedFilename(), "flow.png");
  assert.equal(String(readFileSync(await download.path()).subarray(1, 4)), "PNG");
  assert.deepEqual(page.errors, []);
});

test("a camera that is allowed late does not replace what was chosen meanwhile", async (t) => {
  const page = await open(t, browser, server.url, { permissions: ["camera"] });
  await text(page, "self-check", OK);
  await page.evaluate(() => {
    const devices = navigator.mediaDevices;
    const ask = devices.getUserMedia.bind(devices);
    const allowed = new Promise((resolve) => (window.allow = resolve));
    devices.getUserMedia = async (wanted) => {
      await allowed;
      return (window.stream = await ask(wanted));
    };
  });
  await page.click("#camera");
  await page.click("#scene");
  await page.evaluate(() => window.allow());
  await page.waitForFunction(() => window.stream?.getVideoTracks()[0].readyState === "ended");
  assert.equal(await page.textContent("#source"), "Demo scene");
  assert.deepEqual(page.errors, []);
});

test("a video that the browser has stopped in the background plays again", async (t) => {
  const page = await open(t, browser, server.url, { permissions: ["camera"] });
  await page.click("#camera");
  await text(page, "source", /^Camera$/);
  await text(page, "stages", /total/);
  const paused = () => page.evaluate(() => document.querySelector("video").paused);
  await page.evaluate(() => document.querySelector("video").pause());
  assert.equal(await paused(), true);
  await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
  await shownAnew(page);
  assert.equal(await paused(), false);
  assert.deepEqual(page.errors, []);
});

test("without a GPU the processor is not told of as a second choice", async (t) => {
  const page = await open(t, browser, server.url);
  assert.match(await text(page, "checks", /./), /^WebAssembly: ok, [^\n]*$/);
  assert.equal(await page.textContent("#network-choice"), settings.networks.join(""));
});

test("another network while a frame is computed: no alarm", async (t) => {
  const page = await open(t, browser, server.url);
  await text(page, "fps", /^[1-9]/);
  await page.selectOption("#network-choice", settings.networks[1]);
  await text(page, "self-check", OK);
  assert.equal(await page.isVisible("#network-message"), false);
  assert.deepEqual(page.errors, []);
});

const golden = (file) => readFileSync(file).toString("base64");

test("doubtful flow that the page hides is what Python's interpreter trusts as little", async (t) => {
  const { networks, images, sure: wanted } = settings.doubtful;
  const page = await open(t, browser, server.url);
  const found = await page.evaluate(async ([networks, images]) => {
    const picture = async (data) =>
      createImageBitmap(await (await fetch(`data:image/png;base64,${data}`)).blob());
    const { FlowWorker } = await import("./flow_worker.js");
    const found = {};
    for (const name of networks) {
      const worker = new FlowWorker();
      const { givesConfidence } = await worker.load(name, "wasm", 1);
      found[name] = { givesConfidence, shown: [], tensors: [] };
      for (const sure of [true, false, true]) {
        for (const [i, image] of images.entries()) {
          const options = { first: i === 0, maxFlow: 10, sure, colors: true, arrows: false };
          const { colors } = await worker.next(await picture(image), options);
          found[name].tensors.push((await worker.memory()).tensors);
          if (!colors) continue;
          const canvas = new OffscreenCanvas(colors.width, colors.height).getContext("2d");
          canvas.drawImage(colors, 0, 0);
          const { data } = canvas.getImageData(0, 0, colors.width, colors.height);
          const alpha = data.filter((_, at) => at % 4 === 3);
          found[name].shown.push(Array.from(alpha, (level) => (level ? "1" : "0")).join(""));
        }
      }
      worker.close();
    }
    return found;
  }, [networks, images.map(golden)]);
  const [trusting, other] = networks.map((name) => found[name]);
  assert.equal(trusting.givesConfidence, true);
  assert.equal(other.givesConfidence, false);
  const python = readFileSync(wanted, "utf8");
  const [first, all, again] = trusting.shown;
  // What floats round otherwise may be the next whole number of int8.
  const differ = Array.from(first).filter((pixel, i) => pixel !== python[i]).length / python.length;
  assert.ok(differ < 0.01, `${differ} of the pixels`);
  assert.ok(first.includes("0") && first.includes("1"));
  assert.ok(again === first && !all.includes("0"));
  assert.ok(other.shown.every((pixels) => !pixels.includes("0")));
  for (const { tensors } of [trusting, other]) assert.equal(new Set(tensors).size, 1, `${tensors}`);
  assert.deepEqual(page.errors, []);
});

/** The share of the stage that is black: where arrows hide the picture and there is none. */
const black = (page) =>
  page.evaluate(() => {
    const { canvas } = document.getElementById("stage").getContext("2d");
    const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d");
    copy.drawImage(canvas, 0, 0);
    const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
    let count = 0;
    for (let i = 0; i < data.length; i += 4) count += !(data[i] | data[i + 1] | data[i + 2]);
    return (4 * count) / data.length;
  });

/** Waits until there are arrows on black, or black alone; a picture is neither. */
async function arrowsAre(page, wanted) {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const share = await black(page);
    if (wanted ? share > 0.5 && share < 1 : share === 1) return;
    if (Date.now() > deadline) throw new Error(`${share} of the stage is black, arrows: ${wanted}`);
    await page.waitForTimeout(50);
  }
}

test("a box hides doubtful flow; of a network without confidence it can't be ticked", async (t) => {
  const script = readFileSync(path.join(settings.site, "confidence.js"), "utf8");
  assert.match(script, /DOUBTFUL = 0\.35;/);
  const changes = { "confidence.js": script.replace("DOUBTFUL = 0.35", "DOUBTFUL = 2") }; // all of it
  const host = await serve(t, await siteWith("all_doubtful", changes));
  const page = await open(t, browser, host.url, { permissions: ["camera"] });
  await page.click("#camera");
  await page.selectOption("#show", "arrows");
  await page.fill("#blend", "100");
  await text(page, "self-check", OK); // it is of all flow
  await text(page, "fps", /^[1-9]/);
  await arrowsAre(page, true);
  await page.check("#sure");
  await arrowsAre(page, false);
  assert.equal(await page.textContent("#tensors"), `${settings.tensors}`);
  await page.selectOption("#network-choice", settings.networks.at(-1));
  await text(page, "network", new RegExp(settings.networks.at(-1)));
  assert.equal(await page.isDisabled("#sure"), true);
  assert.equal(await page.isVisible("#no-confidence"), true);
  await arrowsAre(page, true);
  await screenshot(page, "no_confidence");
  await page.selectOption("#network-choice", settings.networks[0]);
  await text(page, "network", new RegExp(settings.networks[0]));
  assert.equal(await page.isVisible("#no-confidence"), false);
  await arrowsAre(page, false); // it is still ticked
  await page.uncheck("#sure");
  await arrowsAre(page, true);
  assert.deepEqual(page.errors, []);
});

test("a camera that is not allowed: what to do, and the scene goes on", async (t) => {
  const page = await open(t, browser, server.url);
  await text(page, "source", /Demo/);
  await page.click("#camera");
  assert.match(await text(page, "source-problem", /./), /not allowed\. Allow it .* press Camera again/);
  assert.equal(await page.textContent("#source"), "Demo scene");
  await shownAnew(page);
  await screenshot(page, "camera_denied");
  assert.deepEqual(page.errors, []);
});

test("no network: which file and what to do, frames without flow, and a second try", async (t) => {
  const model = `models/${settings.model}`;
  const site = await siteWith("no_network", { [model]: null });
  const broken = await serve(t, site);
  const page = await open(t, browser, broken.url);
  const problem = await text(page, "network-problem", /./);
  assert.ok(problem.includes(`${settings.model}: the server answers 404. Make the site again`), problem);
  assert.match(await page.textContent("#self-check"), /no network/);
  assert.ok((await colourful(page)) > 0.1, "the scene is shown");
  await screenshot(page, "no_network");
  await repair(site, model);
  await page.click("#retry");
  await text(page, "self-check", /ok/);
  assert.equal(await page.isVisible("#network-message"), false);
  assert.deepEqual(page.errors, []);
});
