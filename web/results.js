// What a search found: a few for the box, while somebody types, and more for a view of its own.

import { search, suggest } from "./api.js";
import { albumNote } from "./entity.js";
import { TITLES } from "./found.js";
import { listOf } from "./lists.js";
import { addressOf, namesOf, originOf } from "./names.js";
import { element } from "./nodes.js";
import { clock } from "./weeks.js";

const FEW = 5;
const MANY = 20;
const TYPES = Object.keys(TITLES);

const itemsOf = (found, type) => (found[`${type}s`]?.items ?? []).filter(Boolean);
const asSuggestion = ({ type, id, name, artists = [] }) => ({ type, id, name, artists: artists.map((artist) => artist.name), marks: [] });

/** What may be meant by what is typed; where no name begins like that, what a search finds. */
export async function find(text, signal) {
  const { suggestions } = await suggest(text, signal);
  if (suggestions.length > 0) return { suggestions, meant: null };
  const found = await search(text, FEW, signal);
  return { suggestions: TYPES.flatMap((type) => itemsOf(found, type)).map(asSuggestion), meant: found.did_you_mean };
}

function asRow(type, entity) {
  const row = { type, entity, place: "", under: [], end: "" };
  if (type === "track") return { ...row, under: originOf(entity), end: entity.duration_ms ? clock(entity.duration_ms) : "", isExplicit: entity.explicit };
  if (type === "album") return { ...row, under: [...namesOf(entity.artists), ` · ${albumNote(entity)}`] };
  return row;
}

function meantInstead(text) {
  if (!text) return null;
  const link = element("a", "name", element("bdi", "", text));
  link.href = addressOf("search", text);
  return element("p", "meant", "Did you mean ", link, "?");
}

/** The view of a search. */
export async function drawResults(text, signal) {
  const found = await search(text, MANY, signal);
  const lists = TYPES.map((type) => listOf(TITLES[type], itemsOf(found, type).map((entity) => asRow(type, entity))));
  const nothing = lists.every((list) => list === null) ? element("p", "empty", "Nothing found.") : null;
  return { name: text, kind: "Search", parts: [meantInstead(found.did_you_mean), nothing, ...lists] };
}
