// Which view is open: the week, or what the address names behind its `#`, so that links and the
// browser's back button lead to it.

import { ENTITIES } from "./entity.js";
import { element } from "./nodes.js";
import { drawResults } from "./results.js";
import { Away, Refused, SessionEnded } from "./transport.js";
import { age } from "./weeks.js";

const ADDRESS = /^#\/(track|album|artist|search)\/(.+)$/;
const DRAWN = { ...ENTITIES, search: drawResults };

/** The view that an address names, or null: the week. */
export function viewAt(hash) {
  const [, type, name] = ADDRESS.exec(hash) ?? [];
  try {
    return type ? { type, name: decodeURIComponent(name) } : null;
  } catch {
    return null; // Not an address that this page made.
  }
}

function wording(error) {
  if (error instanceof Refused && error.status === 404) return "The catalogue does not have this, or no longer.";
  if (error instanceof Refused) return error.message;
  if (!(error instanceof Away)) return "This page does not understand the answer.";
  return `Heartline cannot show this now.${error.retryMs ? ` Try again in ${age(error.retryMs)}.` : ""}`;
}

export class Views {
  #part;
  #on;
  #reading = new AbortController();
  #weekScroll = 0;
  #isFirst = true;

  /** `opened(type, name)` when a view is open (null: the week), `ended(error)` when nobody is logged in any more. */
  constructor(part, on) {
    [this.#part, this.#on] = [part, on];
    part.again.addEventListener("click", () => this.open());
  }

  /** Open the view of the address. */
  async open() {
    this.close();
    const view = viewAt(location.hash);
    if (!view) return this.#openWeek();
    if (this.#part.view.hidden) this.#weekScroll = scrollY;
    this.#turn(true);
    const { signal } = (this.#reading = new AbortController());
    this.#part.view.ariaBusy = "true";
    try {
      const drawn = await DRAWN[view.type](view.name, signal);
      if (!signal.aborted) this.#show(view.type, drawn);
    } catch (error) {
      if (!signal.aborted) this.#fail(error);
    }
    return undefined;
  }

  /** Read on no more: another view, or nobody is logged in. */
  close() {
    this.#reading.abort();
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

  #show(type, { name, kind, parts }) {
    this.#part.body.replaceChildren(...parts.filter((part) => part !== null));
    this.#head(kind, name);
    this.#say("", false);
    this.#on.opened(type, name);
  }

  #fail(error) {
    if (error instanceof SessionEnded) return this.#on.ended(error);
    this.#part.body.replaceChildren();
    this.#head("", "");
    this.#say(wording(error), !(error instanceof Refused));
    return this.#on.opened(null, "");
  }

  #head(kind, name) {
    this.#part.kind.textContent = kind;
    this.#part.name.replaceChildren(element("bdi", "", name));
    this.#part.name.classList.toggle("is-long", name.length > 40);
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
}
