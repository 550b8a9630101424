// Names of tracks, albums and artists, and where on this page each is shown.

import { element } from "./nodes.js";

/** The address of what is shown of an entity, or of what was searched: `#/album/4aawyAB9vmqN3uQ7FjRGTy`. */
export const addressOf = (type, name) => `#/${type}/${encodeURIComponent(name)}`;

/** A name in its own direction of writing, which leads to its entity where the catalogue has one. */
export function nameOf(type, entity) {
  const name = element("bdi", "", entity.name);
  if (!entity.id) return name;
  const link = element("a", "name", name);
  link.href = addressOf(type, entity.id);
  return link;
}

/** Nodes with a comma before each but the first. */
export const separated = (nodes) => nodes.flatMap((node, at) => (at > 0 ? [", ", node] : [node]));

/** Artists as they are read: "A, B". */
export function namesOf(artists) {
  const named = (artists ?? []).filter((artist) => artist?.name);
  return separated(named.map((artist) => nameOf("artist", artist)));
}

/** A track's title; a track that the catalogue does not know shows its id. */
export function titleOf(track) {
  const known = track?.name && track.name !== track.id;
  return nameOf("track", known ? track : { name: track?.id || "Unknown track" });
}

/** Its artists and its album, as far as they are known: "A, B · Album". */
export function originOf(track) {
  const artists = namesOf(track?.artists);
  if (!track?.album?.name) return artists;
  return [...artists, ...(artists.length > 0 ? [" · "] : []), nameOf("album", track.album)];
}

/** A listener as others see them; `me` is whose page this is. One whose account is gone has no name. */
export function personOf(user, me, { you = "you" } = {}) {
  return user.id === me ? you : element("bdi", "", user.display_name || "somebody");
}
