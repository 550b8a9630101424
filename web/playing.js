// What plays now. Between two answers the position moves on by itself, as audio does.

import { originOf, titleOf } from "./names.js";
import { clock } from "./weeks.js";

export class Playing {
  #part;
  #told = null;
  #toldAt = 0;
  #named = "";

  constructor(part) {
    this.#part = part;
    setInterval(() => this.#move(), 1_000);
  }

  /** Show what the server told (null: nothing plays). */
  show(told) {
    this.#told = told;
    this.#toldAt = performance.now();
    document.body.classList.toggle("is-playing", Boolean(told?.is_playing));
    this.#part.section.classList.toggle("idle", !told);
    this.#name(told?.item);
    this.#move();
  }

  #name(track) {
    const named = JSON.stringify(track ?? null);
    if (named === this.#named) return; // A link that has the focus keeps it.
    this.#named = named;
    this.#part.track.replaceChildren(track ? titleOf(track) : "Nothing right now");
    this.#part.origin.replaceChildren(...originOf(track));
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
