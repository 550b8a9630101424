// What was played lately, newest first, a page at a time, without an end.

import { recentlyPlayed } from "./api.js";
import { originOf, titleOf } from "./names.js";
import { element } from "./nodes.js";
import { clock, inZone } from "./weeks.js";

const PAGE = 12;

const keyOf = (play) => `${play.played_at} ${play.track?.id ?? ""} ${play.play_id ?? ""}`;

export class History {
  #place;
  #older;
  #empty;
  #zone = "UTC";
  #plays = new Map();
  #before = null;
  #generation = 0;

  constructor(place, older, empty) {
    [this.#place, this.#older, this.#empty] = [place, older, empty];
  }

  /** Forget everything: another listener, or nobody. */
  clear() {
    this.#generation += 1;
    this.#plays.clear();
    this.#before = null;
    this.#place.replaceChildren();
    this.#older.hidden = this.#empty.hidden = true;
  }

  /** Read the newest page again; what was already shown stays. */
  async refresh(zone) {
    this.#zone = zone;
    const first = this.#plays.size === 0;
    await this.#take(null, first);
  }

  /** Read the next older page. */
  async more() {
    const before = this.#plays.size;
    await this.#take(this.#before, true);
    this.#place.querySelectorAll(".play")[before]?.focus();
  }

  async #take(before, moveMark) {
    const generation = this.#generation;
    const page = await recentlyPlayed(PAGE, before);
    if (generation !== this.#generation) return;
    const seen = this.#plays.size;
    // A page of nothing but new plays may have a hole behind it: begin again from there.
    const torn = before === null && seen > 0 && page.items.length > 0 && page.items.every((play) => !this.#plays.has(keyOf(play)));
    if (torn) this.#plays.clear();
    for (const play of page.items) this.#plays.set(keyOf(play), play);
    if (moveMark || torn) this.#before = page.next ? (page.cursors?.before ?? null) : null;
    this.#draw();
  }

  #draw() {
    const plays = [...this.#plays.values()].sort((a, b) => Date.parse(b.played_at) - Date.parse(a.played_at));
    const dayName = inZone(this.#zone, { weekday: "long", day: "numeric", month: "long" });
    const time = inZone(this.#zone, { hour: "2-digit", minute: "2-digit" });
    const days = new Map();
    for (const play of plays) {
      const day = dayName.format(Date.parse(play.played_at));
      days.set(day, [...(days.get(day) ?? []), play]);
    }
    const focused = document.activeElement?.closest?.(".play")?.dataset.key;
    this.#place.replaceChildren(...[...days].flatMap(([day, ofDay]) => this.#drawDay(day, ofDay, time)));
    if (focused) [...this.#place.querySelectorAll(".play")].find((node) => node.dataset.key === focused)?.focus();
    this.#empty.hidden = plays.length > 0;
    this.#older.hidden = this.#before === null;
  }

  #drawDay(day, plays, time) {
    return [element("h3", "play-day", day), element("ol", "plays", ...plays.map((play) => this.#drawPlay(play, time)))];
  }

  #drawPlay(play, time) {
    const at = element("time", "play-at", time.format(Date.parse(play.played_at)));
    at.dateTime = play.played_at;
    const title = element("span", "play-title", titleOf(play.track));
    const text = element("div", "play-text", title, element("span", "play-origin", ...originOf(play.track)));
    const length = typeof play.ms_played === "number" ? element("span", "play-length", clock(play.ms_played)) : null;
    const node = element("li", "play", at, text, length);
    node.tabIndex = -1;
    node.dataset.key = keyOf(play);
    return node;
  }
}
