// The page's side of worker.js.

/** The pipeline in a worker: each method of FlowPipeline as a promise. */
export class FlowWorker {
  #worker = new Worker(new URL("./worker.js", import.meta.url));
  #calls = new Map();
  #lastId = 0;

  constructor() {
    this.#worker.onmessage = ({ data: { id, result, error } }) => {
      const { resolve, reject } = this.#calls.get(id);
      this.#calls.delete(id);
      if (error === undefined) resolve(result);
      else reject(new Error(error));
    };
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#fail(`The page's worker has failed: ${event.message ?? "its script can't be loaded"}`);
    };
  }

  /** What can be tried, the best first: "webgpu", "wasm". */
  units() {
    return this.#call("units");
  }

  /** The network ready: {name, width, height, threads, givesConfidence}. */
  load(name, unit, threads) {
    return this.#call("load", { name, unit, threads });
  }

  check() {
    return this.#call("check");
  }

  predict(frame1, frame2) {
    return this.#call("predict", { frame1, frame2 }, [frame1, frame2]);
  }

  next(frame, options) {
    return this.#call("next", { frame, ...options }, [frame]);
  }

  memory() {
    return this.#call("memory");
  }

  /** Ends the worker, which frees all that it holds. */
  close() {
    this.#worker.terminate();
    this.#fail("The network was closed.");
  }

  #call(method, argument, large = []) {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#calls.set(id, { resolve, reject });
      this.#worker.postMessage({ id, method, argument }, large);
    });
  }

  #fail(message) {
    for (const { reject } of this.#calls.values()) reject(new Error(message));
    this.#calls.clear();
  }
}
