// The page in Chromium: what must hold before anything else.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
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
