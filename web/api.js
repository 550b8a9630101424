// What the page asks the server, one function an endpoint.

import { Refused, SessionEnded, send } from "./transport.js";
import { accessToken, renew } from "./session.js";

async function ask(path, options = {}) {
  const token = await accessToken();
  try {
    return await send(path, authorised(token, options));
  } catch (error) {
    if (!(error instanceof Refused && error.status === 401)) throw error;
  }
  await renew(token);
  try {
    return await send(path, authorised(await accessToken(), options));
  } catch (error) {
    throw error instanceof Refused && error.status === 401 ? new SessionEnded() : error;
  }
}

function authorised(token, options) {
  return { ...options, headers: { ...options.headers, Authorization: `Bearer ${token}` } };
}

async function read(path, signal) {
  return (await ask(path, { signal })).json();
}

/** What is read, and its tag; null where it is still what has the tag `known`. */
async function readTagged(path, known, signal) {
  const response = await ask(path, { signal, headers: known ? { "If-None-Match": known } : {} });
  return response.status === 304 ? null : { told: await response.json(), tag: response.headers.get("ETag") ?? "" };
}

/** `key` names what is asked for, so that it may be sent again and is done once. */
function json(method, value, key = null) {
  const headers = { "Content-Type": "application/json", ...(key ? { "Idempotency-Key": key } : {}) };
  return { method, body: JSON.stringify(value), headers };
}

/** A new name for something that is asked for. */
export const newKey = () => Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(36)).join("-");

/** The week's minutes, and `server_ms`, the server's clock when it answered. */
export async function minutes(week) {
  const response = await ask(`v1/me/listening/minutes?week=${encodeURIComponent(week)}`);
  const told = await response.json();
  return { ...told, server_ms: Date.parse(response.headers.get("Date") ?? "") || Date.now() };
}

/** What plays now, or null. */
export async function currentlyPlaying() {
  const response = await ask("v1/me/player/currently-playing");
  if (response.status === 204) return null;
  const told = await response.json();
  return told?.item ? told : null;
}

export async function recentlyPlayed(limit, before = null) {
  const query = new URLSearchParams({ limit });
  if (before !== null) query.set("before", before);
  return (await ask(`v1/me/player/recently-played?${query}`)).json();
}

export const me = (signal) => read("v1/me", signal);
export const saveMe = async (changes) => ask("v1/me", json("PUT", changes));
export const deleteMe = async () => ask("v1/me", { method: "DELETE" });
export const signUp = async (account) => send("v1/accounts", json("POST", account));

/** What may be meant by what is typed. */
export const suggest = (text, signal) => read(`v1/suggest?${new URLSearchParams({ q: text })}`, signal);

/** What is found for `text`: up to `limit` tracks, albums and artists, and what may have been meant. */
export async function search(text, limit, signal) {
  return read(`v1/search?${new URLSearchParams({ q: text, type: "track,album,artist", limit })}`, signal);
}

const entity = (type, id) => `v1/${type}s/${encodeURIComponent(id)}`;
const page = (limit, offset) => new URLSearchParams({ limit, offset });

export const track = (id, signal) => read(entity("track", id), signal);
export const album = (id, signal) => read(entity("album", id), signal);
export const artist = (id, signal) => read(entity("artist", id), signal);
export const albumTracks = (id, limit, offset, signal) => read(`${entity("album", id)}/tracks?${page(limit, offset)}`, signal);
export const artistAlbums = (id, limit, offset, signal) => read(`${entity("artist", id)}/albums?${page(limit, offset)}`, signal);
export const topTracks = async (id, signal) => (await read(`${entity("artist", id)}/top-tracks`, signal)).tracks;

// Playlists

const HEAD = "id,name,description,owner(id,display_name),public,collaborative,followers,snapshot_id";
const TRACK = "id,uri,name,duration_ms,explicit,artists(id,name),album(id,name)";
const ITEMS = `total,items(added_at,added_by(id,display_name),item(${TRACK}))`;
const playlist = (id, rest = "") => `v1/playlists/${encodeURIComponent(id)}${rest}`;
const member = (id, listenerId) => playlist(id, `/collaborators/${encodeURIComponent(listenerId)}`);

export const myPlaylists = (limit, offset, signal) => read(`v1/me/playlists?${page(limit, offset)}`, signal);
export const makePlaylist = async (details, key) => (await ask("v1/me/playlists", json("POST", details, key))).json();
export const changePlaylist = (id, details) => ask(playlist(id), json("PUT", details));
export const deletePlaylist = (id) => ask(playlist(id), { method: "DELETE" });

/** A playlist without its items, unless it is still what has the tag `known`. */
export const playlistHead = (id, known, signal) => readTagged(`${playlist(id)}?fields=${HEAD}`, known, signal);
export const playlistItems = (id, limit, offset, signal) => readTagged(`${playlist(id, "/items")}?fields=${ITEMS}&${page(limit, offset)}`, null, signal);
export const addItem = (id, uri, key) => ask(playlist(id, "/items"), json("POST", { uris: [uri] }, key));
export const removeItem = (id, uri, position, snapshot) => ask(playlist(id, "/items"), json("DELETE", { items: [{ uri, positions: [position] }], snapshot_id: snapshot }));
export const moveItem = (id, from, before, snapshot) => ask(playlist(id, "/items"), json("PUT", { range_start: from, insert_before: before, snapshot_id: snapshot }));

export const follows = async (id, signal) => (await read(playlist(id, "/followers/contains"), signal))[0];
export const follow = (id) => ask(playlist(id, "/followers"), { method: "PUT" });
export const unfollow = (id) => ask(playlist(id, "/followers"), { method: "DELETE" });

export const invite = async (id, role) => (await ask(playlist(id, "/invites"), json("POST", { role }))).json();
export const invitations = async (id, signal) => (await read(playlist(id, "/invites"), signal)).items;
export const withdraw = (id, invitation) => ask(playlist(id, `/invites/${encodeURIComponent(invitation)}`), { method: "DELETE" });
export const join = (id, token) => ask(playlist(id, "/collaborators"), json("POST", { token }));
export const collaborators = async (id, signal) => (await read(playlist(id, "/collaborators"), signal)).items;
export const dismiss = (id, listenerId) => ask(member(id, listenerId), { method: "DELETE" });

export const versions = (id, limit, offset, signal) => read(`${playlist(id, "/versions")}?${page(limit, offset)}`, signal);
export const restore = (id, snapshot) => ask(playlist(id, "/restore"), json("POST", { snapshot_id: snapshot }));
