// What plays now. Between two answers the position moves on by itself, as audio does.

import { wording } from "./history.js";
import { clock } from "./weeks.js";

export class Playing {
  #part;
  #told = null;
  #toldAt = 0;

  constructor(part) {
    this.#part = part;
    setInterval(() => this.#move(), 1_000);
  }

  /** Show what the server told (null: nothing plays). */
  show(told) {
    this.#told = told;
    this.#toldAt = performance.now();
    document.body.classList.toggle("is-playing", Boolean(told?.is_playing));
    const { title, artists } = told ? wording(told.item) : { title: "Nothing right now", artists: "" };
    this.#part.section.classList.toggle("idle", !told);
    this.#write(this.#part.track, title);
    this.#write(this.#part.artists, artists);
    this.#move();
  }

  #write(node, text) {
    if (node.textContent !== text) node.textContent = text;
  }

  #move() {
    const length = this.#told?.item?.duration_ms ?? 0;
    const known = typeof this.#told?.progress_ms === "number";
    const since = this.#told?.is_playing ? performance.now() - this.#toldAt : 0;
    const at = Math.min((this.#told?.progress_ms ?? 0) + since, length || Infinity);
    this.#part.progress.hidden = !(known && length > 0);
    this.#part.done.style.setProperty("width", `${length ? (100 * at) / length : 0}%`);
    const state = this.#told && !this.#told.is_playing ? "Paused at " : "";
    this.#write(this.#part.times, known ? `${state}${clock(at)}${length ? ` of ${clock(length)}` : ""}` : "");
  }
}
