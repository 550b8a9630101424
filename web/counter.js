// The number that grows. It moves only between two values that the server has said.

const MOVE_MS = 1_200;

export class Counter {
  #shown = 0;
  #from = 0;
  #target = 0;
  #began = 0;
  #frame = 0;
  #show;

  constructor(show) {
    this.#show = show;
  }

  /** Go to `ms` at once: another week, or less than before. */
  jump(ms) {
    cancelAnimationFrame(this.#frame);
    this.#shown = this.#target = ms;
    this.#show(ms);
  }

  /** Count up to `ms`; never beyond it. */
  grow(ms) {
    if (ms < this.#shown || document.hidden || calm()) return this.jump(ms);
    if (ms === this.#target) return undefined;
    cancelAnimationFrame(this.#frame);
    [this.#from, this.#target, this.#began] = [this.#shown, ms, performance.now()];
    this.#frame = requestAnimationFrame((now) => this.#step(now));
    return undefined;
  }

  #step(now) {
    const part = Math.min(1, Math.max(0, (now - this.#began) / MOVE_MS));
    const eased = 1 - (1 - part) ** 3;
    this.#shown = Math.min(this.#target, this.#from + (this.#target - this.#from) * eased);
    this.#show(Math.floor(this.#shown));
    if (part < 1) this.#frame = requestAnimationFrame((next) => this.#step(next));
  }
}

const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
