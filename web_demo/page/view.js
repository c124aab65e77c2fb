// What is drawn on the canvases.

import { wheelDisc } from "./colors.js";

const CRISP = 800; // px; a canvas's least width, that arrows over a small frame are fine lines

/**
 * A frame with its flow, on a canvas that takes the frame's shape.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {ImageBitmap} picture the frame
 * @param {ImageBitmap} [colors] of any size, stretched over it
 * @param {Float32Array} [arrows] of flowArrows()
 * @param {number} blend 0: the frame shines through, 1: the flow alone
 */
export function drawFlow(context, { picture, colors, arrows }, blend) {
  const { canvas } = context;
  const { width, height } = picture;
  const scale = Math.ceil(CRISP / width);
  if (canvas.width !== scale * width || canvas.height !== scale * height) {
    canvas.width = scale * width;
    canvas.height = scale * height;
  }
  context.setTransform(scale, 0, 0, scale, 0, 0); // in the frame's pixels
  context.globalAlpha = 1;
  context.drawImage(picture, 0, 0);
  context.globalAlpha = blend;
  if (colors) {
    context.drawImage(colors, 0, 0, width, height);
  } else if (arrows) {
    context.fillStyle = "#000";
    context.fillRect(0, 0, width, height);
  }
  context.globalAlpha = 1;
  if (arrows) drawArrows(context, arrows, Math.max(1, width / 400));
}

function drawArrows(context, arrows, thickness) {
  const path = new Path2D();
  for (let i = 0; i < arrows.length; i += 4) {
    const [x, y, dx, dy] = arrows.subarray(i, i + 4);
    const [tipX, tipY] = [x + dx, y + dy];
    path.moveTo(x, y);
    path.lineTo(tipX, tipY);
    // Two strokes of the head, a third as long, at 30 degrees to either side.
    for (const side of [-1, 1]) {
      path.moveTo(tipX, tipY);
      path.lineTo(tipX - 0.29 * dx + side * 0.167 * dy, tipY - 0.29 * dy - side * 0.167 * dx);
    }
  }
  context.lineCap = "round";
  for (const [color, width] of [["#000a", 2.6 * thickness], ["#fff", 1.1 * thickness]]) {
    context.strokeStyle = color;
    context.lineWidth = width;
    context.stroke(path);
  }
}

/** The colours' key, on a square canvas. */
export function drawWheel(context) {
  const size = context.canvas.width;
  context.putImageData(new ImageData(wheelDisc(size), size, size), 0, 0);
}
