/**
 * Does this browser compute what the file was shipped with? The distance of a flow from the golden
 * one, which is kept at every step-th pixel of both directions, from the first on.
 *
 * @param {Float32Array} flow (u, v) by (u, v), rows from the top
 * @param {Float32Array} golden
 * @returns {{mean, largest}} in pixels; NaN where a number is none
 */
export function compareFlow(flow, width, height, golden, step) {
  const count = Math.ceil(width / step) * Math.ceil(height / step);
  if (golden.length !== 2 * count) {
    throw new Error(
      `the golden flow has ${golden.length} numbers; expected ${2 * count}: (u, v) at every ${step}th ` +
        `of ${width} x ${height} pixels. It is of another network than the file: run ` +
        "python export/fill_demo.py, make the site again and reload the page.",
    );
  }
  let sum = 0;
  let largest = 0;
  let at = 0;
  for (let y = 0; y < height; y += step) {
    for (let x = 0; x < width; x += step) {
      const from = 2 * (y * width + x);
      const error = Math.hypot(flow[from] - golden[at++], flow[from + 1] - golden[at++]);
      sum += error;
      largest = Math.max(largest, error); // NaN stays NaN
    }
  }
  return { mean: sum / count, largest };
}
