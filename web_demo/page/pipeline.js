// The worker's side: frames in; flow, its colours and its arrows out.

import { flowArrows } from "./arrows.js";
import { FlowPainter } from "./colors.js";
import { hideDoubtful } from "./confidence.js";
import { fit } from "./letterbox.js";
import { FlowNetwork, hasGpu, missingHere } from "./network.js";
import { compareFlow } from "./self_check.js";
import { loadShippedModel } from "./shipped_model.js";

/** What the page may call; arguments and results are sent between the threads. */
export class FlowPipeline {
  #network;
  #golden;
  #input; // the canvas that frames are scaled on
  #painter;
  #overlay; // the canvas that flow is painted on
  #last = null; // {frame, prepared} of the frame before

  /** Whether "webgpu" is worth a try. */
  async units() {
    return (await hasGpu()) ? ["webgpu", "wasm"] : ["wasm"];
  }

  async load({ name, unit, threads }) {
    const missing = missingHere();
    if (missing) throw new Error(missing);
    const model = await loadShippedModel(name, unit);
    this.#network = await FlowNetwork.load(model.file, unit, threads);
    this.#golden = model.golden;
    this.#painter = new FlowPainter();
    const { width, height } = this.#network;
    // Read at each frame: kept where the processor can.
    this.#input = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
    this.#input.imageSmoothingQuality = "medium";
    const givesConfidence = this.#network.confidenceSize !== null;
    return { name: model.name, width, height, threads: this.#network.threads, givesConfidence };
  }

  /** The golden pair in, compared with its true and its golden flow: see compareFlow(). */
  async check() {
    const [frame1, frame2] = await Promise.all(this.#golden.images.map(exactBitmap));
    const { width, height } = frame1;
    const { flow } = await this.predict({ frame1, frame2, stretch: true });
    return compareFlow(flow, this.#network, { width, height }, this.#golden);
  }

  /** Flow from one frame to another, in the network's size and pixels; without bars if stretched. */
  async predict({ frame1, frame2, stretch = false }) {
    const network = this.#network;
    const prepared = [];
    try {
      for (const frame of [frame1, frame2]) {
        const { width, height } = network;
        const box = stretch ? { left: 0, top: 0, width, height } : this.#fit(frame);
        prepared.push(await this.#pack(frame, box));
      }
      const { flow } = await network.run(...prepared);
      return { flow };
    } finally {
      for (const one of prepared) network.release(one);
      frame1.close();
      frame2.close();
    }
  }

  /**
   * The next frame. Each is packed once, although it is in two pairs.
   *
   * @param {ImageBitmap} frame becomes the pipeline's, which closes it or gives it back
   * @param {boolean} first whether it follows none: after a cut, or of another source
   * @param {number} maxFlow in the frame's pixels
   * @param {boolean} sure whether flow is left out that the network does not trust itself; all of it
   *     is shown where the network does not say
   * @returns the frame before with its flow: the picture and its colours as ImageBitmaps, the
   *     arrows, times in ms; nothing but times for a first frame
   */
  async next({ frame, first, maxFlow, sure, colors, arrows }) {
    const times = {};
    const clock = stopwatch(times);
    const box = this.#fit(frame);
    const prepared = await this.#pack(frame, box);
    clock("pack");
    const last = this.#last;
    this.#last = { frame, prepared };
    if (!last) return { times };
    const sameSize = last.frame.width === frame.width && last.frame.height === frame.height;
    const follows = !first && sameSize;
    const { flow, confidence } = follows ? await this.#network.run(last.prepared, prepared) : {};
    this.#network.release(last.prepared);
    if (!follows) {
      last.frame.close();
      return { times };
    }
    clock("run");
    if (sure && confidence) hideDoubtful(flow, this.#network, confidence);
    const result = { picture: last.frame, times };
    if (colors) result.colors = this.#paint(flow, box, maxFlow);
    if (arrows) result.arrows = flowArrows(flow, this.#network.width, box, maxFlow);
    clock("paint");
    return result;
  }

  /** Bytes and tensors outside of JavaScript's memory. */
  memory() {
    return { heapBytes: this.#network.heapBytes, tensors: this.#network.tensors };
  }

  #fit(frame) {
    return fit(frame.width, frame.height, this.#network.width, this.#network.height);
  }

  #pack(frame, box) {
    const { width, height } = this.#network;
    this.#input.fillRect(0, 0, width, height); // black bars
    this.#input.drawImage(frame, box.left, box.top, box.width, box.height);
    return this.#network.prepare(this.#input.getImageData(0, 0, width, height).data);
  }

  #paint(flow, box, maxFlow) {
    const { canvas } = (this.#overlay ??= new OffscreenCanvas(1, 1).getContext("2d"));
    if (canvas.width !== box.width || canvas.height !== box.height) {
      canvas.width = box.width;
      canvas.height = box.height;
    }
    const image = new ImageData(box.width, box.height);
    this.#painter.paint(flow, this.#network.width, box, maxFlow, new Uint32Array(image.data.buffer));
    this.#overlay.putImageData(image, 0, 0);
    return canvas.transferToImageBitmap();
  }
}

/** A picture's very bytes, without the screen's colours or premultiplied alpha. */
const exactBitmap = (blob) =>
  createImageBitmap(blob, { colorSpaceConversion: "none", premultiplyAlpha: "none" });

/** A function that writes the time since its last call, in ms, under a name. */
function stopwatch(times) {
  let last = performance.now();
  return (name) => {
    const now = performance.now();
    times[name] = now - last;
    last = now;
  };
}
