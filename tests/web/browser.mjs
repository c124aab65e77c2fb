// Starts Chromium and the demo's own server for the tests. What is started ends with the scope: the
// test's context, or node:test itself for a whole file.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, rm, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";

const DEMO = new URL("../../web_demo/", import.meta.url);
const { chromium } = createRequire(new URL("package.json", DEMO))("playwright-core");

/** What test_web.py says: files and folders, and where Chromium and Python are. */
export const settings = JSON.parse(process.env.TFFLOW_WEB_TEST);

/** What the page says of a network that computes rightly. */
export const OK = /WebAssembly: ok, EPE [\d.]+ px, [\d.]+ expected, 0\.\d\d apart/;

const FLAGS = [
  "--no-sandbox", // of Chromium itself, which it can't set up for root and in containers
  "--disable-gpu",
  // Nothing but the page shall go to the network.
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const CAMERA = [
  "--use-fake-device-for-media-stream",
  `--use-file-for-fake-video-capture=${settings.camera}`,
];

export async function launch(scope, ...flags) {
  const browser = await chromium.launch({
    executablePath: settings.chromium,
    args: [...FLAGS, ...flags],
  });
  scope.after(() => browser.close());
  return browser;
}

export const launchWithCamera = (scope) => launch(scope, ...CAMERA);

/** web_demo/serve.py on a free port: {url, stop}. */
export async function serve(scope, site = settings.site, ...options) {
  const script = fileURLToPath(new URL("serve.py", DEMO));
  const server = spawn(settings.python, [script, "--port", "0", "--site", site, ...options], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  const stop = async () => {
    if (server.exitCode === null && server.signalCode === null && server.kill()) await once(server, "exit");
  };
  scope.after(stop);
  const [line] = await once(server.stdout.setEncoding("utf8"), "data");
  return { url: line.trim(), stop };
}

/** A page of its own profile; what goes wrong in it unseen is in page.errors. */
export async function open(scope, browser, url, options = {}) {
  const context = await browser.newContext(options);
  scope.after(() => context.close());
  const page = await context.newPage();
  page.errors = [];
  page.on("pageerror", (error) => page.errors.push(error.message));
  await page.goto(url);
  return page;
}

/** Waits until an element's text is as a pattern says; gives the text. */
export async function text(page, id, pattern, timeout = 90_000) { // ms; machines that do much else are slow
  const element = page.locator(`#${id}`);
  const deadline = Date.now() + timeout;
  for (;;) {
    const found = await element.textContent();
    if (pattern.test(found)) return found;
    if (Date.now() > deadline) {
      const said = await page.locator(".message").allTextContents();
      throw new Error(`#${id} is "${found}", not ${pattern}; the page says: ${said.join(" ")}`);
    }
    await page.waitForTimeout(50);
  }
}

/** A copy of the site with other files: path -> bytes, or null for none. */
export async function siteWith(name, changes) {
  const site = path.join(settings.output, name);
  const small = (from) => path.basename(from) !== "wasm";
  await cp(settings.site, site, { recursive: true, filter: small });
  await symlink(path.join(settings.site, "litert", "wasm"), path.join(site, "litert", "wasm"));
  for (const [file, content] of Object.entries(changes)) {
    const to = path.join(site, file);
    await (content === null ? rm(to) : writeFile(to, content));
  }
  return site;
}

/** Puts one of the site's files back into such a copy. */
export const repair = (site, file) => cp(path.join(settings.site, file), path.join(site, file));

/** Whether what is shown has the shape of a frame [width, height]. */
export const showsFrameOf = (page, [width, height]) =>
  page.evaluate(([width, height]) => {
    const stage = document.getElementById("stage");
    return stage.width % width === 0 && stage.width * height === stage.height * width;
  }, [width, height]);

/** A picture of the page for people, in the tests' own folder. */
export const screenshot = (page, name) =>
  page.screenshot({ path: path.join(settings.output, `${name}.png`), fullPage: true });

/** Waits until what is shown changes. */
export async function shownAnew(page) {
  const now = () => page.evaluate(() => document.getElementById("stage").toDataURL());
  const [before, deadline] = [await now(), Date.now() + 60_000];
  while ((await now()) === before) {
    if (Date.now() > deadline) throw new Error("the picture stands still");
    await page.waitForTimeout(50);
  }
}

/** The share of the frame's pixels whose colour, away from grey, is above a level of 0 to 255. */
export const colourful = (page, level = 40) =>
  page.evaluate((level) => {
    const { canvas } = document.getElementById("stage").getContext("2d");
    const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d");
    copy.drawImage(canvas, 0, 0);
    const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
    let count = 0;
    for (let i = 0; i < data.length; i += 4) {
      const pixel = data.subarray(i, i + 3);
      if (Math.max(...pixel) - Math.min(...pixel) > level) count++;
    }
    return (4 * count) / data.length;
  }, level);
