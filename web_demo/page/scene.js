// A scene to look at without a camera: a textured plane that drifts, and textured discs over it.

export const FRAMES_PER_SECOND = 30;

export const SCENE_SIZE = { width: 640, height: 480 };

// Each disc: radius, and its path's centre, extent and speed; lengths in px, speeds in rad/s.
const DISCS = [
  { radius: 92, x: 200, y: 190, across: 110, down: 40, speed: 2.2, phase: 0 },
  { radius: 64, x: 450, y: 150, across: 60, down: 90, speed: 2.9, phase: 2 },
  { radius: 78, x: 420, y: 350, across: 150, down: 50, speed: 1.7, phase: 4 },
];
const DRIFT = { across: 70, down: 45, speed: 0.8 };

export class Scene {
  #context;
  #plane;
  #discs;

  constructor() {
    const { width, height } = SCENE_SIZE;
    const random = numbers(7);
    this.#context = new OffscreenCanvas(width, height).getContext("2d");
    this.#plane = texture(width + 2 * DRIFT.across, height + 2 * DRIFT.down, 500, random, 210);
    this.#discs = DISCS.map(({ radius }, i) => texture(2 * radius, 2 * radius, 80, random, 20 + 130 * i));
  }

  /** The frame of a number, from 0 up: equal numbers give equal frames. */
  frame(number) {
    const time = number / FRAMES_PER_SECOND;
    const { width, height } = SCENE_SIZE;
    const context = this.#context;
    context.fillRect(0, 0, width, height);
    const angle = DRIFT.speed * time;
    context.drawImage(
      this.#plane,
      -DRIFT.across * (1 + Math.sin(angle)),
      -DRIFT.down * (1 + Math.cos(1.3 * angle)),
    );
    DISCS.forEach((disc, i) => {
      const turn = disc.speed * time + disc.phase;
      context.save();
      context.translate(disc.x + disc.across * Math.sin(turn), disc.y + disc.down * Math.cos(0.8 * turn));
      context.beginPath();
      context.arc(0, 0, disc.radius, 0, 2 * Math.PI);
      context.clip();
      context.drawImage(this.#discs[i], -disc.radius, -disc.radius);
      context.restore();
    });
    return context.canvas.transferToImageBitmap();
  }
}

/** Ellipses of many sizes and of colours around a hue: something to hold on to everywhere. */
function texture(width, height, count, random, hue) {
  const context = new OffscreenCanvas(width, height).getContext("2d");
  context.fillStyle = `hsl(${hue} 30% 40%)`;
  context.fillRect(0, 0, width, height);
  for (let i = 0; i < count; i++) {
    const size = 4 + 36 * (1 - i / count) * random();
    context.fillStyle = `hsl(${hue + 70 * (random() - 0.5)} ${30 + 40 * random()}% ${15 + 65 * random()}%)`;
    context.beginPath();
    context.ellipse(
      width * random(), height * random(), size, size * (0.3 + 0.7 * random()), Math.PI * random(), 0, 7,
    );
    context.fill();
  }
  return context.canvas;
}

/** Numbers in [0, 1) that look random, the same at each start (a linear congruential generator). */
function numbers(seed) {
  let state = seed;
  return () => (state = (1664525 * state + 1013904223) % 2 ** 32) / 2 ** 32;
}
