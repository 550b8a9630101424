// The week as a table: what the picture shows, for those who would rather read it.

import { longDay, shortDay, whole } from "./weeks.js";

const HOURS = 24;

function cell(tag, text, scope = null) {
  const node = document.createElement(tag);
  node.textContent = text;
  if (scope) node.scope = scope;
  return node;
}

function row(head, texts) {
  const node = document.createElement("tr");
  node.append(cell("th", head, "row"), ...texts.map((text) => cell("td", text)));
  return node;
}

/** Fill `table` with a week as the minutes endpoint tells it. */
export function fillTable(table, told) {
  const minutes = (ms) => (ms ? whole(Math.floor(ms / 60_000)) : "·");
  const head = document.createElement("tr");
  head.append(cell("th", "Hour", "col"));
  for (const { date } of told.days) {
    const day = cell("th", shortDay(date), "col");
    day.abbr = longDay(date);
    head.append(day);
  }
  const hours = Array.from({ length: HOURS }, (_, hour) =>
    row(`${String(hour).padStart(2, "0")}:00`, told.days.map((day) => minutes(day.hours?.[hour]))));
  const total = row("Day", told.days.map((day) => whole(day.minutes)));
  total.className = "sum";
  const caption = document.createElement("caption");
  caption.textContent = "Minutes listened, by day and hour";
  const [top, body] = [document.createElement("thead"), document.createElement("tbody")];
  top.append(head);
  body.append(total, ...hours);
  table.replaceChildren(caption, top, body);
}
