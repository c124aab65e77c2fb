// Flow as arrows on a grid.

import { isKnown } from "./colors.js";

const STILL = 0.02; // of maxFlow; shorter arrows would be dots

/**
 * The arrows of a flow: an arrow as long as the grid's spacing is a motion of maxFlow, and none is
 * longer.
 *
 * @param {Float32Array} flow of the network's input, (u, v) by (u, v), rows from the top
 * @param {number} stride the width of the network's input
 * @param box of fit()
 * @param {number} maxFlow in the frame's pixels
 * @param {number} spacing of the grid, in the network's pixels
 * @returns {Float32Array} x, y, dx, dy of each arrow, in the frame's pixels
 */
export function flowArrows(flow, stride, box, maxFlow, spacing = 24) {
  const columns = Math.max(1, Math.round(box.width / spacing));
  const rows = Math.max(1, Math.round(box.height / spacing));
  const arrows = new Float32Array(4 * columns * rows);
  const longest = Math.min((box.width * box.scaleX) / columns, (box.height * box.scaleY) / rows);
  let count = 0;
  for (let row = 0; row < rows; row++) {
    const y = Math.floor(((row + 0.5) * box.height) / rows);
    for (let column = 0; column < columns; column++) {
      const x = Math.floor(((column + 0.5) * box.width) / columns);
      const from = 2 * ((box.top + y) * stride + box.left + x);
      const u = flow[from] * box.scaleX;
      const v = flow[from + 1] * box.scaleY;
      const motion = Math.hypot(u, v) / maxFlow;
      if (!isKnown(u, v) || motion < STILL) continue;
      const length = longest / (maxFlow * Math.max(1, motion));
      // A pixel's centre is at its index plus a half.
      arrows.set([(x + 0.5) * box.scaleX, (y + 0.5) * box.scaleY, u * length, v * length], count);
      count += 4;
    }
  }
  return arrows.subarray(0, count);
}
