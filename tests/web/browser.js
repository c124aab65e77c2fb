// Starts Chromium and the demo's own server for the tests.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const DEMO = new URL("../../web_demo/", import.meta.url);
const { chromium } = createRequire(new URL("package.json", DEMO))("playwright-core");

/** What test_web.py says: the folders, and where Chromium and Python are. */
export const settings = JSON.parse(process.env.TFFLOW_WEB_TEST);

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

export const launch = (...flags) =>
  chromium.launch({ executablePath: settings.chromium, args: [...FLAGS, ...flags] });

export const launchWithCamera = () => launch(...CAMERA);

/** web_demo/serve.py on a free port: {url, stop}. */
export async function serve(site = settings.site, ...options) {
  const script = fileURLToPath(new URL("serve.py", DEMO));
  const server = spawn(settings.python, [script, "--port", "0", "--site", site, ...options], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  const [line] = await once(server.stdout.setEncoding("utf8"), "data");
  return {
    url: line.trim(),
    stop: async () => {
      if (server.kill()) await once(server, "exit");
    },
  };
}

/** A page of its own profile; what goes wrong in it unseen is in page.errors. */
export async function open(browser, url, options = {}) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.errors = [];
  page.on("pageerror", (error) => page.errors.push(error.message));
  await page.goto(url);
  return page;
}

/** Waits until an element's text is as a pattern says; gives the text. */
export async function text(page, id, pattern, timeout = 10_000) {
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
