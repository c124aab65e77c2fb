// The page in Chromium: what must hold before anything else.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import test, { after } from "node:test";

import {
  colourful, launchWithCamera, open, repair, screenshot, serve, settings, shownAnew, siteWith, stageSize, text,
} from "./browser.js";

const file = { after };
const [browser, server] = await Promise.all([launchWithCamera(file), serve(file)]);

test("the camera's flow, in colours", async (t) => {
  const page = await open(t, browser, server.url, { permissions: ["camera"] });
  assert.match(await text(page, "self-check", /self-check|no network/), /ok: 0\.0000 px/);
  await text(page, "fps", /^[1-9]/);
  await page.fill("#blend", "100");
  await page.click("#camera");
  await text(page, "source", /^Camera$/);
  await text(page, "stages", /total/);
  assert.match(await page.textContent("#stages"), /grab.*pack.*run.*paint.*draw.*total/s);
  assert.equal(await page.textContent("#tensors"), "1");
  assert.deepEqual(await stageSize(page), [640, 480]); // what the page asks the camera for
  assert.ok((await colourful(page)) > 0.5, "the camera's scene moves everywhere");
  await screenshot(page, "camera");

  // The page's own modules once more, for the whole flow instead of the self-check's part.
  const models = path.join(settings.site, "models");
  const pictures = [1, 2].map((i) => readFileSync(path.join(models, `golden_image${i}.png`), "base64"));
  const golden = readFileSync(settings.flow, "base64");
  const { differ, largest } = await page.evaluate(async ([golden, ...pictures]) => {
    const content = async (data) => fetch(`data:application/octet-stream;base64,${data}`);
    const { FlowWorker } = await import("./flow_worker.js");
    const worker = new FlowWorker();
    await worker.load(1);
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
      largest: errors.reduce((most, error) => Math.max(most, error)),
    };
  }, [golden, ...pictures]);
  console.log(`${(100 * differ).toFixed(2)} % of the flow's numbers differ, by ${largest} px at most`);
  assert.ok(largest < 1e-3); // NaN fails
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
  assert.match(problem, /lightflow_int8\.tflite: the server answers 404\. Make the site again/);
  assert.match(await page.textContent("#self-check"), /no network/);
  assert.ok((await colourful(page)) > 0.1, "the scene is shown");
  await screenshot(page, "no_network");
  await repair(site, model);
  await page.click("#retry");
  await text(page, "self-check", /ok/);
  assert.equal(await page.isVisible("#network-message"), false);
  assert.deepEqual(page.errors, []);
});
