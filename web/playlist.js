// One playlist: what is in it, and for those whose it is to change, what changes it. Each change says
// of which version it was meant, so that what somebody saw is what changes, whatever others did since.

import { collaborators, dismiss, follow, follows, me, moveItem, playlistHead, removeItem, unfollow } from "./api.js";
import { Details } from "./details.js";
import { fact, facts } from "./facts.js";
import { Items } from "./items.js";
import { personOf } from "./names.js";
import { button, element } from "./nodes.js";
import { agreed } from "./question.js";
import { mayEdit, roleOf } from "./roles.js";
import { Sharing } from "./sharing.js";
import { readSnapshot } from "./snapshot.js";
import { Refused } from "./transport.js";
import { Versions } from "./versions.js";
import { inZone, whole } from "./weeks.js";
import { quoted } from "./wording.js";

const MORE = 100;
const DAY = { day: "numeric", month: "short", year: "numeric" };
const TIME = { ...DAY, hour: "2-digit", minute: "2-digit" };

class Playlist {
  #id;
  #signal;
  #page;
  #tag = null;
  #count = MORE;
  #told = null; // What is shown: head, list, members, role, and whose page it is.
  #looking = new AbortController();
  #doing = Promise.resolve();
  #waiting = 0;
  #removing = new Set();
  #about = element("div", "playlist-about");
  #follow = button("Follow", () => this.#turnFollowing());
  #leave = button("Leave this playlist", () => this.#leavePlaylist(), { className: "quiet" });
  #offers = element("div", "row", this.#follow, this.#leave);
  #list = new Items({ remove: (key) => this.#remove(key), move: (key, aim) => this.#move(key, aim), more: () => this.#more() });
  #sharing = null;
  #versions = null;
  #panels = [];

  constructor(id, signal, page) {
    [this.#id, this.#signal, this.#page] = [id, signal, page];
  }

  /** Read it for the first time. */
  async open() {
    const signal = this.#signal;
    const [account, isFollowed] = await Promise.all([me(signal), follows(this.#id, signal)]);
    const [day, time] = [DAY, TIME].map((options) => inZone(account.time_zone, options));
    this.#told = {
      me: account.id, isFollowed, list: { snapshot: null, items: [], total: 0 },
      dayOf: (iso) => day.format(Date.parse(iso)), timeOf: (iso) => time.format(Date.parse(iso)),
    };
    this.#makePanels();
    await this.#read(signal);
    const panels = element("div", "panels", ...this.#panels.map(({ node }) => node));
    const parts = [this.#about, this.#offers, panels, this.#list.node];
    return { kind: this.#kind, name: this.#told.head.name, parts, look: () => this.#look() };
  }

  #makePanels() {
    const doors = { id: this.#id, signal: this.#signal, act: (work) => this.#do(work), go: this.#page.go, tell: this.#page.tell };
    [this.#sharing, this.#versions] = [new Sharing(doors), new Versions(doors)];
    this.#panels = [new Details(doors), this.#sharing, this.#versions];
  }

  get #kind() {
    return this.#told.head.public ? "Public playlist" : "Private playlist";
  }

  async #look() {
    if (this.#waiting > 0) return; // What is being done is followed by a look of its own.
    this.#looking.abort();
    const { signal } = (this.#looking = new AbortController());
    try {
      await this.#read(AbortSignal.any([signal, this.#signal]));
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /** Read what has changed since, if anything has, and show it. */
  async #read(signal, { isOwn = false } = {}) {
    const { list } = this.#told;
    const answer = await playlistHead(this.#id, this.#tag, signal);
    const head = answer?.told ?? this.#told.head;
    const isThere = head.snapshot_id === list.snapshot && list.items.length >= Math.min(this.#count, list.total);
    if (!answer && isThere && !isOwn && !this.#sharing.isOpen) return;
    const [now, members] = await Promise.all([
      isThere ? list : readSnapshot(this.#id, this.#count, signal), collaborators(this.#id, signal), this.#versions.read(head.snapshot_id),
    ]);
    signal.throwIfAborted();
    this.#tag = answer?.tag ?? this.#tag;
    this.#told = { ...this.#told, head, list: now, members, role: roleOf(this.#told.me, head, members), isOwn };
    this.#show();
  }

  #show() {
    const { head, list, members, role, me: mine, isFollowed, isOwn, dayOf } = this.#told;
    const owner = personOf(head.owner, mine, { you: "You" });
    const known = facts(fact("Owner", owner), fact("Tracks", whole(list.total)), fact("Followers", whole(head.followers.total)));
    this.#about.replaceChildren(...[head.description ? element("p", "description", element("bdi", "", head.description)) : null, known].filter(Boolean));
    this.#offers.hidden = role === "owner";
    this.#follow.hidden = mayEdit(role);
    this.#follow.textContent = isFollowed ? "Unfollow" : "Follow";
    this.#leave.hidden = !members.some(({ user }) => user.id === mine);
    for (const panel of this.#panels) panel.show(this.#told);
    const showsWho = members.length > 0 || list.items.some((item) => item.added_by.id !== head.owner.id);
    this.#list.show({ ...list, mayEdit: mayEdit(role), showsWho, me: mine, dayOf, isOwn });
    this.#page.rename(this.#kind, head.name);
  }

  /** Do what somebody asked for, one thing after the other; show what came of it, and tell the words that `work` gives. */
  #do(work) {
    this.#waiting += 1;
    this.#looking.abort();
    this.#doing = this.#doing.then(() => this.#attempt(work)).finally(() => {
      this.#waiting -= 1;
    });
    return this.#doing;
  }

  async #attempt(work) {
    try {
      const words = await work();
      if (words === null) return true; // They have gone elsewhere.
      await this.#read(this.#signal, { isOwn: true });
      this.#page.tell(typeof words === "function" ? words() : words);
      return true;
    } catch (error) {
      this.#page.fail(error);
      if (error instanceof Refused) await this.#read(this.#signal, { isOwn: true }).catch(() => {});
      return false;
    }
  }

  #more() {
    this.#count = this.#told.list.items.length + MORE;
    return this.#do(() => "");
  }

  #remove(key) {
    if (this.#removing.has(key)) return undefined;
    this.#removing.add(key);
    return this.#do(async () => {
      const at = this.#list.find(key);
      if (at < 0) return "It is gone already.";
      const { items, snapshot } = this.#told.list;
      await removeItem(this.#id, items[at].item.uri, at, snapshot);
      return `Removed ${quoted(items[at].item.name)}.`;
    }).finally(() => this.#removing.delete(key));
  }

  /** Move an item to before where `aim` says, given where the item stands when its turn has come. */
  #move(key, aim) {
    return this.#do(async () => {
      const { items, snapshot, total } = this.#told.list;
      const at = this.#list.find(key);
      const before = at < 0 ? -1 : aim(at);
      if (at < 0) return "It is gone already.";
      if (before < 0 || before > total) return `It stands ${before < 0 ? "first" : "last"} already.`;
      if (before === at) return "It stands there already.";
      await moveItem(this.#id, at, before, snapshot);
      const place = before > at ? before - 1 : before;
      this.#count = Math.max(this.#count, place + 1);
      return () => this.#wordsOfMove(key, place, items[at].item.name);
    });
  }

  #wordsOfMove(key, place, name) {
    const at = this.#list.find(key, place);
    if (at < 0) return `Somebody else removed ${quoted(name)} meanwhile.`;
    return `Moved ${quoted(name)} to place ${whole(at + 1)} of ${whole(this.#told.list.total)}.`;
  }

  #turnFollowing() {
    return this.#do(async () => {
      const { isFollowed } = this.#told;
      await (isFollowed ? unfollow : follow)(this.#id);
      this.#told.isFollowed = !isFollowed;
      return isFollowed ? "You follow this playlist no longer." : "You follow this playlist.";
    });
  }

  async #leavePlaylist() {
    const { head, me: mine } = this.#told;
    const text = "You may change it no longer, and if it is private, you cannot see it any more.";
    if (!(await agreed({ title: `Leave ${quoted(head.name)}?`, text, yes: "Leave" }))) return;
    await this.#do(async () => {
      await dismiss(this.#id, mine);
      this.#page.go("#/playlists", `You have left ${quoted(head.name)}.`);
      return null;
    });
  }
}

export const drawPlaylist = (id, signal, page) => new Playlist(id, signal, page).open();
