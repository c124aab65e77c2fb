/** Does one job at a time; of what is offered meanwhile, only the newest is kept. */
export class Latest {
  #job;
  #busy = false;
  #waiting = null;

  /** How many were never done, since newer ones came. */
  dropped = 0;

  /** @param {(item) => Promise} job one that fails does not end the others */
  constructor(job) {
    this.#job = job;
  }

  offer(item) {
    if (this.#busy) {
      if (this.#waiting) this.dropped++;
      this.#waiting = { item };
    } else {
      this.#work(item);
    }
  }

  async #work(item) {
    this.#busy = true;
    try {
      await this.#job(item);
    } finally {
      this.#busy = false;
      const next = this.#waiting;
      this.#waiting = null;
      if (next) this.offer(next.item);
    }
  }
}
