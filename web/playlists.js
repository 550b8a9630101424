// My playlists: those that I made, joined or follow, and a form to make another.

import { makePlaylist, me, myPlaylists, newKey } from "./api.js";
import { longList } from "./lists.js";
import { addressOf } from "./names.js";
import { element, field, tick } from "./nodes.js";
import { Refused } from "./transport.js";
import { plural } from "./weeks.js";
import { quoted } from "./wording.js";

const PAGE = 50;

function asRow(playlist, mine) {
  const { owner, public: isPublic, items } = playlist;
  const by = owner.id === mine ? [] : ["by ", element("bdi", "", owner.display_name || "somebody"), " · "];
  return { type: "playlist", entity: playlist, place: "", under: [...by, isPublic ? "Public" : "Private"], end: plural(items.total, "track") };
}

function form(page) {
  const name = element("input");
  const [isPublicLabel, isPublic] = tick("new-playlist-public", "Public: whoever has its address may see and follow it");
  const make = element("button", "loud", "Make it");
  const made = element("form", "new-playlist", ...field("new-playlist-name", "A new playlist", name), make, isPublicLabel);
  let key = newKey();
  [made.noValidate, name.maxLength, name.autocomplete, name.dir, name.placeholder] = [true, 200, "off", "auto", "Its name"];
  made.addEventListener("input", () => {
    key = newKey(); // Another playlist than the one that was perhaps made.
  });
  made.addEventListener("submit", async (event) => {
    event.preventDefault();
    make.disabled = true;
    try {
      if (!name.value.trim()) throw new Refused(400, "a name, please");
      const playlist = await makePlaylist({ name: name.value.trim(), public: isPublic.checked }, key);
      page.go(addressOf("playlist", playlist.id), `Made ${quoted(playlist.name)}. Add tracks to it from a search, an album or a track.`, { keeps: true });
    } catch (error) {
      page.fail(error);
      name.focus();
    } finally {
      make.disabled = false;
    }
  });
  return made;
}

/** The view of my playlists. */
export async function drawPlaylists(_name, signal, page) {
  const read = (offset) => myPlaylists(PAGE, offset, signal);
  const [account, first] = await Promise.all([me(signal), read(0)]);
  const list = longList("All of them", first, read, (one) => asRow(one, account.id));
  return { kind: "", name: "Playlists", parts: [form(page), list ?? element("p", "empty", "None yet: make the first one.")] };
}
