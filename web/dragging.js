// Moving the rows of a list with the mouse, by their grips; whoever has no mouse has the buttons.

/** Let rows of `list` be dragged; `dropped(row, next)`: to before `next`, or to the end (null). */
export function wireDragging(list, dropped) {
  let dragged = null;
  let next = null;

  const clear = () => {
    for (const row of list.querySelectorAll(".is-dragged, .is-before, .is-behind")) row.classList.remove("is-dragged", "is-before", "is-behind");
  };
  const aim = (row, y) => {
    const { top, height } = row.getBoundingClientRect();
    const behind = y > top + height / 2;
    clear();
    dragged.classList.add("is-dragged");
    row.classList.add(behind ? "is-behind" : "is-before");
    next = behind ? row.nextElementSibling : row;
  };

  list.addEventListener("dragstart", (event) => {
    if (!event.target.matches?.(".grip")) return;
    dragged = next = event.target.closest(".item");
    dragged.classList.add("is-dragged");
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", dragged.dataset.key); // Firefox drags nothing without data.
    event.dataTransfer.setDragImage(dragged, 0, 0);
  });
  list.addEventListener("dragover", (event) => {
    const row = dragged && event.target.closest?.(".item");
    if (!row) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "move";
    aim(row, event.clientY);
  });
  list.addEventListener("drop", (event) => {
    if (!dragged) return;
    event.preventDefault();
    if (next !== dragged) dropped(dragged, next);
  });
  list.addEventListener("dragend", () => {
    clear();
    dragged = next = null;
  });
}
