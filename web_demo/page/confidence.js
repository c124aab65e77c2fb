// Which flow the network does not trust itself.

import { axis } from "./resize.js";

// The threshold with which RillFlow's confidence finds what the second picture hides: docs/trust.md.
const DOUBTFUL = 0.35;

/**
 * Flow becomes unknown where its confidence is low.
 *
 * @param {Float32Array} flow (u, v) by (u, v), rows from the top; is changed
 * @param {{width, height}} size of the flow
 * @param {{values: Float32Array, width, height}} confidence in [0, 1], of the same picture
 */
export function hideDoubtful(flow, { width, height }, confidence) {
  const columns = Array.from({ length: width }, (_, x) => axis(x, confidence.width, width));
  for (let y = 0, at = 0; y < height; y++) {
    const down = axis(y, confidence.height, height);
    const [upper, lower] = [down.first, down.second].map((row) =>
      confidence.values.subarray(row * confidence.width, (row + 1) * confidence.width),
    );
    for (let x = 0; x < width; x++, at += 2) {
      const { first, second, share } = columns[x];
      const above = upper[first] + share * (upper[second] - upper[first]);
      const below = lower[first] + share * (lower[second] - lower[first]);
      if (!(above + down.share * (below - above) >= DOUBTFUL)) flow[at] = NaN; // NaN is doubtful
    }
  }
}
