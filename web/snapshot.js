// The items of a playlist as they stood in one version, however many pages they are.

import { playlistItems } from "./api.js";

const PAGE = 100;
const TRIES = 4;

/** The version that a tag begins with. */
const versionOf = (tag) => tag.replace(/^(W\/)?"/, "").split(".")[0];

/** The first `count` items, or some more, all of the version `snapshot`, and how many there are. */
export async function readSnapshot(id, count, signal) {
  for (let tries = 1; ; tries += 1) {
    const snapshot = await readOnce(id, count, signal);
    // Somebody changes it while it is read: in the end, what is sure to belong together has to do.
    if (snapshot.isWhole || tries === TRIES) return snapshot;
  }
}

async function readOnce(id, count, signal) {
  const first = await playlistItems(id, PAGE, 0, signal);
  const [snapshot, { total }] = [versionOf(first.tag), first.told];
  const items = [...first.told.items];
  while (items.length < Math.min(count, total)) {
    const next = await playlistItems(id, PAGE, items.length, signal);
    if (versionOf(next.tag) !== snapshot || next.told.items.length === 0) return { snapshot, total, items, isWhole: false };
    items.push(...next.told.items);
  }
  return { snapshot, total, items, isWhole: true };
}
