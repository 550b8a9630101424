// The search box: an editable combobox with a list, as the ARIA Authoring Practices describe it. The
// focus stays in the box; the arrows walk the options, which are links; nothing is chosen by itself.

import { fillOptions } from "./found.js";
import { addressOf } from "./names.js";
import { Away, Refused, SessionEnded } from "./transport.js";
import { age, plural } from "./weeks.js";
import { isolated } from "./wording.js";

const PAUSE_MS = 120;
const AWAY_MS = 5_000;

export class Box {
  #part;
  #find;
  #onEnded;
  #timer = 0;
  #asking = null;
  #options = [];
  #active = -1;

  /** `find(text, signal)` gives `{ suggestions, meant }`; `onEnded(error)` when nobody is logged in any more. */
  constructor(part, find, onEnded) {
    [this.#part, this.#find, this.#onEnded] = [part, find, onEnded];
    const { form, input, list } = part;
    input.addEventListener("input", (event) => event.isComposing || this.#typed());
    input.addEventListener("compositionend", () => this.#typed());
    input.addEventListener("keydown", (event) => this.#pressed(event));
    input.addEventListener("click", () => this.#open());
    input.addEventListener("blur", () => this.close());
    list.addEventListener("mousedown", (event) => event.preventDefault());
    list.addEventListener("click", () => this.close());
    form.addEventListener("submit", (event) => this.#submit(event));
    document.addEventListener("keydown", (event) => this.#shortcut(event));
  }

  /** Close the list; what is still being asked comes too late. */
  close() {
    this.#stop();
    this.#hide();
  }

  /** Write `text` into the box, unless somebody is typing there. */
  write(text) {
    if (document.activeElement !== this.#part.input) this.#part.input.value = text;
  }

  /** Forget what stands in the box, whoever typed it. */
  clear() {
    this.close();
    this.#part.input.value = "";
  }

  get #text() {
    return this.#part.input.value.trim();
  }

  get #isOpen() {
    return !this.#part.popup.hidden;
  }

  #stop() {
    clearTimeout(this.#timer);
    this.#asking?.abort();
  }

  #later(wait) {
    this.#stop();
    this.#timer = setTimeout(() => this.#ask(), wait);
  }

  #typed() {
    this.#walkTo(-1);
    if (this.#text) this.#later(PAUSE_MS);
    else this.close();
  }

  async #ask() {
    this.#stop();
    const text = this.#text;
    const { signal } = (this.#asking = new AbortController());
    try {
      const found = await this.#find(text, signal);
      if (!signal.aborted) this.#show(text, found);
    } catch (error) {
      if (!signal.aborted) this.#fail(error);
    }
  }

  #show(text, found) {
    const count = found.suggestions.length;
    const note = count > 0 ? "" : `Nothing found for “${isolated(text)}”.`;
    const meant = found.meant ? ` Did you mean “${isolated(found.meant)}”?` : "";
    this.#fill(fillOptions(this.#part.list, text, found), note);
    this.#say((note || `${plural(count, "result")}.`) + meant);
  }

  #fail(error) {
    if (error instanceof SessionEnded) return this.#onEnded(error);
    const wait = Math.max(1_000, error.retryMs ?? AWAY_MS);
    const away = `Search is away. Trying again in ${age(wait)}.`;
    const other = error instanceof Refused ? error.message : "This page does not understand the answer.";
    const note = error instanceof Away ? away : other;
    this.#part.list.replaceChildren();
    this.#fill([], note);
    this.#say(note);
    if (error instanceof Away) this.#later(wait);
    return undefined;
  }

  #fill(options, note) {
    this.#options = options;
    this.#walkTo(-1);
    this.#part.list.hidden = options.length === 0;
    this.#part.note.textContent = note;
    this.#part.note.hidden = note === "";
    this.#part.popup.hidden = false;
    this.#part.input.ariaExpanded = String(options.length > 0);
  }

  #hide() {
    this.#walkTo(-1);
    this.#options = [];
    this.#part.popup.hidden = true;
    this.#part.input.ariaExpanded = "false";
    this.#say("");
  }

  #say(text) {
    if (this.#part.status.textContent !== text) this.#part.status.textContent = text;
  }

  async #open() {
    if (!this.#isOpen && this.#text) await this.#ask();
  }

  async #walk(step) {
    await this.#open();
    const count = this.#options.length;
    const from = this.#active < 0 && step < 0 ? 0 : this.#active;
    if (count > 0) this.#walkTo((from + step + count) % count);
  }

  #walkTo(at) {
    if (this.#active >= 0) this.#options[this.#active].ariaSelected = "false";
    this.#active = at;
    const option = this.#options[at];
    if (!option) return this.#part.input.removeAttribute("aria-activedescendant");
    option.ariaSelected = "true";
    option.scrollIntoView({ block: "nearest" });
    return this.#part.input.setAttribute("aria-activedescendant", option.id);
  }

  #pressed(event) {
    // 229: Safari ends a composition before it tells of the key that ended it.
    if (event.isComposing || event.keyCode === 229) return;
    const does = {
      ArrowDown: () => (event.altKey ? this.#open() : this.#walk(1)),
      ArrowUp: () => (event.altKey ? this.close() : this.#walk(-1)),
      Enter: this.#active >= 0 ? () => this.#options[this.#active].click() : null,
      Escape: () => this.#escape(),
    }[event.key];
    if (does) {
      event.preventDefault();
      does();
    } else if (["Home", "End", "ArrowLeft", "ArrowRight"].includes(event.key)) {
      this.#walkTo(-1); // They move in the text.
    }
  }

  #escape() {
    if (!this.#isOpen) this.#part.input.value = "";
    this.close();
  }

  #submit(event) {
    event.preventDefault();
    if (!this.#text) return;
    this.close();
    location.hash = addressOf("search", this.#text);
  }

  #shortcut(event) {
    const { form, input } = this.#part;
    const isTyping = event.target.closest?.("input, textarea, select");
    const slash = event.key === "/" && !(event.ctrlKey || event.metaKey || event.altKey || isTyping);
    const ctrlK = (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k";
    if (!(slash || ctrlK) || form.hidden || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    input.focus();
    input.select();
  }
}
