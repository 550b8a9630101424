// What was found, as the options of a listbox: by type, with the letters marked that were typed.

import { addressOf, separated } from "./names.js";
import { element } from "./nodes.js";

export const TITLES = { artist: "Artists", album: "Albums", track: "Tracks" };

/** A name with its marks, which are ranges [begin, end) of code points. */
export function marked(name, marks) {
  const letters = Array.from(name);
  const parts = [];
  let at = 0;
  for (const [begin, end] of marks) {
    parts.push(letters.slice(at, begin).join(""), element("mark", "", letters.slice(begin, end).join("")));
    at = end;
  }
  return element("bdi", "option-name", ...parts, letters.slice(at).join(""));
}

/** Suggestions by type; the type of the best comes first, and each type keeps its order. */
function byType(suggestions) {
  const types = new Map();
  for (const suggestion of suggestions) types.set(suggestion.type, [...(types.get(suggestion.type) ?? []), suggestion]);
  return types;
}

function option(href, ...content) {
  const made = element("a", "option", element("span", "option-text", ...content));
  made.href = href;
  made.tabIndex = -1; // The box keeps the focus.
  made.role = "option";
  made.ariaSelected = "false";
  return made;
}

function suggested({ type, id, name, artists = [], marks = [] }) {
  const by = separated(artists.map((artist) => element("bdi", "", artist)));
  const others = by.length > 0 ? [" ", element("span", "option-artists", ...by)] : [];
  return option(addressOf(type, id), marked(name, marks), ...others);
}

function group(type, suggestions) {
  const title = element("div", "option-type", TITLES[type] ?? type);
  title.ariaHidden = "true"; // It is the group's name already.
  const made = element("div", "", title, ...suggestions.map(suggested));
  made.role = "group";
  made.ariaLabel = TITLES[type] ?? type;
  return made;
}

const searched = (before, text, after) => option(addressOf("search", text), before, element("bdi", "", text), after);

/** Fill `list` with what was found for `text`; gives its options, in the order in which they are seen. */
export function fillOptions(list, text, { suggestions, meant }) {
  const groups = [...byType(suggestions)].map(([type, ofType]) => group(type, ofType));
  const others = [
    meant ? searched("Did you mean ", meant, "?") : null,
    suggestions.length > 0 ? searched("All results for “", text, "”") : null,
  ];
  list.replaceChildren(...groups, ...others.filter((one) => one !== null));
  const options = [...list.querySelectorAll("[role=option]")];
  for (const [at, one] of options.entries()) one.id = `option-${at}`;
  return options;
}
