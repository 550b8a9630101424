// The week as a picture: seven columns; above each day's minutes as a bar, below its 24 hours as
// lines around a middle rail, as wide as they were listened to. One tab stop; arrow keys walk the cells.

import { svg } from "./strands.js";
import { dayOfMonth, duration, localTime, longDay, plural, shortDay, whole } from "./weeks.js";

const HOURS = 24;
const HOUR_MS = 3_600_000;
const DAYS = 7;
const WIDE = 640;
const BARS = 5;

const pad = (hour) => String(hour).padStart(2, "0");
const set = (node, attributes) => {
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
};

export class Picture {
  #place;
  #root = svg("svg", { role: "group", "aria-label": "Minutes by day and hour. Use the arrow keys.", focusable: "false" });
  #tip = document.createElement("div");
  #ticks = [0, 6, 12, 18, 24].map((hour) => ({ hour, text: svg("text", { class: "tick" }), line: svg("line", { class: "grid" }) }));
  #now = svg("line", { class: "now-line" });
  #days = [];
  #at = { day: 0, row: 0 };
  #told = null;

  constructor(place) {
    this.#place = place;
    this.#tip.className = "tip";
    this.#tip.hidden = true;
    this.#tip.setAttribute("aria-hidden", "true");
    for (const { line } of this.#ticks) this.#root.append(line);
    for (let day = 0; day < DAYS; day += 1) this.#days.push(this.#makeDay(day));
    this.#root.append(this.#now, ...this.#ticks.map(({ text }) => text));
    place.append(this.#root, this.#tip);
    this.#listen();
    new ResizeObserver(() => this.#draw()).observe(place);
  }

  /** Show a week as the minutes endpoint tells it, at the server's time. */
  show(told) {
    this.#told = told;
    this.#draw();
  }

  #makeDay(day) {
    const parts = {
      group: svg("g"), total: svg("text", { class: "total" }),
      bars: Array.from({ length: BARS }, () => svg("rect", { class: "bar" })),
      name: svg("text", { class: "day" }), date: svg("text", { class: "date" }), rail: svg("line", { class: "rail" }),
      hours: Array.from({ length: HOURS }, () => svg("rect", { class: "hour" })),
      cells: Array.from({ length: HOURS + 1 }, (_, row) =>
        svg("rect", { class: "cell", role: "img", tabindex: day + row === 0 ? 0 : -1, "data-day": day, "data-row": row })),
    };
    parts.group.append(parts.rail, ...parts.bars, ...parts.hours, parts.total, parts.name, parts.date, ...parts.cells);
    this.#root.append(parts.group);
    return parts;
  }

  #measure() {
    const width = this.#place.clientWidth;
    const wide = width >= WIDE;
    const left = wide ? 44 : 24;
    const [bars, row] = wide ? [150, 15] : [96, 12];
    const top = 26 + bars;
    const hours = top + 52;
    return { width, left, bars, row, top, hours, column: (width - left) / DAYS, height: hours + HOURS * row + 12 };
  }

  #draw() {
    const told = this.#told;
    const box = this.#measure();
    if (!told || box.width === 0) return;
    const today = localTime(told.server_ms, told.time_zone);
    const most = Math.max(...told.days.map((day) => day.listened_ms), HOUR_MS / 2);
    // The hour that a DST change repeats may hold two.
    const fullest = Math.max(HOUR_MS, ...told.days.flatMap((day) => Object.values(day.hours ?? {})));
    set(this.#root, { viewBox: `0 0 ${box.width} ${box.height}`, width: box.width, height: box.height });
    this.#drawScale(box, told, today);
    told.days.forEach((day, index) => this.#drawDay(box, index, day, { today, most, fullest }));
  }

  #drawScale(box, told, today) {
    for (const { hour, text, line } of this.#ticks) {
      const y = box.hours + hour * box.row;
      set(text, { x: box.left - 8, y: y + 4, "text-anchor": "end" });
      text.textContent = pad(hour);
      set(line, { x1: box.left, x2: box.width, y1: y, y2: y });
    }
    const column = told.days.findIndex((day) => day.date === today.date);
    const y = box.hours + (today.hour + today.minute / 60) * box.row;
    const x = box.left + column * box.column;
    set(this.#now, { x1: x, x2: x + box.column, y1: y, y2: y, visibility: column < 0 ? "hidden" : "visible" });
  }

  #drawDay(box, index, day, { today, most, fullest }) {
    const parts = this.#days[index];
    const middle = box.left + (index + 0.5) * box.column;
    const state = day.date === today.date ? "today" : day.date > today.date ? "ahead" : "past";
    set(parts.group, { class: `column ${state}` });
    const high = (day.listened_ms / most) * box.bars;
    const wide = Math.min(box.column * 0.64, 63);
    this.#drawBar(parts.bars, middle - wide / 2, wide, { y: box.top - high, height: high }, state);
    set(parts.total, { x: middle, y: box.top - high - 7, "text-anchor": "middle" });
    parts.total.textContent = state === "ahead" && day.listened_ms === 0 ? "" : whole(day.minutes);
    set(parts.name, { x: middle, y: box.top + 19, "text-anchor": "middle" });
    parts.name.textContent = shortDay(day.date);
    set(parts.date, { x: middle, y: box.top + 36, "text-anchor": "middle" });
    parts.date.textContent = dayOfMonth(day.date);
    set(parts.rail, { x1: middle, x2: middle, y1: box.hours, y2: box.hours + HOURS * box.row });
    this.#drawHours(box, index, day, middle, fullest);
  }

  // Past days are grooved like a pressed record; today is one solid piece.
  #drawBar(bars, left, wide, upright, state) {
    const unit = wide / (2 * BARS - 1);
    const widthOf = (index) => (state !== "today" ? unit : index === 0 ? wide : 0);
    bars.forEach((bar, index) => set(bar, { ...upright, x: left + 2 * index * unit, width: widthOf(index) }));
  }

  #drawHours(box, index, day, middle, fullest) {
    const { hours, cells } = this.#days[index];
    const left = box.left + index * box.column;
    const label = `${longDay(day.date)}: ${plural(day.minutes, "minute")}`;
    set(cells[0], { x: left, y: 0, width: box.column, height: box.top + 44, "aria-label": label });
    for (let hour = 0; hour < HOURS; hour += 1) {
      const ms = day.hours?.[hour] ?? 0;
      const share = ms / fullest;
      const wide = ms > 0 ? Math.max(2, share * box.column * 0.86) : 0;
      const y = box.hours + hour * box.row;
      set(hours[hour], { x: middle - wide / 2, y: y + 1.5, width: wide, height: box.row - 3, "fill-opacity": 0.45 + 0.55 * share });
      const told = `${longDay(day.date)}, ${pad(hour)}:00 to ${pad(hour + 1)}:00: ${ms ? duration(ms) : "nothing"}`;
      set(cells[hour + 1], { x: left, y, width: box.column, height: box.row, "aria-label": told });
    }
  }

  #listen() {
    const cellOf = (event) => event.target.closest?.(".cell");
    this.#root.addEventListener("pointermove", (event) => cellOf(event) && this.#tell(cellOf(event)));
    this.#root.addEventListener("pointerdown", (event) => cellOf(event) && this.#tell(cellOf(event)));
    this.#root.addEventListener("pointerleave", () => this.#hush());
    this.#root.addEventListener("focusin", (event) => cellOf(event) && this.#tell(cellOf(event)));
    this.#root.addEventListener("focusout", () => this.#hush());
    this.#root.addEventListener("keydown", (event) => this.#walk(event));
  }

  #walk(event) {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (event.key === "Escape") this.#hush();
    if (!step) return;
    event.preventDefault();
    const day = Math.min(DAYS - 1, Math.max(0, this.#at.day + step[0]));
    const row = Math.min(HOURS, Math.max(0, this.#at.row + step[1]));
    this.#cell(this.#at).setAttribute("tabindex", "-1");
    this.#at = { day, row };
    this.#cell(this.#at).setAttribute("tabindex", "0");
    this.#cell(this.#at).focus();
  }

  #cell({ day, row }) {
    return this.#days[day].cells[row];
  }

  #tell(cell) {
    const place = this.#place.getBoundingClientRect();
    const spot = cell.getBoundingClientRect();
    this.#tip.textContent = cell.getAttribute("aria-label");
    this.#tip.hidden = false;
    const half = this.#tip.offsetWidth / 2;
    const x = Math.min(place.width - half, Math.max(half, spot.left - place.left + spot.width / 2));
    const y = cell.dataset.row === "0" ? this.#measure().top + 48 : spot.bottom - place.top + 6;
    this.#tip.style.setProperty("transform", `translate(${Math.round(x - half)}px, ${Math.round(y)}px)`);
  }

  #hush() {
    this.#tip.hidden = true;
  }
}
