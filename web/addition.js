// Adding a track to one of the playlists that somebody may edit: a dialog, and the buttons that open it.

import { addItem, collaborators, me, myPlaylists, newKey } from "./api.js";
import { button, element } from "./nodes.js";
import { mayEdit, roleOf } from "./roles.js";
import { SessionEnded } from "./transport.js";
import { plural } from "./weeks.js";
import { quoted, wording } from "./wording.js";

const PAGE = 50;
const byId = (id) => document.getElementById(id);

let onEnded = () => {};
let adding = null; // The track, and what is being read for it.

/** A button that asks to which playlist a track is added; null for what the catalogue does not have. */
export function addButton(track, text = null) {
  if (!track.id) return null;
  const name = text ? null : `Add ${quoted(track.name)} to a playlist`;
  return button(text ?? "+", () => open(track), { className: text ? "" : "small", name, does: "add" });
}

/** Wire the dialog; `ended(error)` when nobody is logged in any more. */
export function wireAddition(ended) {
  onEnded = ended;
  const dialog = byId("addition");
  byId("addition-close").addEventListener("click", () => dialog.close());
  byId("addition-more").addEventListener("click", () => attempt(read));
  dialog.addEventListener("click", (event) => event.target.closest("a") && dialog.close());
  dialog.addEventListener("close", () => adding?.reading.abort());
}

function open(track) {
  adding = { track, reading: new AbortController(), offset: 0, key: newKey() };
  byId("addition-title").replaceChildren("Add ", element("bdi", "", track.name), " to");
  byId("addition-list").replaceChildren();
  for (const id of ["addition-empty", "addition-more"]) byId(id).hidden = true;
  byId("addition").showModal();
  return attempt(read);
}

function say(text, problem = "") {
  byId("addition-said").textContent = text;
  byId("addition-error").textContent = problem;
}

async function attempt(work) {
  const { signal } = adding.reading;
  try {
    say("One moment…");
    const words = await work(adding, signal);
    if (!signal.aborted) say(words);
  } catch (error) {
    if (signal.aborted) return;
    if (error instanceof SessionEnded) onEnded(error);
    else say("", wording(error));
  }
}

async function read(now, signal) {
  const [account, page] = await Promise.all([me(signal), myPlaylists(PAGE, now.offset, signal)]);
  const roles = await Promise.all(page.items.map((one) => (one.owner.id === account.id ? "owner" : roleIn(one, account.id, signal))));
  if (signal.aborted) return "";
  now.offset += page.items.length;
  const offered = page.items.filter((_, at) => mayEdit(roles[at]));
  byId("addition-list").append(...offered.map((one) => element("li", "", choice(one))));
  byId("addition-more").hidden = !page.next;
  byId("addition-empty").hidden = Boolean(page.next) || byId("addition-list").children.length > 0;
  return "";
}

// A list of playlists tells who owns them, not who may edit them.
async function roleIn(playlist, listenerId, signal) {
  return roleOf(listenerId, playlist, await collaborators(playlist.id, signal).catch(() => []));
}

function choice(playlist) {
  const count = element("span", "choice-note", plural(playlist.items.total, "track"));
  const made = button(element("bdi", "", playlist.name), () => attempt((now) => add(now, playlist, count)), { className: "choice" });
  made.append(count);
  return made;
}

async function add(now, playlist, count) {
  await addItem(playlist.id, `heartline:track:${now.track.id}`, now.key);
  now.key = newKey();
  playlist.items.total += 1;
  count.textContent = plural(playlist.items.total, "track");
  return `Added to ${quoted(playlist.name)}.`;
}
