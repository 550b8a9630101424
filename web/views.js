// Which view is open: the week, or what the address names behind its `#`, so that links and the
// browser's back button lead to it. A view that can look again is looked at again while it is open.

import { ENTITIES } from "./entity.js";
import { drawInvitation } from "./invitation.js";
import { element } from "./nodes.js";
import { drawPlaylist } from "./playlist.js";
import { drawPlaylists } from "./playlists.js";
import { Poll } from "./poll.js";
import { drawResults } from "./results.js";
import { Away, Refused, SessionEnded } from "./transport.js";
import { age } from "./weeks.js";
import { wording } from "./wording.js";

const ADDRESS = /^#\/(?:(track|album|artist|search|playlist)\/(.+)|(playlists|invitation))$/;
const DRAWN = { ...ENTITIES, search: drawResults, playlists: drawPlaylists, playlist: drawPlaylist, invitation: drawInvitation };
const NO_PLAYLIST = "There is no such playlist, or it is not shared with you.";
const NO_LONGER = "This playlist has been deleted, or is shared with you no longer.";
const LOOK_MS = 4_000;

/** The view that an address names, or null: the week. */
export function viewAt(hash) {
  const [, type, name, alone] = ADDRESS.exec(hash) ?? [];
  try {
    return type ?? alone ? { type: type ?? alone, name: decodeURIComponent(name ?? "") } : null;
  } catch {
    return null; // Not an address that this page made.
  }
}

const isMissing = (error) => error instanceof Refused && error.status === 404;

function why(error, type) {
  if (isMissing(error)) return type === "playlist" ? NO_PLAYLIST : "The catalogue does not have this, or no longer.";
  if (!(error instanceof Away)) return wording(error);
  return `Heartline cannot show this now.${error.retryMs ? ` Try again in ${age(error.retryMs)}.` : ""}`;
}

export class Views {
  #part;
  #on;
  #reading = new AbortController();
  #look = null;
  #poll = new Poll(() => this.#lookAgain(), { away: () => {}, back: () => {}, error: (error) => this.#onFailure(error) });
  #onFailure = () => {};
  #parting = "";
  #weekScroll = 0;
  #isFirst = true;

  /** `opened(type, name)` when a view is open (null: the week), `ended(error)` when nobody is logged in any more. */
  constructor(part, on) {
    [this.#part, this.#on] = [part, on];
    part.again.addEventListener("click", () => this.open());
    // What became of one thing is in the way of the next.
    for (const does of ["pointerdown", "keydown"]) part.view.addEventListener(does, () => this.#tell("", part.problem.textContent));
  }

  /** Open the view of the address. */
  async open() {
    this.close();
    const view = viewAt(location.hash);
    if (!view) return this.#openWeek();
    if (this.#part.view.hidden) this.#weekScroll = scrollY;
    this.#turn(true);
    const { signal } = (this.#reading = new AbortController());
    const page = this.#page(view.type, signal);
    this.#part.view.ariaBusy = "true";
    try {
      const drawn = await DRAWN[view.type](view.name, signal, page);
      if (!signal.aborted) this.#show(view.type, drawn, page);
    } catch (error) {
      if (!signal.aborted) this.#fail(error, view.type);
    }
    return undefined;
  }

  /** Look at what is open again. */
  now() {
    this.#poll.now();
  }

  /** Read on no more: another view, or nobody is logged in. */
  close() {
    this.#reading.abort();
    this.#poll.stop();
    this.#tell("");
  }

  /** What a view may do while it is open. */
  #page(type, signal) {
    const whileOpen = (does) => (...given) => (signal.aborted ? undefined : does(...given));
    return {
      rename: whileOpen((kind, name) => this.#rename(type, kind, name)),
      tell: whileOpen((text) => this.#tell(text)),
      fail: whileOpen((error) => this.#refuse(error, type)),
      go: whileOpen((address, text, options) => this.#go(address, text, options)),
    };
  }

  /** Go on to another view, and tell why there. This one does not stay behind, unless it `keeps`. */
  #go(address, text, { keeps = false } = {}) {
    this.close();
    this.#parting = text;
    if (keeps) location.assign(address);
    else location.replace(address);
  }

  async #lookAgain() {
    await this.#look();
    return LOOK_MS;
  }

  #turn(toView) {
    this.#part.view.hidden = !toView;
    this.#part.week.hidden = toView;
  }

  #openWeek() {
    const wasHidden = this.#part.week.hidden;
    this.#turn(false);
    this.#on.opened(null, null);
    if (wasHidden && !this.#isFirst) scrollTo(0, this.#weekScroll);
    this.#isFirst = false;
  }

  #show(type, { name, kind, parts, look = null }, page) {
    this.#part.body.replaceChildren(...parts.filter((part) => part !== null));
    this.#head(kind, name);
    this.#say("", false);
    this.#on.opened(type, name);
    this.#tell(this.#parting);
    this.#parting = "";
    [this.#look, this.#onFailure] = [look, page.fail];
    if (look) this.#poll.start(LOOK_MS);
  }

  #fail(error, type) {
    if (error instanceof SessionEnded) return this.#on.ended(error);
    this.#part.body.replaceChildren();
    this.#head("", "");
    this.#say(why(error, type), !(error instanceof Refused));
    return this.#on.opened(null, "");
  }

  /** Tell what was not done; what is not there any more is shown no longer. */
  #refuse(error, type) {
    if (error instanceof SessionEnded) return this.#on.ended(error);
    if (!isMissing(error) || type !== "playlist") return this.#tell("", wording(error));
    this.close();
    this.#part.body.replaceChildren();
    this.#part.name.focus({ preventScroll: true });
    return this.#say(NO_LONGER, false);
  }

  #rename(type, kind, name) {
    if (this.#part.name.textContent === name && this.#part.kind.textContent === kind) return;
    this.#write(kind, name);
    this.#on.opened(type, name);
  }

  #write(kind, name) {
    this.#part.kind.textContent = kind;
    this.#part.name.replaceChildren(element("bdi", "", name));
    this.#part.name.classList.toggle("is-long", name.length > 40);
  }

  #head(kind, name) {
    this.#write(kind, name);
    this.#part.view.ariaBusy = "false";
    if (!this.#isFirst) this.#part.name.focus({ preventScroll: true });
    if (!this.#isFirst) scrollTo(0, 0);
    this.#isFirst = false;
  }

  #say(text, canTryAgain) {
    this.#part.error.textContent = text;
    this.#part.error.hidden = text === "";
    this.#part.again.hidden = !canTryAgain;
  }

  #tell(text, problem = "") {
    // What stands there already is not written, which would have it spoken again.
    for (const [part, words] of [[this.#part.told, text], [this.#part.problem, problem]]) if (part.textContent !== words) part.textContent = words;
  }
}
