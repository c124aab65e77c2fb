// Flow as colours, Middlebury's code, as tfflow.visualization.flow_to_image paints it: the hue tells
// the direction, white is no motion, full colour is a motion of maxFlow.

// The wheel's corners, and how many of its colours lie between each and the next (the last: red).
const ARCS = [
  [[255, 0, 0], 15],
  [[255, 255, 0], 6],
  [[0, 255, 0], 4],
  [[0, 255, 255], 11],
  [[0, 0, 255], 13],
  [[255, 0, 255], 6],
];
const WHEEL = ARCS.flatMap(([corner, count], arc) => {
  const next = ARCS[(arc + 1) % ARCS.length][0];
  return Array.from({ length: count }, (_, i) =>
    corner.map((level, c) => (level + Math.trunc(((next[c] - level) * i) / count)) / 255),
  );
});
const UNKNOWN = 1e9; // px; a larger component, NaN too, means that the flow is not known

export const isKnown = (u, v) => Math.abs(u) <= UNKNOWN && Math.abs(v) <= UNKNOWN;

/** The colour of one motion: [red, green, blue], 0 to 255; black where it is not known. */
export function flowColor(u, v, maxFlow) {
  if (!isKnown(u, v)) return [0, 0, 0];
  const radius = Math.sqrt(u * u + v * v) / maxFlow;
  // The wheel starts at the left and turns to the top. Adding 0 makes -0 to 0, without which the
  // angle of pure right is pi at times, and not -pi.
  const angle = Math.atan2(-(v + 0), -u) / Math.PI;
  const position = ((angle + 1) / 2) * (WHEEL.length - 1);
  const below = Math.trunc(position);
  const fraction = position - below;
  const after = WHEEL[(below + 1) % WHEEL.length];
  return WHEEL[below].map((first, c) => {
    const hue = (1 - fraction) * first + fraction * after[c];
    return Math.trunc(255 * (radius <= 1 ? 1 - radius * (1 - hue) : 0.75 * hue));
  });
}

// Colours by table, since atan2 for each pixel costs a phone more than all the rest of the painting.
// The table is a square around no motion, of REACH times maxFlow to each side. Beyond maxFlow a
// colour depends on the direction alone, so larger motions are moved to the square's edge.
const CELLS = 801; // odd: no motion is the centre of a cell, and exactly white
const REACH = 1.2;
const CELLS_PER_UNIT = (CELLS - 1) / (2 * REACH);

function colorTable() {
  const table = new Uint32Array(CELLS * CELLS);
  const middle = (CELLS - 1) / 2;
  for (let row = 0, at = 0; row < CELLS; row++) {
    for (let column = 0; column < CELLS; column++, at++) {
      const u = (column - middle) / CELLS_PER_UNIT;
      const v = (row - middle) / CELLS_PER_UNIT;
      const [red, green, blue] = flowColor(u, v, 1);
      table[at] = opaque(red, green, blue);
    }
  }
  return table;
}

// A canvas's pixel as one number, on the little-endian machines that all browsers run on.
const opaque = (red, green, blue) => ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;

/** Paints flow. To make one takes as long as to paint some frames. */
export class FlowPainter {
  #colors = colorTable();

  /**
   * Paints the frame's part of the network's flow; at most two levels off flowColor, but within a cell
   * of the table from where the code itself jumps: at maxFlow, and at the wheel's seam, to the right.
   *
   * @param {Float32Array} flow of the network's input, (u, v) by (u, v), rows from the top
   * @param {number} stride the width of the network's input
   * @param box of fit()
   * @param {number} maxFlow in the frame's pixels
   * @param {Uint32Array} pixels box.width x box.height, RGBA; transparent where flow is not known
   */
  paint(flow, stride, box, maxFlow, pixels) {
    const toU = box.scaleX / maxFlow;
    const toV = box.scaleY / maxFlow;
    let at = 0;
    for (let y = 0; y < box.height; y++) {
      let from = 2 * ((box.top + y) * stride + box.left);
      for (let x = 0; x < box.width; x++, from += 2) {
        if (!isKnown(flow[from], flow[from + 1])) {
          pixels[at++] = 0;
          continue;
        }
        const u = flow[from] * toU;
        const v = flow[from + 1] * toV;
        const longer = Math.max(Math.abs(u), Math.abs(v));
        const scale = longer > REACH ? (REACH / longer) * CELLS_PER_UNIT : CELLS_PER_UNIT;
        const column = Math.floor(u * scale + CELLS / 2);
        const row = Math.floor(v * scale + CELLS / 2);
        pixels[at++] = this.#colors[row * CELLS + column];
      }
    }
  }
}

/**
 * The colour code as a disc: a motion from the centre to a point has that point's colour.
 *
 * @returns {Uint8ClampedArray} size x size RGBA, transparent outside the disc
 */
export function wheelDisc(size) {
  const pixels = new Uint8ClampedArray(4 * size * size);
  const radius = size / 2;
  for (let y = 0, at = 0; y < size; y++) {
    for (let x = 0; x < size; x++, at += 4) {
      const u = (x + 0.5 - radius) / radius;
      const v = (y + 0.5 - radius) / radius;
      pixels.set(flowColor(u, v, Math.max(1, Math.hypot(u, v))), at);
      // The edge fades over one pixel.
      pixels[at + 3] = 255 * Math.min(1, Math.max(0, radius - radius * Math.hypot(u, v) + 0.5));
    }
  }
  return pixels;
}
