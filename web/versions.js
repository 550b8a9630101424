// The versions of a playlist: when, who, what, and having one again.

import { restore, versions } from "./api.js";
import { personOf } from "./names.js";
import { button, element } from "./nodes.js";
import { redraw } from "./rows.js";
import { whole } from "./weeks.js";
import { sentence } from "./wording.js";

const PAGE = 20;
const MOST = 50; // that one page has
const DETAILS = { name: "named it", description: "described it", public: "changed who may see it", collaborative: "changed who may edit it" };

/** What an edit did: "added 3, removed 1". */
export function wordsOf({ added, removed, moved, details }) {
  const counted = [["added", added], ["removed", removed], ["moved", moved]].filter(([, count]) => count > 0);
  const words = [...counted.map(([did, count]) => `${did} ${whole(count)}`), ...Object.keys(DETAILS).filter((name) => details.includes(name)).map((name) => DETAILS[name])];
  return words.length > 0 ? words.join(", ") : "changed nothing";
}

export class Versions {
  #doors;
  #told = null;
  #shown = [];
  #ofSnapshot = null;
  #hasMore = false;
  #list = element("ol", "versions");
  #more = button("Show older", () => this.#doors.act(() => this.#readOlder()));
  node = element("details", "panel", element("summary", "", "History"), this.#list, this.#more);

  constructor(doors) {
    this.#doors = doors;
    this.node.addEventListener("toggle", () => this.node.open && this.#doors.act(() => ""));
  }

  /** Read anew what the playlist has become, if somebody is looking. */
  async read(snapshot) {
    if (!this.node.open || snapshot === this.#ofSnapshot) return;
    const page = await this.#page(0, Math.min(MOST, Math.max(PAGE, this.#shown.length)));
    [this.#shown, this.#ofSnapshot] = [page.items, snapshot];
  }

  show(told) {
    this.#told = told;
    this.node.hidden = told.role === "view";
    const mark = (one, at) => JSON.stringify([one, at === 0, told.role]);
    redraw(this.#list, this.#shown.map((one, at) => ({ key: one.snapshot_id, mark: mark(one, at), draw: () => this.#version(one, at === 0) })));
    this.#more.hidden = !this.#hasMore;
  }

  async #readOlder() {
    this.#shown = [...this.#shown, ...(await this.#page(this.#shown.length, PAGE)).items];
    return "";
  }

  async #page(offset, limit) {
    const page = await versions(this.#doors.id, limit, offset, this.#doors.signal);
    this.#hasMore = page.next !== null;
    return page;
  }

  #version(one, isNow) {
    const { me, role, timeOf } = this.#told;
    const at = element("time", "", timeOf(one.at));
    at.dateTime = one.at;
    const who = personOf(one.by, me, { you: "You" });
    const does = role === "owner" && !isNow;
    const again = does ? button("Restore", () => this.#restore(one), { className: "small", name: `Restore the version of ${timeOf(one.at)}`, does: "restore" }) : null;
    return element("li", "person", element("span", "", at, element("span", "person-note", who, ` ${wordsOf(one)}`)), again);
  }

  #restore({ snapshot_id: snapshot, at }) {
    return this.#doors.act(async () => {
      await restore(this.#doors.id, snapshot);
      return sentence(`It is again as it was on ${this.#told.timeOf(at)}`);
    });
  }
}
