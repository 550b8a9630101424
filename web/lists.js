// Lists of entities: each leads to its own.

import { addButton } from "./addition.js";
import { nameOf } from "./names.js";
import { element } from "./nodes.js";

function row({ type, entity, place, under, end, isExplicit = false }) {
  const explicit = isExplicit ? element("abbr", "explicit", "E") : null;
  if (explicit) explicit.title = "Explicit";
  const title = element("span", "listed-title", nameOf(type, entity), explicit);
  const text = element("div", "listed-text", title, under.length > 0 ? element("span", "listed-under", ...under) : null);
  return element("li", "listed", place ? element("span", "listed-place", place) : null, text, element("span", "listed-end", end), type === "track" ? addButton(entity) : null);
}

function section(title, list, ...more) {
  return element("section", "entity-list", element("h2", "", title), list, ...more);
}

/** A list under its title; null if it is empty. */
export function listOf(title, rows) {
  return rows.length > 0 ? section(title, element("ol", "", ...rows.map(row))) : null;
}

/** A list that comes in pages, `first` first; `read(offset)` reads on, `draw` makes a row of an item. */
export function longList(title, first, read, draw) {
  if (first.items.length === 0) return null;
  const list = element("ol", "", ...first.items.map(draw).map(row));
  const more = element("button", "", "Show more");
  const note = element("p", "notice");
  note.role = "status";
  more.type = "button";
  more.hidden = !first.next;
  more.addEventListener("click", async () => {
    more.disabled = true;
    try {
      const page = await read(list.children.length);
      list.append(...page.items.map(draw).map(row));
      more.hidden = !page.next;
      note.textContent = "";
    } catch (error) {
      note.textContent = error.message;
    } finally {
      more.disabled = false;
    }
  });
  return section(title, list, more, note);
}
