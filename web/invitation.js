// What an invitation's link opens: the question whether to join. The link is a secret that lets whoever
// has it join, so it leaves the address at once, is stored nowhere, and is forgotten when it was used.

import { join } from "./api.js";
import { addressOf } from "./names.js";
import { button, element } from "./nodes.js";
import { Refused } from "./transport.js";

const LINK = /^#\/invitation\/(.*)$/;
const TOKEN = /^([0-9A-Za-z]+)\.[0-9A-Za-z]+\.[\w-]+$/;

let token = null;

/** Take an invitation out of the address, if it is one. */
export function takeInvitation() {
  const [, told] = LINK.exec(location.hash) ?? [];
  if (told === undefined) return;
  token = told;
  history.replaceState(null, "", "#/invitation");
}

export const isInvited = () => token !== null;

/** Somebody else may come: the invitation is not theirs. */
export function forgetInvitation() {
  token = null;
}

const link = (text, address) => Object.assign(element("a", "", text), { href: address });

function unusable(text) {
  const parts = [element("p", "invitation-text", text), element("p", "", link("Your playlists", "#/playlists"))];
  return { kind: "Invitation", name: "This link opens nothing", parts };
}

/** The view of an invitation. */
export async function drawInvitation(_name, _signal, page) {
  if (token === null) return unusable("It has been used, or this page was loaded anew. Open the link again to join.");
  const [, playlistId] = TOKEN.exec(token) ?? [];
  if (!playlistId) return unusable("It is not whole. Ask whoever sent it for another one.");
  const leaves = link("Not now", "#/playlists");
  const joins = button("Join", () => use(playlistId, { joins, leaves, page }), { className: "loud" });
  const text = element("p", "invitation-text", "Somebody shares a playlist with you. Those who have it will see that you joined.");
  return { kind: "Invitation", name: "Join this playlist?", parts: [text, element("div", "row", joins, leaves)] };
}

async function use(playlistId, { joins, leaves, page }) {
  joins.disabled = true;
  try {
    const { role } = await (await join(playlistId, token)).json();
    token = null;
    page.go(addressOf("playlist", playlistId), role === "view" ? "You have joined this playlist." : "You have joined this playlist, and may edit it.");
  } catch (error) {
    page.fail(error);
    joins.disabled = false;
    joins.focus();
    if (error instanceof Refused) end(joins, leaves);
  }
}

// The same again would be refused again.
function end(joins, leaves) {
  token = null;
  joins.remove();
  leaves.textContent = "Your playlists";
  leaves.focus();
}
