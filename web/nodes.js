// Making elements. What is put in as text stays text: no name can become markup.

/** An element with its class and what is in it: texts and nodes; null is nothing. */
export function element(tag, className = "", ...content) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...content.filter((part) => part !== null));
  return made;
}

/** A button that does `work`; `name` tells what, where the text alone does not. */
export function button(text, work, { className = "", name = null, does = null } = {}) {
  const made = element("button", className, text);
  made.type = "button";
  if (name) made.ariaLabel = name;
  if (does) made.dataset.does = does; // What it does in its row, whichever row that is.
  made.addEventListener("click", work);
  return made;
}

/** A field under its label, with the `id` that ties them. */
export function field(id, label, input) {
  const made = element("label", "", label);
  made.htmlFor = input.id = id;
  return [made, input];
}

/** A box to tick, beside its label. */
export function tick(id, label) {
  const box = element("input");
  box.type = "checkbox";
  box.id = id;
  const made = element("label", "tick", box, element("span", "", label));
  made.htmlFor = id;
  return [made, box];
}
