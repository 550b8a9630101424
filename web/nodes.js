// Making elements. What is put in as text stays text: no name can become markup.

/** An element with its class and what is in it: texts and nodes; null is nothing. */
export function element(tag, className = "", ...content) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...content.filter((part) => part !== null));
  return made;
}
