// The worker's side: frames in; flow, its colours and its arrows out.

import { flowArrows } from "./arrows.js";
import { FlowPainter } from "./colors.js";
import { fit } from "./letterbox.js";
import { FlowNetwork, missingHere } from "./network.js";
import { compareFlow } from "./self_check.js";
import { loadShippedModel } from "./shipped_model.js";

/** What the page may call; arguments and results are sent between the threads. */
export class FlowPipeline {
  #network;
  #golden;
  #input; // the canvas that frames are scaled on
  #painter;
  #overlay; // the canvas that flow is painted on
  #last = null; // {frame, tensor} of the frame before

  async load({ threads }) {
    const missing = missingHere();
    if (missing) throw new Error(missing);
    const model = await loadShippedModel();
    this.#network = await FlowNetwork.load(model.file, threads);
    this.#golden = model.golden;
    this.#painter = new FlowPainter();
    const { width, height } = this.#network;
    // Read at each frame: kept where the processor can.
    this.#input = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
    this.#input.imageSmoothingQuality = "medium";
    return { name: model.name, width, height, threads: this.#network.threads };
  }

  /** The golden pair in, compared with its golden flow: {mean, largest}, px. */
  async check() {
    const { images, flow, step } = this.#golden;
    const [frame1, frame2] = await Promise.all(images.map(exactBitmap));
    const { width, height } = this.#network;
    const predicted = await this.predict({ frame1, frame2 });
    return compareFlow(predicted.flow, width, height, flow, step);
  }

  /** Flow from one frame to another, in the network's size and pixels. */
  async predict({ frame1, frame2 }) {
    const network = this.#network;
    const tensors = [];
    try {
      for (const frame of [frame1, frame2]) tensors.push(this.#pack(frame, this.#fit(frame)));
      return { flow: await network.run(...tensors) };
    } finally {
      for (const tensor of tensors) network.deleteTensor(tensor);
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
   * @returns the frame before with its flow: the picture and its colours as ImageBitmaps, the
   *     arrows, times in ms; nothing but times for a first frame
   */
  async next({ frame, first, maxFlow, colors, arrows }) {
    const times = {};
    const clock = stopwatch(times);
    const box = this.#fit(frame);
    const tensor = this.#pack(frame, box);
    clock("pack");
    const last = this.#last;
    this.#last = { frame, tensor };
    if (!last) return { times };
    const sameSize = last.frame.width === frame.width && last.frame.height === frame.height;
    const flow = first || !sameSize ? null : await this.#network.run(last.tensor, tensor);
    this.#network.deleteTensor(last.tensor);
    if (!flow) {
      last.frame.close();
      return { times };
    }
    clock("run");
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
    return this.#network.tensor(this.#input.getImageData(0, 0, width, height).data);
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
