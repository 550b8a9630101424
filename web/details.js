// What a playlist is called and who may see it, for its owner to change; and its end.

import { changePlaylist, deletePlaylist } from "./api.js";
import { button, element, field, tick } from "./nodes.js";
import { agreed } from "./question.js";
import { Refused } from "./transport.js";
import { quoted } from "./wording.js";

export class Details {
  #doors;
  #head = null;
  #isChanged = false; // What somebody is typing is not overwritten by what others have changed.
  #name = element("input");
  #description = element("textarea");
  #public = null;
  #form = element("form");
  node = element("details", "panel", element("summary", "", "Name and description"), this.#form);

  constructor(doors) {
    this.#doors = doors;
    const [label, box] = tick("playlist-public", "Public: whoever has its address may see and follow it");
    this.#public = box;
    [this.#name.maxLength, this.#name.required, this.#name.autocomplete, this.#name.dir] = [200, true, "off", "auto"];
    [this.#description.maxLength, this.#description.rows, this.#description.dir] = [1_000, 3, "auto"];
    const save = element("button", "loud", "Save");
    const end = button("Delete this playlist", () => this.#delete(), { className: "danger" });
    this.#form.noValidate = true;
    this.#form.append(
      ...field("playlist-name", "Name", this.#name), ...field("playlist-description", "Description", this.#description), label,
      element("div", "row", save, end));
    this.#form.addEventListener("input", () => {
      this.#isChanged = true;
    });
    this.#form.addEventListener("submit", (event) => this.#save(event));
  }

  show({ head, role }) {
    this.#head = head;
    this.node.hidden = role !== "owner";
    if (this.#isChanged) return;
    [this.#name.value, this.#description.value, this.#public.checked] = [head.name, head.description, head.public];
  }

  #save(event) {
    event.preventDefault();
    return this.#doors.act(async () => {
      const changes = this.#changes();
      if (changes.name === "") throw new Refused(400, "a name, please");
      if (Object.keys(changes).length === 0) return "Nothing has been changed.";
      await changePlaylist(this.#doors.id, changes);
      this.#isChanged = false;
      return "Saved.";
    });
  }

  #changes() {
    const { name, description, public: isPublic } = this.#head;
    const typed = { name: this.#name.value.trim(), description: this.#description.value.trim() };
    return {
      ...(typed.name === name ? {} : { name: typed.name }),
      ...(typed.description === description ? {} : { description: typed.description }),
      // What is public cannot be everybody's to edit as well.
      ...(this.#public.checked === isPublic ? {} : { public: !isPublic, ...(isPublic ? {} : { collaborative: false }) }),
    };
  }

  async #delete() {
    const { name } = this.#head;
    const text = "Its tracks and its history go with it, for everybody who has it, and it cannot be brought back.";
    if (!(await agreed({ title: `Delete ${quoted(name)}?`, text, yes: "Delete" }))) return;
    await this.#doors.act(async () => {
      await deletePlaylist(this.#doors.id);
      this.#doors.go("#/playlists", `Deleted ${quoted(name)}.`);
      return null;
    });
  }
}
