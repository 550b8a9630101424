// ISO weeks, days and durations: arithmetic and the words for them.

const DAY_MS = 86_400_000;
const utc = (options) => new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", ...options });
const RANGE = utc({ day: "numeric", month: "long", year: "numeric" });
const WHOLE = new Intl.NumberFormat("en");
const LONG_DAY = utc({ weekday: "long", day: "numeric", month: "long" });
const SHORT_DAY = utc({ weekday: "short" });

const WEEK = /^(\d{4})-W(\d{2})$/;
export const isWeek = (text) => WEEK.test(text ?? "");

const mondayOf = (ms) => ms - ((new Date(ms).getUTCDay() + 6) % 7) * DAY_MS;

/** The ISO week of a date: "2027-01-01" is in "2026-W53". */
export function weekOf(date) {
  return weekName(mondayOf(Date.parse(`${date}T00:00:00Z`)));
}

function weekName(monday) {
  const year = new Date(monday + 3 * DAY_MS).getUTCFullYear(); // Its Thursday decides.
  const first = mondayOf(Date.UTC(year, 0, 4)); // 4 January is always in week 1.
  const number = Math.round((monday - first) / (7 * DAY_MS)) + 1;
  return `${year}-W${String(number).padStart(2, "0")}`;
}

/** The week `by` weeks after `week`: ("2026-W53", 1) is "2027-W01". */
export function weekFrom(week, by) {
  const [, year, number] = WEEK.exec(week);
  const first = mondayOf(Date.UTC(Number(year), 0, 4));
  return weekName(first + (Number(number) - 1 + by) * 7 * DAY_MS);
}

export const weekNumber = (week) => Number(WEEK.exec(week)?.[2] ?? 0);

const noon = (date) => new Date(`${date}T12:00:00Z`);
export const dateRange = (first, last) => RANGE.formatRange(noon(first), noon(last));
export const longDay = (date) => LONG_DAY.format(noon(date));
export const shortDay = (date) => SHORT_DAY.format(noon(date));
export const dayOfMonth = (date) => String(Number(date.slice(8)));

export const whole = (number) => WHOLE.format(number);
export const plural = (count, noun) => `${whole(count)} ${noun}${count === 1 ? "" : "s"}`;

const RELEASED = [utc({ year: "numeric" }), utc({ month: "long", year: "numeric" }), utc({ day: "numeric", month: "long", year: "numeric" })];

/** When something was released, as exactly as it is known: "1975", "November 1975", "21 November 1975", or "". */
export function releaseDate(date) {
  if (!/^(?!0000)\d{4}(-\d\d){0,2}$/.test(date ?? "")) return "";
  const parts = date.split("-");
  return RELEASED[parts.length - 1].format(noon([...parts, "01", "01"].slice(0, 3).join("-")));
}

/** 77 071 000 is "21 h 24 min 31 s". */
export function duration(ms) {
  const seconds = Math.floor(ms / 1000);
  const parts = [
    [Math.floor(seconds / 3600), "h"],
    [Math.floor(seconds / 60) % 60, "min"],
    [seconds % 60, "s"],
  ];
  const from = Math.max(0, parts.findIndex(([count]) => count > 0));
  return parts.slice(seconds ? from : 2).map(([count, unit]) => `${count}\u00a0${unit}`).join(" ");
}

/** 184 000 is "3:04". */
export function clock(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** "12 s", "4 min", "3 h": how long ago, roughly. */
export function age(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return `${seconds}\u00a0s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)}\u00a0min`;
  return `${Math.round(seconds / 3600)}\u00a0h`;
}

/** A formatter in `zone`; in the browser's own where it does not know that one. */
export function inZone(zone, options) {
  try {
    return new Intl.DateTimeFormat("en-GB", { ...options, timeZone: zone });
  } catch {
    return new Intl.DateTimeFormat("en-GB", options);
  }
}

/** The date (2026-11-16), the hour (0–23) and the minute at `ms` in `zone`. */
export function localTime(ms, zone) {
  const format = inZone(zone, {
    year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", hourCycle: "h23",
  });
  const part = Object.fromEntries(format.formatToParts(ms).map(({ type, value }) => [type, value]));
  const date = `${part.year}-${part.month}-${part.day}`;
  return { date, hour: Number(part.hour), minute: Number(part.minute) };
}
