// Does this browser compute flow as good as the file's? The app's SelfCheck, with the same limits: what
// rounds otherwise than the machine that the file was exported on passes, what computes wrong does not.

import { axis } from "./resize.js";

const MOST_APART = 0.5; // px, on average
const MOST_GROWTH = 1.1; // of the distance to the truth
const SLACK = 0.1; // px

/**
 * @param {Float32Array} flow (u, v) by (u, v), rows from the top, of the network's size
 * @param {{width, height}} network its size
 * @param {{width, height}} images that of the golden pair, in whose pixels the other two flows are
 * @param {{flow, truth, step}} golden the file's flow and the true one, at every step-th pixel
 * @returns {{epe, expected, apart}} mean distances in pixels: to the truth, of the file's own flow to
 *     the truth, and of the two; NaN where a number is none
 */
export function compareFlow(flow, network, images, { flow: golden, truth, step }) {
  const count = Math.ceil(images.width / step) * Math.ceil(images.height / step);
  for (const [name, values] of Object.entries({ golden, true: truth })) {
    if (values.length !== 2 * count) {
      throw new Error(
        `the ${name} flow has ${values.length} numbers; expected ${2 * count}: (u, v) at every ` +
          `${step}th of ${images.width} x ${images.height} pixels. It is of another pair: run python ` +
          "export/fill_demo.py, make the site again and reload the page.",
      );
    }
  }
  const sums = { epe: 0, expected: 0, apart: 0 };
  const distance = (u1, v1, u2, v2) => Math.hypot(u1 - u2, v1 - v2);
  let at = 0;
  for (let y = 0; y < images.height; y += step) {
    for (let x = 0; x < images.width; x += step, at += 2) {
      const [u, v] = sample(flow, network, images, x, y);
      sums.epe += distance(u, v, truth[at], truth[at + 1]);
      sums.expected += distance(golden[at], golden[at + 1], truth[at], truth[at + 1]);
      sums.apart += distance(u, v, golden[at], golden[at + 1]);
    }
  }
  return { epe: sums.epe / count, expected: sums.expected / count, apart: sums.apart / count };
}

/** Whether what compareFlow() found is as good as the file's own. */
export const passes = ({ epe, expected, apart }) =>
  apart <= MOST_APART && epe <= MOST_GROWTH * expected + SLACK; // NaN is wrong

/** What compareFlow() found, for people. */
export const describe = ({ epe, expected, apart }) =>
  `EPE ${epe.toFixed(2)} px, ${expected.toFixed(2)} expected, ${apart.toFixed(2)} apart`;

/** The flow at a pixel of an image of another size, in its pixels: as tfflow resizes flow. */
function sample(flow, from, to, x, y) {
  const across = axis(x, from.width, to.width);
  const down = axis(y, from.height, to.height);
  return [0, 1].map((c) => {
    const row = (y) => {
      const at = (x) => flow[2 * (y * from.width + x) + c];
      return at(across.first) + across.share * (at(across.second) - at(across.first));
    };
    const value = row(down.first) + down.share * (row(down.second) - row(down.first));
    return value * (c ? to.height / from.height : to.width / from.width);
  });
}
