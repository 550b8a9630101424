// Ask again and again: soon while something plays, seldom while nobody looks, ever later while nobody answers.

import { Away } from "./transport.js";

const HIDDEN_MS = 60_000;
const BACKOFF_MS = [1_000, 2_000, 4_000, 8_000, 15_000, 30_000];

/** Runs `ask` (which returns the ms until the next time) until stopped; tells `onAway(ms)`, `onBack()`, `onError(error)`. */
export class Poll {
  #ask;
  #on;
  #timer = 0;
  #failures = 0;
  #running = false;
  #round = 0;

  constructor(ask, on) {
    this.#ask = ask;
    this.#on = on;
    document.addEventListener("visibilitychange", () => !document.hidden && this.now());
    addEventListener("online", () => this.now());
  }

  /** Begin, at once or after `wait` ms. */
  start(wait = 0) {
    this.#running = true;
    this.#failures = 0;
    clearTimeout(this.#timer);
    if (wait > 0) this.#timer = setTimeout(() => this.now(), wait);
    else this.now();
  }

  stop() {
    this.#running = false;
    this.#round += 1;
    clearTimeout(this.#timer);
  }

  /** Ask at once; what an earlier round still brings is dropped by its caller. */
  async now() {
    if (!this.#running) return;
    clearTimeout(this.#timer);
    const round = ++this.#round;
    let wait;
    try {
      wait = await this.#ask();
      if (round !== this.#round) return;
      if (this.#failures > 0) this.#on.back();
      this.#failures = 0;
      if (document.hidden) wait = Math.max(wait, HIDDEN_MS);
    } catch (error) {
      if (round !== this.#round) return;
      wait = this.#later(error);
      if (error instanceof Away) this.#on.away(wait);
      else this.#on.error(error);
      if (round !== this.#round) return; // The listener was told to leave, or to ask anew.
    }
    this.#timer = setTimeout(() => this.now(), wait);
  }

  #later(error) {
    const base = BACKOFF_MS[Math.min(this.#failures, BACKOFF_MS.length - 1)];
    this.#failures += 1;
    // Jitter, so that a server that comes back is not met by everybody at once.
    return Math.max(error.retryMs ?? 0, base * (0.75 + Math.random() / 2));
  }
}
