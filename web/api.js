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

function json(method, value) {
  return { method, body: JSON.stringify(value), headers: { "Content-Type": "application/json" } };
}

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

export const me = async () => (await ask("v1/me")).json();
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
