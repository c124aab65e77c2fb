// Which flow the network does not trust itself.

// The threshold with which RillFlow's confidence finds what the second picture hides: docs/trust.md.
const DOUBTFUL = 0.35;

/**
 * Flow becomes unknown where its confidence is low.
 *
 * @param {Float32Array} flow (u, v) by (u, v); is changed
 * @param {Float32Array} confidence of each pixel, in [0, 1]
 */
export function hideDoubtful(flow, confidence) {
  for (let pixel = 0; pixel < confidence.length; pixel++) {
    if (!(confidence[pixel] >= DOUBTFUL)) flow[2 * pixel] = NaN; // NaN is doubtful, too
  }
}
