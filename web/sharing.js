// Who else may see or change a playlist: those who joined, and the links by which more may.

import { dismiss, invitations, invite, withdraw } from "./api.js";
import { personOf } from "./names.js";
import { button, element, field } from "./nodes.js";
import { agreed } from "./question.js";
import { redraw } from "./rows.js";
import { quoted } from "./wording.js";

const MAY = { edit: "May edit", view: "May see" };

const option = (value, text) => Object.assign(element("option", "", text), { value });
const note = (...parts) => element("span", "person-note", ...parts);

export class Sharing {
  #doors;
  #told = null;
  #standing = [];
  #shownId = null;
  #role = element("select", "", option("edit", "see and edit it"), option("view", "see it"));
  #link = element("input");
  #made = element("div", "", ...field("invitation-link", "The link, shown only now", this.#link), button("Copy", () => this.#copy()));
  #form = element("form", "", ...field("invitation-role", "Invite others to", this.#role), element("button", "", "Make a link"));
  #links = element("ul", "people");
  #people = element("ul", "people");
  #nobody = element("p", "hint", "Nobody has joined yet.");
  #ofOwner = element("div", "", this.#form, this.#made, this.#links);
  node = element("details", "panel", element("summary", "", "Sharing"), this.#ofOwner, element("h3", "", "Joined"), this.#nobody, this.#people);

  constructor(doors) {
    this.#doors = doors;
    this.#made.hidden = this.#link.readOnly = true;
    this.#link.addEventListener("focus", () => this.#link.select());
    this.#form.addEventListener("submit", (event) => this.#invite(event));
    this.node.addEventListener("toggle", () => this.node.open && this.#doors.act(() => this.#readLinks()));
  }

  /** Whether somebody looks at who joined. */
  get isOpen() {
    return this.node.open;
  }

  show(told) {
    this.#told = told;
    const { role, members } = told;
    this.node.hidden = role === "view" && !members.some(({ user }) => user.id === told.me);
    this.#ofOwner.hidden = role !== "owner";
    this.#nobody.hidden = members.length > 0;
    redraw(this.#people, members.map((one) => ({ key: one.user.id, mark: JSON.stringify([one, role]), draw: () => this.#person(one) })));
    redraw(this.#links, this.#standing.map((one) => ({ key: one.id, mark: one.id, draw: () => this.#invitation(one) })));
    this.#made.hidden = !this.#standing.some(({ id }) => id === this.#shownId);
  }

  async #readLinks() {
    if (this.#told.role === "owner") this.#standing = await invitations(this.#doors.id, this.#doors.signal);
    return "";
  }

  #invite(event) {
    event.preventDefault();
    return this.#doors.act(async () => {
      const made = await invite(this.#doors.id, this.#role.value);
      [this.#shownId, this.#link.value] = [made.id, made.url];
      await this.#readLinks();
      return () => {
        this.#link.focus();
        return `The link is made. Whoever has it may join until ${this.#told.dayOf(made.expires_at)}.`;
      };
    });
  }

  async #copy() {
    try {
      await navigator.clipboard.writeText(this.#link.value);
      this.#doors.tell("Copied the link.");
    } catch {
      this.#link.focus(); // Which selects it: the clipboard is closed to pages that came without TLS.
      this.#doors.tell("The link is selected: press Ctrl-C, or ⌘C, to copy it.");
    }
  }

  #invitation({ id, role, expires_at: until }) {
    const withdrawn = button("Withdraw", () => this.#withdraw(id), { className: "small", name: `Withdraw the link that is good until ${this.#told.dayOf(until)}`, does: "withdraw" });
    return element("li", "person", element("span", "", "A link", note(`${MAY[role]}, until ${this.#told.dayOf(until)}`)), withdrawn);
  }

  #person({ user, role, added_at: since }) {
    const { me, role: mine, dayOf } = this.#told;
    const name = user.display_name || "somebody";
    const remove = () => button("Remove", () => this.#dismiss(user.id, name), { className: "small", name: `Remove ${quoted(name)}`, does: "remove" });
    const who = element("span", "", personOf(user, me, { you: "You" }), note(`${MAY[role]}, since ${dayOf(since)}`));
    return element("li", "person", who, mine === "owner" ? remove() : null);
  }

  async #withdraw(id) {
    const text = "It opens nothing any more, and whoever joined by it leaves.";
    if (!(await agreed({ title: "Withdraw the link?", text, yes: "Withdraw" }))) return;
    await this.#doors.act(async () => {
      await withdraw(this.#doors.id, id);
      await this.#readLinks();
      return "The link is withdrawn.";
    });
  }

  async #dismiss(listenerId, name) {
    const text = "A link that still stands lets them join again.";
    if (!(await agreed({ title: `Remove ${quoted(name)}?`, text, yes: "Remove" }))) return;
    await this.#doors.act(async () => {
      await dismiss(this.#doors.id, listenerId);
      return `Removed ${quoted(name)}.`;
    });
  }
}
