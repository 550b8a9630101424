// The week against the one before: two lines, and how many percent.

import { plural, whole } from "./weeks.js";

const byId = (id) => document.getElementById(id);

function comparison(change, isUnderWay) {
  if (change === null || change === undefined) return "Nothing to compare with";
  if (change === 0) return "Just as much";
  const percent = Math.abs(change);
  const rounded = whole(percent < 10 ? Math.round(percent * 10) / 10 : Math.round(percent));
  return `${rounded}\u00a0% ${change > 0 ? "more" : "less"}${isUnderWay ? " so far" : ""}`;
}

/** Show how the week compares, as the minutes endpoint tells both. */
export function showComparison({ minutes: now, previous, change_percent: change }, isCurrent) {
  const most = Math.max(now, previous.minutes, 1);
  byId("this-line").style.setProperty("width", `${(100 * now) / most}%`);
  byId("last-line").style.setProperty("width", `${(100 * previous.minutes) / most}%`);
  byId("this-minutes").textContent = whole(now);
  byId("last-minutes").textContent = whole(previous.minutes);
  byId("change").textContent = comparison(change, isCurrent && now < previous.minutes);
  const toGo = previous.minutes - now;
  byId("to-go").textContent = isCurrent && toGo > 0 ? `${plural(toGo, "minute")} to go to match it.` : "";
}
