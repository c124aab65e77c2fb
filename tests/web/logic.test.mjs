// The page's arithmetic, without a browser.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import test from "node:test";

import { flowArrows } from "../../web_demo/page/arrows.js";
import { FlowPainter, flowColor, wheelDisc } from "../../web_demo/page/colors.js";
import { hideDoubtful } from "../../web_demo/page/confidence.js";
import { Latest } from "../../web_demo/page/latest.js";
import { fit } from "../../web_demo/page/letterbox.js";
import { compareFlow, describe, passes } from "../../web_demo/page/self_check.js";
import { loadShippedModel, shippedModels } from "../../web_demo/page/shipped_model.js";
import { FrameRate, LatencyStatistics } from "../../web_demo/page/statistics.js";

const PAGE = new URL("../../web_demo/page/", import.meta.url);
// Written by test_web.py with tfflow and NumPy.
const golden = JSON.parse(readFileSync(process.env.TFFLOW_WEB_GOLDEN, "utf8"));

const painter = new FlowPainter();

test("colours are flow_to_image's", () => {
  const { flow, max_flow: maxFlow, colors } = golden;
  // flow_to_image takes colours from a fine table: a level that is cut off may be the next.
  let others = 0;
  flow.forEach(([u, v], i) => {
    const off = flowColor(u, v, maxFlow).map((level, c) => Math.abs(level - colors[i][c]));
    assert.ok(Math.max(...off) <= 1, `${u}, ${v}`);
    others += Math.max(...off);
  });
  assert.ok(others < 0.05 * flow.length, `${others} of ${flow.length}`);
});

test("what is not known has no colour", () => {
  for (const [u, v] of [[NaN, 0], [0, Infinity], [2e9, 1], [1, -2e9]]) {
    assert.deepEqual(flowColor(u, v, 8), [0, 0, 0]);
    const pixels = new Uint32Array(1).fill(1);
    painter.paint(Float32Array.of(u, v), 1, fit(1, 1, 1, 1), 8, pixels);
    assert.equal(pixels[0], 0);
  }
});

test("flow of low confidence becomes unknown", () => {
  const flow = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8);
  const values = Float32Array.of(0.34, 0.36, 0, 1);
  hideDoubtful(flow, { width: 4, height: 1 }, { values, width: 4, height: 1 });
  const pixels = new Uint32Array(4);
  painter.paint(flow, 4, fit(4, 1, 4, 1), 8, pixels);
  assert.deepEqual(Array.from(pixels, (pixel) => pixel !== 0), [false, true, false, true]);
  assert.deepEqual([...flow.subarray(2, 4), ...flow.subarray(6)], [3, 4, 7, 8]);
});

test("confidence of another size is resized as Python does it", () => {
  const { size, values, resized } = golden.confidence;
  const [height, width] = [resized.length, resized[0].length];
  const flow = new Float32Array(2 * width * height);
  hideDoubtful(flow, { width, height }, {
    values: Float32Array.from(values.flat()), height: size[0], width: size[1],
  });
  resized.flat().forEach((trust, i) => {
    if (Math.abs(trust - 0.35) > 1e-5) assert.equal(Number.isNaN(flow[2 * i]), trust < 0.35);
  });
});

test("painting is at most two levels off, whatever the motion", () => {
  const { max_flow: maxFlow } = golden;
  const count = 20_000;
  const flow = Float32Array.from({ length: 2 * count }, (_, i) => {
    const [length, angle] = [10 ** (1 + 1.5 * Math.sin(i >> 1)), (i >> 1) * 0.7];
    return length * (i % 2 ? Math.sin(angle) : Math.cos(angle));
  });
  const pixels = new Uint32Array(count);
  painter.paint(flow, count, fit(count, 1, count, 1), maxFlow, pixels);
  const bytes = new Uint8Array(pixels.buffer);
  let compared = 0;
  for (let i = 0; i < count; i++) {
    const [u, v] = flow.subarray(2 * i, 2 * i + 2);
    // Where the code jumps, to darker at maxFlow and at the wheel's seam, either side is right.
    if (Math.abs(Math.hypot(u, v) / maxFlow - 1) < 0.005) continue;
    if (u > 0 && Math.abs(v) < 0.002 * Math.max(u, maxFlow)) continue;
    const wanted = [...flowColor(u, v, maxFlow), 255];
    wanted.forEach((level, c) => assert.ok(Math.abs(bytes[4 * i + c] - level) <= 2, `${u}, ${v}`));
    compared++;
  }
  assert.ok(compared > 0.9 * count);
});

test("painting takes the frame's part of the flow, in the frame's pixels", () => {
  // A frame of 8 x 2 in an input of 4 x 4: two bars, and twice the pixels.
  const box = fit(8, 2, 4, 4);
  const flow = new Float32Array(2 * 16).fill(1e3);
  flow.set([0, 0, 1, 0, 0, 1, -1, 0], 2 * 4 * box.top);
  const pixels = new Uint32Array(box.width * box.height);
  painter.paint(flow, 4, box, 4, pixels);
  const painted = Array.from({ length: 4 }, (_, i) => [...new Uint8Array(pixels.buffer, 4 * i, 3)]);
  const wanted = [[0, 0], [2, 0], [0, 2], [-2, 0]].map(([u, v]) => flowColor(u, v, 4));
  wanted.flat().forEach((level, i) => assert.ok(Math.abs(painted.flat()[i] - level) <= 2));
});

test("the key has the colours of motions from its centre", () => {
  const size = 65;
  const disc = wheelDisc(size);
  const pixel = (x, y) => [...disc.subarray(4 * (y * size + x), 4 * (y * size + x) + 4)];
  assert.deepEqual(pixel(32, 32), [255, 255, 255, 255]);
  assert.equal(pixel(0, 0)[3], 0);
  assert.deepEqual(pixel(64, 32).slice(0, 3), flowColor(32 / 32.5, 0, 1));
});

test("a frame lies in the middle of the input, and keeps its shape", () => {
  const whole = { left: 0, top: 0, width: 512, height: 384, scaleX: 1.25, scaleY: 1.25 };
  assert.deepEqual(fit(640, 480, 512, 384), whole);
  assert.deepEqual(fit(1280, 720, 512, 384), {
    left: 0, top: 48, width: 512, height: 288, scaleX: 2.5, scaleY: 2.5,
  });
  for (const [width, height] of [[333, 187], [187, 333], [1, 1], [10_000, 1], [513, 385]]) {
    const box = fit(width, height, 512, 384);
    assert.ok(box.left >= 0 && box.top >= 0 && box.width >= 1 && box.height >= 1);
    assert.ok(box.left + box.width <= 512 && box.top + box.height <= 384);
    assert.ok(box.width === 512 || box.height === 384);
    assert.equal(box.scaleX * box.width, width);
  }
  assert.throws(() => fit(0, 480, 512, 384), /sides above 0 px; got 0 x 480/);
  assert.throws(() => fit(1.5, 480, 512, 384), RangeError);
});

test("arrows are of the frame, and no longer than the grid is wide", () => {
  const box = fit(1024, 768, 512, 384);
  const flow = new Float32Array(2 * 512 * 384);
  for (let i = 0; i < flow.length; i += 2) flow[i] = 3;
  const still = flowArrows(new Float32Array(flow.length), 512, box, 10);
  assert.equal(still.length, 0);
  const arrows = flowArrows(flow, 512, box, 12, 64);
  assert.equal(arrows.length, 4 * 8 * 6);
  const [x, y, dx, dy] = arrows;
  assert.deepEqual([x, y, dx, dy], [65, 65, 64, 0]); // 6 px of 12: half of the spacing of 128 px
  assert.equal(flowArrows(flow, 512, box, 2, 64)[2], 128);
  flow[2 * (32 * 512 + 32)] = NaN;
  assert.equal(flowArrows(flow, 512, box, 12, 64).length, 4 * (8 * 6 - 1));
});

test("percentiles are NumPy's, over the last times", () => {
  const statistics = new LatencyStatistics(golden.times.length);
  assert.ok(Number.isNaN(statistics.percentile("run", 50)));
  for (const time of [1e9, ...golden.times]) statistics.record("run", time);
  statistics.record("paint", 1);
  for (const [percent, value] of Object.entries(golden.percentiles)) {
    assert.ok(Math.abs(statistics.percentile("run", Number(percent)) - value) < 1e-9);
  }
  assert.deepEqual(statistics.stages, ["run", "paint"]);
});

test("frames a second are of the last two seconds", () => {
  const rate = new FrameRate();
  assert.equal(rate.perSecond(0), 0);
  for (let now = 0; now <= 1000; now += 100) rate.tick(now);
  assert.equal(rate.perSecond(1000), 10);
  for (let now = 1050; now <= 4000; now += 50) rate.tick(now);
  assert.equal(rate.perSecond(4000), 20);
  assert.equal(rate.perSecond(9000), 0);
});

test("of what is offered to the busy, the newest is done", async () => {
  const done = [];
  const free = [];
  const latest = new Latest((item) => {
    done.push(item);
    return new Promise((resolve) => free.push(resolve));
  });
  for (const item of [0, 1, 2, 3]) latest.offer(item);
  assert.deepEqual(done, [0]);
  for (let i = 0; i < 2; i++) {
    free.pop()();
    await new Promise(setImmediate);
  }
  assert.deepEqual(done, [0, 3]);
  assert.equal(latest.dropped, 2);
  latest.offer(4);
  assert.deepEqual(done, [0, 3, 4]);
});

test("the self-check measures at every step-th pixel, to the truth and to the file's own flow", () => {
  const size = { width: 5, height: 3 };
  const flow = new Float32Array(2 * 5 * 3);
  flow.set([3, 4], 2 * (2 * 5 + 4)); // at (4, 2)
  const golden = { flow: new Float32Array(12), truth: new Float32Array(12).fill(3), step: 2 };
  const result = compareFlow(flow, size, size, golden);
  assert.ok(Math.abs(result.apart - 5 / 6) < 1e-6);
  assert.ok(Math.abs(result.expected - Math.hypot(3, 3)) < 1e-6);
  assert.ok(Math.abs(result.epe - (5 * Math.hypot(3, 3) + 1) / 6) < 1e-6);
  flow[0] = NaN;
  assert.ok(!passes(compareFlow(flow, size, size, golden)));
  const short = { ...golden, flow: new Float32Array(10) };
  assert.throws(() => compareFlow(flow, size, size, short), /10 numbers; expected 12/);
});

test("what rounds otherwise passes, what computes wrong does not", () => {
  assert.ok(passes({ epe: 0.95, expected: 0.95, apart: 0 }));
  assert.ok(passes({ epe: 1.1, expected: 0.95, apart: 0.4 })); // a healthy accelerator of int8
  assert.ok(!passes({ epe: 1.3, expected: 0.95, apart: 0.4 }));
  assert.ok(!passes({ epe: 0.95, expected: 0.95, apart: 0.6 }));
  assert.ok(!passes({ epe: NaN, expected: 0.95, apart: NaN }));
  assert.equal(describe({ epe: 1, expected: 0.954, apart: 0 }), "EPE 1.00 px, 0.95 expected, 0.00 apart");
});

test("a network of another size is compared in the images' pixels", () => {
  const [network, images] = [{ width: 2, height: 2 }, { width: 8, height: 4 }];
  const flow = Float32Array.from([1, 1, 1, 1, 1, 1, 1, 1]);
  const truth = Float32Array.from([4, 2, 4, 2]); // four times as wide, twice as high
  const { epe } = compareFlow(flow, network, images, { flow: truth, truth, step: 4 });
  assert.ok(epe < 1e-6);
  const ramp = Float32Array.from([0, 0, 2, 0, 0, 0, 2, 0]); // u from 0 to 2
  const at = Float32Array.from([0, 0, 4 * 1.25, 0]); // of pixel 4: (4.5 · 2 / 8 - 0.5) · 2 = 1.25
  assert.ok(compareFlow(ramp, network, images, { flow: at, truth: at, step: 4 }).epe < 1e-6);
});

const GOLDEN = { image1: "golden_image1.png", image2: "golden_image2.png", truth: "t.bin", step: 16 };
const listOf = (sha256) =>
  new TextEncoder().encode(
    JSON.stringify({
      golden: GOLDEN,
      models: [
        { name: "a", files: [{ file: "a.tflite", golden_flow: "a.bin", quantization: "int8", sha256 }] },
        { name: "b", files: [
          { file: "b8.tflite", golden_flow: "a.bin", quantization: "int8", sha256 },
          { file: "b16.tflite", golden_flow: "a.bin", quantization: "float16", sha256 },
        ] },
      ],
    }),
  );
const TFLITE = new TextEncoder().encode("....TFL3 and so on");
const PAGE_404 = new TextEncoder().encode("<!DOCTYPE html><html>Not found</html>");

/** What loadShippedModel says when the server has these files: name -> bytes or status. */
async function problem(files, name = "a", unit = "wasm") {
  const server = {
    "models.json": listOf("0"),
    "a.tflite": TFLITE,
    "a.bin": new Uint8Array(8),
    "t.bin": new Uint8Array(8),
    "golden_image1.png": new Uint8Array(1),
    "golden_image2.png": new Uint8Array(1),
    ...files,
  };
  const { fetch } = globalThis;
  globalThis.fetch = async (url) => {
    const answer = server[url.pathname.split("/").at(-1)];
    if (answer === undefined) throw new TypeError("Failed to fetch");
    return typeof answer === "number" ? new Response("", { status: answer }) : new Response(answer);
  };
  try {
    const folder = new URL("http://localhost/models/");
    const model = await loadShippedModel(name, unit, folder);
    assert.deepEqual(await shippedModels(folder), ["a", "b"]);
    return model.name;
  } catch (error) {
    return error.message;
  } finally {
    globalThis.fetch = fetch;
  }
}

test("a network that is missing or wrong is said to be", async () => {
  assert.match(await problem({ "a.tflite": 404 }), /a\.tflite: the server answers 404\. Make the site/);
  assert.match(await problem({ "a.tflite": undefined }), /can't be loaded \(Failed to fetch\)/);
  assert.match(await problem({ "a.tflite": PAGE_404 }), /expected a \.tflite file; got a web page/);
  assert.match(await problem({ "a.tflite": new Uint8Array() }), /got an empty file/);
  assert.match(await problem({}), /a\.tflite is damaged or of another version: 18 bytes/);
  assert.match(await problem({ "models.json": PAGE_404 }), /models\.json: expected a list.*web page/);
  assert.match(await problem({ "models.json": 500 }), /answers 500/);
  const hash = Buffer.from(await crypto.subtle.digest("SHA-256", TFLITE)).toString("hex");
  const good = { "models.json": listOf(hash), "b8.tflite": TFLITE, "b16.tflite": TFLITE };
  assert.equal(await problem(good), "a.tflite");
  assert.equal(await problem(good, "b"), "b8.tflite");
  assert.equal(await problem(good, "b", "webgpu"), "b16.tflite"); // GPUs compute in float
  assert.equal(await problem(good, "a", "webgpu"), "a.tflite"); // the only one
  assert.equal(await problem(good, "gone"), "a.tflite");
});

test("the service worker keeps all files of the page", () => {
  const source = readFileSync(new URL("service_worker.js", PAGE), "utf8");
  const [, list] = source.match(/const PAGE = \[([^\]]*)\]/);
  const kept = [...list.matchAll(/"([^"]+)"/g)].map(([, name]) => name);
  const files = readdirSync(PAGE).filter((name) => name !== "service_worker.js");
  assert.deepEqual(kept.sort(), ["./", ...files].sort());
});
