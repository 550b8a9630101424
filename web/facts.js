// What is known of something, by name.

import { element } from "./nodes.js";

/** A fact with its name; null where it is not known. */
export const fact = (name, ...value) => (value.every(Boolean) ? element("div", "", element("dt", "", name), element("dd", "", ...value)) : null);
export const facts = (...known) => (known.some(Boolean) ? element("dl", "facts", ...known) : null);
