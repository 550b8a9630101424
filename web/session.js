// Who is logged in: the access token, the refresh token, and their renewal.
//
// Both live in sessionStorage: a reload goes on, a closed tab is logged out. A refresh token is good
// for one use, and using it twice ends the session on the server; so renewals wait for each other
// (Web Locks), and a duplicated tab, which starts with the same tokens, is told the new ones.

import { Refused, SessionEnded, send } from "./transport.js";

const KEY = "heartline.session";
const EARLY_MS = 20_000;
const TELL_MS = 120;

const others = "BroadcastChannel" in globalThis ? new BroadcastChannel(KEY) : null;
let grant = read();
let renewing = null;

if (others) {
  others.onmessage = ({ data }) => {
    if (grant && data.instead_of === grant.refresh_token) keep(data.grant);
  };
}

function read() {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEY));
    return typeof kept?.access_token === "string" ? kept : null;
  } catch {
    return null;
  }
}

function keep(next) {
  grant = next;
  try {
    if (next) sessionStorage.setItem(KEY, JSON.stringify(next));
    else sessionStorage.removeItem(KEY);
  } catch {
    // Storage is switched off: the session lasts as long as the page.
  }
}

async function fetchGrant(fields) {
  const response = await send("v1/token", { method: "POST", body: new URLSearchParams(fields) });
  const { access_token, refresh_token, expires_in } = await response.json();
  return { access_token, refresh_token, ends_at: Date.now() + (expires_in ?? 300) * 1000 };
}

export const isLoggedIn = () => grant !== null;

export async function logIn(name, password) {
  keep(await fetchGrant({ grant_type: "password", username: name, password }));
}

/** Forget the session, here at once and on the server as soon as it can be told. */
export function logOut() {
  const ended = grant?.refresh_token;
  keep(null);
  if (!ended) return;
  const body = new URLSearchParams({ token: ended });
  // Whoever logs out does not wait for it; untold, the token ends by itself.
  send("v1/revoke", { method: "POST", body, keepalive: true }).catch(() => {});
}

/** The access token, renewed when it is about to end. */
export async function accessToken() {
  if (!grant) throw new SessionEnded();
  if (Date.now() > grant.ends_at - EARLY_MS) await renew(grant.access_token);
  if (!grant) throw new SessionEnded();
  return grant.access_token;
}

/** Replace the access token `stale`; several callers at once share one renewal. */
export function renew(stale) {
  renewing ??= alone(() => renewOnce(stale)).finally(() => {
    renewing = null;
  });
  return renewing;
}

function alone(work) {
  return navigator.locks ? navigator.locks.request(KEY, work) : work();
}

async function renewOnce(stale) {
  // A tab that renewed just before us has told us by now.
  if (others) await new Promise((resolve) => setTimeout(resolve, TELL_MS));
  if (!grant?.refresh_token) return end();
  if (grant.access_token !== stale) return undefined;
  const used = grant.refresh_token;
  try {
    const next = await fetchGrant({ grant_type: "refresh_token", refresh_token: used });
    if (grant?.refresh_token !== used) return undefined; // Logged out while we asked.
    keep({ ...next, refresh_token: next.refresh_token ?? used });
    others?.postMessage({ instead_of: used, grant });
  } catch (error) {
    if (error instanceof Refused) return end();
    throw error;
  }
  return undefined;
}

function end() {
  keep(null);
  throw new SessionEnded();
}
