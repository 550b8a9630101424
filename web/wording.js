// What went wrong, in words: the server's own, as sentences.

import { Away, Refused } from "./transport.js";
import { age } from "./weeks.js";

/** Whatever its direction, it turns nothing around it. */
export const isolated = (text) => `\u2068${text}\u2069`;
export const quoted = (text) => `“${isolated(text)}”`;

/** "there is no such playlist" is "There is no such playlist." */
export function sentence(text) {
  const [first = "", ...others] = Array.from(text.trim());
  const begun = first.toUpperCase() + others.join("");
  return /[.!?…]$/.test(begun) ? begun : `${begun}.`;
}

/** Why something was not done. */
export function wording(error) {
  if (error instanceof Refused) return sentence(error.message);
  if (!(error instanceof Away)) return "This page does not understand the answer.";
  return `${error.message} Try again in ${error.retryMs ? age(error.retryMs) : "a moment"}.`;
}
