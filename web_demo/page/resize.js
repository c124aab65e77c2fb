// Bilinear resizing, as tfflow does it: half-pixel centres, the edge repeated.

/**
 * One axis of a picture: what a place of the new size is made of.
 *
 * @param {number} place a pixel's index in the new size
 * @param {number} from pixels of the old size
 * @param {number} to pixels of the new size
 * @returns {{first, second, share}} two indices of the old size, and the share of the second
 */
export function axis(place, from, to) {
  const position = Math.min(Math.max(((place + 0.5) * from) / to - 0.5, 0), from - 1);
  const first = Math.floor(position);
  return { first, second: Math.min(first + 1, from - 1), share: position - first };
}
