// A flow network on LiteRT.js; in a worker, since it runs for as long as a frame lasts.

const LIBRARY = "./litert/core.js";
// What was exported by tfflow has this signature, of image1 and image2 to flow, and to confidence if
// the file gives it; and, if it streams, two more: each frame goes through encode once, and match
// takes the features of two.
const SIGNATURE = "flow";
const [ENCODE, MATCH] = ["encode", "match"];
// A byte's value in [0, 1], as float32: the same numbers as Python's.
const LEVELS = Float32Array.from({ length: 256 }, (_, level) => level / 255);

// (module (func (result v128) i32.const 0 i8x16.splat)): is valid where WebAssembly has SIMD.
const SIMD = [
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 8, 1, 6, 0, 65, 0, 253, 15, 11,
];

/** Why the network can't run here; empty if it can. */
export function missingHere() {
  const missing =
    typeof WebAssembly !== "object" ? "WebAssembly"
    : !WebAssembly.validate(Uint8Array.from(SIMD)) ? "SIMD in WebAssembly"
    : typeof OffscreenCanvas !== "function" ? "OffscreenCanvas"
    : "";
  return (
    missing &&
    `This browser has no ${missing}, or it is turned off; the network needs it. Use Chrome or Edge ` +
      "from 91, Firefox from 114 or Safari from 16.4, on a processor of the last fifteen years."
  );
}

/** Whether the browser has a GPU that LiteRT.js can ask for. */
export async function hasGpu() {
  return Boolean(await navigator.gpu?.requestAdapter().catch(() => null));
}

/**
 * Not for two runs at once: it has one set of tensors. What prepare() and run() make outside of
 * JavaScript's memory is deleted by hand: what prepare() gives with release().
 */
export class FlowNetwork {
  /** Of the network's input and output. */
  width;
  height;
  threads;
  /** "webgpu" or "wasm". */
  unit;
  /** The size {width, height} of its confidence; null if it gives none. */
  confidenceSize = null;
  /** How many tensors are alive. */
  tensors = 0;

  #liteRt;
  #library;
  #model;
  #values;

  /**
   * @param {Uint8Array} file a .tflite
   * @param {"webgpu"|"wasm"} unit what shall run it
   * @param {number} threads of the processor, at most; 0 for as many as pay
   * @throws if LiteRT.js does not load, or the file is no flow network
   */
  static async load(file, unit, threads) {
    const network = new FlowNetwork();
    network.unit = unit;
    await network.#loadLibrary(threads);
    try {
      network.#model = await network.#library.loadAndCompile(file, {
        accelerator: unit,
        cpuOptions: { numThreads: network.threads },
      });
    } catch (error) {
      throw new Error(`LiteRT.js can't load the network: ${reason(error)}`);
    }
    // What the GPU can't run LiteRT.js leaves to one thread of the processor, or all of it where
    // WebAssembly can't wait for a GPU, and says so on the console alone.
    const { options, isFullyAccelerated } = network.#model;
    if (unit === "webgpu" && !(options.accelerator === unit && isFullyAccelerated)) {
      throw new Error("LiteRT.js can't run all of the network on this browser's GPU");
    }
    network.#readShapes();
    return network;
  }

  async #loadLibrary(threads) {
    const folder = new URL("./litert/wasm/", import.meta.url);
    // LiteRT.js takes both places from the script that it runs in, which is the worker's here.
    self.Module = {
      locateFile: (name) => new URL(name, folder).href,
      mainScriptUrlOrBlob: new URL("litert_wasm_threaded_internal.js", folder).href,
    };
    try {
      this.#library = await import(LIBRARY);
      const gpu = this.unit === "webgpu";
      this.threads = gpu ? 1 : await usableThreads(this.#library, threads);
      // The build that can wait for a GPU, where the browser lets WebAssembly wait.
      const waits = gpu && (await this.#library.supportsFeature("jspi"));
      const options = waits ? { jspi: true } : { threads: this.threads > 1 };
      this.#liteRt = await this.#library.loadLiteRt(folder.href, options);
    } catch (error) {
      throw new Error(
        `LiteRT.js can't be loaded: ${reason(error)}. Reload the page; if that does not help, make ` +
          "the site again: python web_demo/make_site.py",
      );
    }
  }

  #readShapes() {
    const { signatures } = this.#model;
    const flow = signatures[SIGNATURE];
    const inputs = Object.fromEntries((flow?.getInputDetails() ?? []).map((x) => [x.name, x]));
    const output = flow?.getOutputDetails().find((x) => x.name === "flow");
    const [batch, height, width, channels] = inputs.image1?.shape ?? [];
    const wanted = {
      image1: [1, height, width, 3],
      image2: [1, height, width, 3],
      flow: [1, height, width, 2],
    };
    const fits = Object.entries(wanted).every(([name, shape]) => {
      const tensor = name === "flow" ? output : inputs[name];
      return tensor?.dtype === "float32" && `${tensor.shape}` === `${shape}`;
    });
    if (!fits) {
      throw new Error(
        "expected a signature 'flow' of image1, image2 (1, H, W, 3) to flow (1, H, W, 2), all " +
          `float32; the file has ${describe(signatures)}. Export it with tfflow, in a mode that ` +
          "takes float32: int8, float16, float32.",
      );
    }
    this.width = width;
    this.height = height;
    const confidence = flow.getOutputDetails().find((x) => x.name === "confidence");
    if (confidence) {
      const [, rows, columns] = confidence.shape;
      this.confidenceSize = { width: columns, height: rows };
    }
    this.#values = new Float32Array(batch * height * width * channels);
  }

  /**
   * A picture as run() takes it: a tensor, or, where the file streams, its features by name. To be
   * given back with release().
   */
  async prepare(rgba) {
    const image = this.#tensor(rgba);
    if (!this.#streams) return { image };
    try {
      const features = await this.#model.signatures[ENCODE].run({ image });
      this.tensors += Object.keys(features).length;
      return features;
    } finally {
      this.release({ image });
    }
  }

  get #streams() {
    return ENCODE in this.#model.signatures && MATCH in this.#model.signatures;
  }

  /** RGB in [0, 1]. */
  #tensor(rgba) {
    const values = this.#values;
    for (let from = 0, to = 0; to < values.length; from += 4, to += 3) {
      values[to] = LEVELS[rgba[from]];
      values[to + 1] = LEVELS[rgba[from + 1]];
      values[to + 2] = LEVELS[rgba[from + 2]];
    }
    const tensor = new this.#library.Tensor(values, [1, this.height, this.width, 3]);
    this.tensors++;
    return tensor;
  }

  release(prepared) {
    for (const tensor of Object.values(prepared)) {
      tensor.delete();
      this.tensors--;
    }
  }

  /**
   * From one prepared picture to another, rows from the top: flow in the network's pixels, (u, v) by
   * (u, v), and, where the network gives it, how far it trusts its flow, in [0, 1].
   *
   * @returns {Promise<{flow: Float32Array, confidence: {values, width, height}|null}>}
   */
  async run(older, newer) {
    const { signatures } = this.#model;
    const outputs = this.#streams
      ? await signatures[MATCH].run(this.#matched(older, newer))
      : await signatures[SIGNATURE].run({ image1: older.image, image2: newer.image });
    this.tensors += Object.keys(outputs).length;
    try {
      const flow = await outputs.flow.data();
      const size = this.confidenceSize;
      return { flow, confidence: size && { ...size, values: await outputs.confidence.data() } };
    } finally {
      this.release(outputs);
    }
  }

  /** What match takes: features1_NAME of the older picture, features2_NAME of the newer. */
  #matched(older, newer) {
    const details = this.#model.signatures[MATCH].getInputDetails();
    return Object.fromEntries(
      details.map(({ name }) => {
        const [, which, feature] = name.match(/^features([12])_(.*)$/);
        return [name, (which === "1" ? older : newer)[feature]];
      }),
    );
  }

  /** Bytes that LiteRT.js holds; they never shrink. */
  get heapBytes() {
    return this.#liteRt.liteRtWasm.HEAPU8.byteLength;
  }
}

/** How many threads the network gets. */
async function usableThreads({ supportsFeature }, wanted) {
  // Threads share memory, which browsers allow to isolated pages alone; and of LiteRT.js's builds
  // only that with relaxed SIMD has them.
  for (const feature of ["threads", "relaxedSimd"]) {
    if (!(await supportsFeature(feature))) return 1;
  }
  const cores = navigator.hardwareConcurrency || 1;
  // Phones have four fast cores at best.
  return Math.max(1, Math.min(wanted || 4, cores));
}

function describe(signatures) {
  const tensor = ({ name, dtype, shape }) => `${name} ${dtype} (${[...shape].join(", ")})`;
  const list = (details) => details.map(tensor).join(", ");
  return Object.entries(signatures)
    .map(([name, x]) => `${name}: ${list(x.getInputDetails())} to ${list(x.getOutputDetails())}`)
    .join("; ");
}

// WebAssembly throws plain numbers and strings, too.
const reason = (error) => error?.message ?? String(error);
