// One request, and the three ways in which it can fail.

const PATIENCE_MS = 10_000;

/** The server understood and said no: `message` is for people, `field` names what was wrong. */
export class Refused extends Error {
  constructor(status, message, reason) {
    super(message);
    this.status = status;
    this.reason = reason;
  }
}

/** Nobody answers, or not now. `retryMs` is what the server asked for, if it did. */
export class Away extends Error {
  constructor(message, retryMs = null) {
    super(message);
    this.retryMs = retryMs;
  }
}

/** The session is over: only logging in again helps. */
export class SessionEnded extends Error {}

/** Fetch `path` (relative to the page); a response that is neither 2xx nor 304 becomes an error. `signal` gives it up. */
export async function send(path, { signal = null, ...options } = {}) {
  const patience = AbortSignal.timeout(PATIENCE_MS);
  let response;
  try {
    response = await fetch(path, {
      cache: "no-store",
      credentials: "omit",
      signal: signal ? AbortSignal.any([signal, patience]) : patience,
      ...options,
    });
  } catch {
    signal?.throwIfAborted();
    throw new Away("Heartline does not answer.");
  }
  if (response.ok || response.status === 304) return response; // 304: only who sent a tag is told that.
  if (response.status === 429) throw new Away("Too many tries.", retryMs(response) ?? 30_000);
  if (response.status >= 500) throw new Away("Heartline cannot answer now.", retryMs(response));
  throw await refusal(response);
}

function retryMs(response) {
  const seconds = Number(response.headers.get("Retry-After") ?? NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? Math.min(seconds, 3600) * 1000 : null;
}

async function refusal(response) {
  let body = null;
  try {
    body = await response.json();
  } catch {
    // Not ours (a proxy's page): the status has to do.
  }
  const error = body?.error;
  const told = error?.message ?? body?.error_description ?? body?.message;
  const reason = typeof error === "string" ? error : error?.reason;
  const message = typeof told === "string" ? told : `The server refused (${response.status}).`;
  return new Refused(response.status, message, reason);
}
