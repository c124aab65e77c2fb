// Runs the pipeline's methods for the page: {id, method, argument} in, {id, result} or {id, error} out.
// Not a module worker: LiteRT.js loads its WebAssembly with importScripts, which those don't have.

const pipeline = import("./pipeline.js").then(({ FlowPipeline }) => new FlowPipeline());

self.onmessage = async ({ data: { id, method, argument } }) => {
  try {
    const result = await (await pipeline)[method](argument);
    // What is large is handed over, not copied.
    const parts = Object.values(result).map((part) => part?.buffer ?? part);
    const large = parts.filter((part) => part instanceof ImageBitmap || part instanceof ArrayBuffer);
    self.postMessage({ id, result }, large);
  } catch (error) {
    self.postMessage({ id, error: error?.message ?? String(error) });
  }
};
