// The items of a playlist: what is in it, who added it and when, and the buttons that change that.

import { wireDragging } from "./dragging.js";
import { originOf, personOf, titleOf } from "./names.js";
import { button, element } from "./nodes.js";
import { focusAt, redraw, steady } from "./rows.js";
import { clock, whole } from "./weeks.js";
import { quoted } from "./wording.js";

const baseOf = (item) => `${item.item.uri} ${item.added_at} ${item.added_by.id}`;
const baseOfKey = (key) => key.slice(0, key.lastIndexOf(" "));

/** The same track may be added twice in one go: those that are alike are numbered. */
function keysOf(items) {
  const seen = new Map();
  return items.map((item) => {
    const base = baseOf(item);
    seen.set(base, (seen.get(base) ?? 0) + 1);
    return `${base} ${seen.get(base)}`;
  });
}

export class Items {
  #on;
  #list = element("ol", "items");
  #title = element("h2", "", "Tracks");
  #empty = element("p", "empty", "No tracks yet.");
  #more = button("Show more", () => this.#showMore());
  #keys = [];
  #shown = { items: [], total: 0, mayEdit: false };
  node = element("section", "entity-list item-list", this.#title, this.#empty, this.#list, this.#more);

  /** `on` has what the buttons do: `remove(key)`, `more()`, and `move(key, aim)`, where `aim(at)` is before which place. */
  constructor(on) {
    this.#on = on;
    this.#title.tabIndex = -1;
    wireDragging(this.#list, (row, next) => this.#drop(row.dataset.key, next?.dataset.key));
    // What is held down does something once, whatever comes under the finger then.
    this.#list.addEventListener("keydown", (event) => event.repeat && event.target.closest("button") && event.preventDefault());
  }

  /** Where what had `key` stands: of those that are alike, the one nearest to `near`; -1 if it is gone. */
  find(key, near = this.#keys.indexOf(key)) {
    const alike = [...this.#keys.keys()].filter((at) => baseOfKey(this.#keys[at]) === baseOfKey(key));
    return alike.sort((one, other) => Math.abs(one - near) - Math.abs(other - near))[0] ?? -1;
  }

  /** Show `items`, of `total`; `me` is whose page it is, `dayOf` writes a day, `isOwn` tells that they did this. */
  show(shown) {
    this.#shown = shown;
    this.#keys = keysOf(shown.items);
    const draw = () => this.#draw();
    if (shown.isOwn) draw();
    else steady(this.#list, draw);
    if (shown.isOwn && this.#list.contains(document.activeElement)) document.activeElement.scrollIntoView({ block: "nearest" });
  }

  #draw() {
    const { items, total } = this.#shown;
    this.#list.hidden = total === 0;
    this.#empty.hidden = total > 0;
    this.#more.hidden = items.length >= total;
    const isLost = redraw(this.#list, items.map((item, at) => this.#row(item, this.#keys[at])));
    for (const [at, row] of [...this.#list.children].entries()) this.#number(row, at);
    if (isLost) this.#title.focus();
  }

  #drop(key, next) {
    const before = () => (next ? this.find(next) : this.#keys.length);
    this.#on.move(key, (at) => (before() < 0 ? at : before()));
  }

  async #showMore() {
    const before = this.#keys.length;
    this.#more.disabled = true;
    await this.#on.more();
    this.#more.disabled = false;
    if (this.#keys.length > before) focusAt(this.#list, before, "title");
  }

  #row(item, key) {
    const { mayEdit, showsWho, me } = this.#shown;
    const mark = JSON.stringify([item, mayEdit, showsWho, me]);
    return { key, mark, draw: () => this.#drawn(item) };
  }

  #drawn(item) {
    const { mayEdit, showsWho, me, dayOf } = this.#shown;
    const { item: track } = item;
    const title = titleOf(track);
    title.dataset.does = "title";
    const explicit = track.explicit ? element("abbr", "explicit", "E") : null;
    if (explicit) explicit.title = "Explicit";
    const at = element("time", "", dayOf(item.added_at));
    at.dateTime = item.added_at;
    const who = showsWho ? ["Added by ", personOf(item.added_by, me), ", "] : ["Added "];
    const origin = originOf(track);
    const text = element("div", "listed-text",
      element("span", "listed-title", title, explicit),
      origin.length > 0 ? element("span", "listed-under", ...origin) : null,
      element("span", "listed-under item-added", ...who, at));
    const end = element("span", "listed-end", track.duration_ms > 0 ? clock(track.duration_ms) : "");
    const row = element("li", "listed item", mayEdit ? grip() : null, element("span", "listed-place"), text, end, mayEdit ? this.#buttons(track) : null);
    row.tabIndex = -1;
    return row;
  }

  #buttons({ name }) {
    const keyOf = (event) => event.target.closest(".item").dataset.key;
    const made = (text, does, says, work) => button(text, (event) => work(keyOf(event), event), { className: "small", name: says, does });
    const title = quoted(name);
    return element("span", "item-does",
      made("↑", "up", `Move ${title} up`, (key) => this.#on.move(key, (at) => at - 1)),
      made("↓", "down", `Move ${title} down`, (key) => this.#on.move(key, (at) => at + 2)),
      // The second click of a double one would meet the track that has moved up.
      made("×", "remove", `Remove ${title}`, (key, event) => event.detail <= 1 && this.#on.remove(key)));
  }

  // The ends are told, not disabled: a button that is disabled loses the focus.
  #number(row, at) {
    row.querySelector(".listed-place").textContent = whole(at + 1);
    const ends = { up: at === 0, down: at === this.#shown.total - 1 };
    for (const [does, isEnd] of Object.entries(ends)) row.querySelector(`[data-does=${does}]`)?.setAttribute("aria-disabled", String(isEnd));
  }
}

function grip() {
  const made = element("span", "grip", "⠿");
  made.draggable = true;
  made.ariaHidden = "true"; // The buttons beside it do the same.
  return made;
}
