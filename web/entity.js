// A track, an album or an artist of the catalogue, and what belongs to it.

import { addButton } from "./addition.js";
import { album, albumTracks, artist, artistAlbums, topTracks, track } from "./api.js";
import { fact, facts } from "./facts.js";
import { listOf, longList } from "./lists.js";
import { nameOf, namesOf } from "./names.js";
import { element } from "./nodes.js";
import { clock, releaseDate, whole } from "./weeks.js";

const PAGE = 50;
const ALBUM_TYPES = { album: "Album", single: "Single", compilation: "Compilation" };

function by(artists) {
  const names = namesOf(artists);
  return names.length > 0 ? element("p", "entity-artists", ...names) : null;
}

const placeOf = ({ disc_number: disc = 1, track_number: number = 0 }) => (number > 0 ? `${disc > 1 ? `${disc}.` : ""}${number}` : "");
const lengthOf = ({ duration_ms: ms }) => (ms > 0 ? clock(ms) : "");
const originOf = (artists, mine) => namesOf((artists ?? []).filter(({ name }) => !mine.includes(name)));
const asTrack = (one, place, under) => ({ type: "track", entity: one, place, under, end: lengthOf(one), isExplicit: one.explicit });

/** What an album is, and since when: "Single, 3 May 2019". */
export const albumNote = (one) => [ALBUM_TYPES[one.album_type] ?? "Album", releaseDate(one.release_date)].filter(Boolean).join(", ");

async function drawTrack(id, signal) {
  const known = await track(id, signal);
  const { album: on } = known;
  const parts = [
    by(known.artists),
    facts(
      fact("Album", on?.name && nameOf("album", on)), fact("Length", lengthOf(known)), fact("Released", releaseDate(on?.release_date)),
      fact("Track number", placeOf(known)), fact("ISRC", known.external_ids?.isrc), fact("Lyrics", known.explicit && "Explicit"),
    ),
    element("div", "row", addButton(known, "Add to playlist")),
  ];
  return { name: known.name, kind: "Track", parts };
}

async function drawAlbum(id, signal) {
  const read = (offset) => albumTracks(id, PAGE, offset, signal);
  const [known, first] = await Promise.all([album(id, signal), read(0)]);
  const mine = (known.artists ?? []).map(({ name }) => name);
  const draw = (one) => asTrack(one, placeOf(one), originOf(one.artists, mine));
  const parts = [
    by(known.artists),
    facts(
      fact("Released", releaseDate(known.release_date)), fact("Tracks", whole(first.total)),
      fact("Label", known.label), fact("UPC", known.external_ids?.upc),
    ),
    longList("Tracks", first, read, draw),
  ];
  return { name: known.name, kind: ALBUM_TYPES[known.album_type] ?? "Album", parts };
}

async function drawArtist(id, signal) {
  const read = (offset) => artistAlbums(id, PAGE, offset, signal);
  const [known, tracks, first] = await Promise.all([artist(id, signal), topTracks(id, signal), read(0)]);
  const drawAlbumOf = (one) => ({ type: "album", entity: one, place: "", under: [albumNote(one)], end: "" });
  const parts = [
    facts(fact("Genres", known.genres?.join(", "))),
    listOf("Top tracks", tracks.map((one, at) => asTrack(one, String(at + 1), one.album?.name ? [nameOf("album", one.album)] : []))),
    longList("Albums", first, read, drawAlbumOf),
  ];
  return { name: known.name, kind: "Artist", parts };
}

export const ENTITIES = { track: drawTrack, album: drawAlbum, artist: drawArtist };
