// How a frame lies in the network's input of another size. All lengths are in pixels.

/**
 * Both sides are scaled alike; black bars fill what is left, half on each side.
 *
 * @param {number} sourceWidth of the frame
 * @param {number} sourceHeight
 * @param {number} width of the network's input
 * @param {number} height
 * @returns {{left, top, width, height, scaleX, scaleY}} the frame's part of the input, and how many
 *     of the frame's pixels one of the input's is
 */
export function fit(sourceWidth, sourceHeight, width, height) {
  for (const side of [sourceWidth, sourceHeight, width, height]) {
    if (!(Number.isInteger(side) && side > 0)) {
      throw new RangeError(
        `expected whole sides above 0 px; got ${sourceWidth} x ${sourceHeight} into ${width} x ${height}`,
      );
    }
  }
  const scale = Math.min(width / sourceWidth, height / sourceHeight);
  const inner = (side, most) => Math.max(1, Math.min(most, Math.round(side * scale)));
  const innerWidth = inner(sourceWidth, width);
  const innerHeight = inner(sourceHeight, height);
  return {
    left: Math.floor((width - innerWidth) / 2),
    top: Math.floor((height - innerHeight) / 2),
    width: innerWidth,
    height: innerHeight,
    scaleX: sourceWidth / innerWidth,
    scaleY: sourceHeight / innerHeight,
  };
}
