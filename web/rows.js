// The rows of a list that is drawn anew while somebody reads it: what stays is kept, and so are the
// focus and the place that is looked at.

const marks = new WeakMap();
const doors = (row) => [...row.querySelectorAll("a[href], button")];

/** Have `rows` in `list`, each with a `key` of its own, and a `mark` that changes with what `draw()` would make; true if the focus was there and is lost. */
export function redraw(list, rows) {
  const focus = focusIn(list);
  const before = new Map([...list.children].map((row) => [row.dataset.key, row]));
  const wanted = rows.map((row) => kept(before.get(row.key), row) ?? drawn(row));
  const staying = new Set(wanted);
  for (const row of before.values()) if (!staying.has(row)) row.remove();
  for (let at = wanted.length - 1; at >= 0; at -= 1) {
    const next = wanted[at + 1] ?? null;
    if (wanted[at].parentNode !== list || wanted[at].nextSibling !== next) list.insertBefore(wanted[at], next);
  }
  return focus !== null && document.activeElement !== focus.node && !giveBack(list, focus);
}

/** Do `work`, which draws `list` anew, without what is looked at moving away. */
export function steady(list, work) {
  if (scrollY === 0) return work();
  const isSeen = ({ top, bottom }) => bottom > 0 && top < innerHeight;
  const seen = [...list.children].map((row) => [row, row.getBoundingClientRect()]).filter(([, box]) => isSeen(box));
  work();
  const moved = seen.filter(([row]) => row.isConnected).map(([row, box]) => row.getBoundingClientRect().top - box.top);
  // The median: one row that went elsewhere takes nobody along.
  const by = moved.sort((one, other) => one - other)[Math.floor(moved.length / 2)] ?? 0;
  if (by !== 0) scrollBy({ top: by, behavior: "instant" });
  return undefined;
}

/** Focus the same thing in the row at `at` (or the last one); false if there is no row. */
export function focusAt(list, at, does, options = {}) {
  const row = list.children[Math.min(at, list.children.length - 1)];
  if (!row) return false;
  const found = doors(row).find((door) => door.dataset.does === does) ?? doors(row)[0] ?? row;
  found.focus(options);
  return true;
}

function kept(row, { mark }) {
  return row && marks.get(row) === mark ? row : null;
}

function drawn({ key, mark, draw }) {
  const row = draw();
  row.dataset.key = key;
  marks.set(row, mark);
  return row;
}

function focusIn(list) {
  const node = list.contains(document.activeElement) ? document.activeElement : null;
  const row = node?.closest("[data-key]");
  return row ? { node, key: row.dataset.key, at: [...list.children].indexOf(row), does: node.dataset.does } : null;
}

function giveBack(list, { node, key, at, does }) {
  if (node.isConnected) node.focus({ preventScroll: true });
  if (document.activeElement === node) return true;
  const row = [...list.children].findIndex((one) => one.dataset.key === key);
  return focusAt(list, row < 0 ? at : row, does, { preventScroll: true });
}
