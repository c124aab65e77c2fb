// Times of the last frames: percentiles and frames a second.

/** How long each stage took over its last runs. */
export class LatencyStatistics {
  #window;
  #stages = new Map();

  /** @param {number} window how many of a stage's last times count */
  constructor(window = 100) {
    this.#window = window;
  }

  record(stage, milliseconds) {
    const times = this.#stages.get(stage) ?? [];
    this.#stages.set(stage, times);
    times.push(milliseconds);
    if (times.length > this.#window) times.shift();
  }

  /** The stages in the order in which they first came. */
  get stages() {
    return [...this.#stages.keys()];
  }

  /** Between two times in proportion, as NumPy does; NaN if the stage never ran. */
  percentile(stage, percent) {
    const times = Float64Array.from(this.#stages.get(stage) ?? []).sort();
    if (!times.length) return NaN;
    const place = (percent / 100) * (times.length - 1);
    const below = Math.floor(place);
    const above = Math.min(below + 1, times.length - 1);
    return times[below] + (times[above] - times[below]) * (place - below);
  }

  clear() {
    this.#stages.clear();
  }
}

/** Frames a second over the last two seconds. */
export class FrameRate {
  static SPAN = 2000; // ms
  #times = [];

  tick(now) {
    this.#times.push(now);
    this.#forget(now);
  }

  /** 0 until there are two frames, and when none came for two seconds. */
  perSecond(now) {
    this.#forget(now);
    const intervals = this.#times.length - 1;
    return intervals < 1 ? 0 : (1000 * intervals) / (this.#times.at(-1) - this.#times[0]);
  }

  clear() {
    this.#times = [];
  }

  #forget(now) {
    while (this.#times.length && now - this.#times[0] > FrameRate.SPAN) this.#times.shift();
  }
}
