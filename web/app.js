// The page: who is logged in, which week is shown, and when to ask again.

import { wireAddition } from "./addition.js";
import { currentlyPlaying, minutes } from "./api.js";
import { Box } from "./box.js";
import { wireColours } from "./colours.js";
import { showComparison } from "./comparison.js";
import { Counter } from "./counter.js";
import { fillZones, hideDoor, openDoor, showDoor } from "./door.js";
import { History } from "./history.js";
import { forgetInvitation, isInvited, takeInvitation } from "./invitation.js";
import { Picture } from "./picture.js";
import { Playing } from "./playing.js";
import { Poll } from "./poll.js";
import { find } from "./results.js";
import { isLoggedIn, logOut } from "./session.js";
import { wireSettings } from "./settings.js";
import { drawNumber, drawStrands } from "./strands.js";
import { fillTable } from "./table.js";
import { Refused, SessionEnded } from "./transport.js";
import { Views } from "./views.js";
import { age, dateRange, duration, isWeek, localTime, plural, weekFrom, weekNumber, weekOf, whole } from "./weeks.js";

const PLAYING_MS = 2_000;
const IDLE_MS = 5_000;
const PAST_MS = 60_000;
const HISTORY_MS = 30_000;
const BEHIND_MS = 300_000;
const INVITED = "Somebody shares a playlist with you. Log in to join it, or make an account.";

const byId = (id) => document.getElementById(id);
const counter = new Counter(showListened);
const picture = new Picture(byId("picture"));
const history = new History(byId("history"), byId("older"), byId("history-empty"));
const playing = new Playing({
  section: byId("playing"), track: byId("playing-track"), origin: byId("playing-origin"),
  progress: byId("playing-progress"), done: byId("playing-done"), times: byId("playing-times"),
});
const box = new Box({
  form: byId("search"), input: byId("search-text"), popup: byId("search-popup"),
  list: byId("search-options"), note: byId("search-note"), status: byId("search-status"),
}, find, fail);
const views = new Views({
  week: byId("home"), view: byId("view"), kind: byId("view-kind"), name: byId("view-name"),
  body: byId("view-body"), error: byId("view-error"), again: byId("view-again"),
  told: byId("view-told"), problem: byId("view-problem"),
}, { opened: showView, ended: fail });
const poll = new Poll(ask, { away: showAway, back: hideAway, error: fail });

let told = null; // The last answer of the minutes endpoint, and when it came.
let current = null; // The week that "current" is.
let asked = 0;
let historyAt = -Infinity;
let historyTrack = null;
let counted = 0; // Whole minutes, as they are drawn.
let viewName = null;

const wantedWeek = () => {
  const week = new URLSearchParams(location.search).get("week");
  return isWeek(week) && week !== current ? week : "current";
};

async function ask() {
  const turn = ++asked;
  const week = wantedWeek();
  const [answer, nowPlaying] = await Promise.all([minutes(week), currentlyPlaying().catch(unlessRefused)]);
  if (turn !== asked) return IDLE_MS; // A newer question, or nobody is logged in any more.
  current = week === "current" ? answer.week : weekOf(localTime(answer.server_ms, answer.time_zone).date);
  showWeek(answer);
  playing.show(nowPlaying);
  readHistory(nowPlaying?.item?.id ?? null);
  if (nowPlaying?.is_playing) return PLAYING_MS;
  return week === "current" ? IDLE_MS : PAST_MS;
}

// The number matters more than what plays: a refusal there must not hide it.
function unlessRefused(error) {
  if (error instanceof Refused) return null;
  throw error;
}

function showWeek(answer) {
  const same = told?.week === answer.week && told.listener_id === answer.listener_id;
  told = { ...answer, at: performance.now() };
  document.body.classList.remove("is-loading");
  if (!same) counter.jump(0);
  counter.grow(answer.listened_ms);
  const spoken = `${plural(answer.minutes, "minute")} listened`;
  if (byId("minutes").textContent !== spoken) byId("minutes").textContent = spoken;
  byId("minutes").dataset.minutes = answer.minutes;
  showWords(answer);
  showComparison(answer, answer.week === current);
  showFreshness();
  picture.show(answer);
  fillTableIfOpen();
}

function showListened(ms) {
  counted = Math.floor(ms / 60_000);
  drawNumber(byId("numerals"), counted);
  byId("exactly").textContent = ms > 0 ? `${duration(ms)}.` : "";
  showTitle();
}

function showTitle() {
  const what = viewName ?? (told ? `${whole(counted)} min` : null);
  document.title = what ? `${what} · Heartline` : "Heartline";
}

function showView(type, name) {
  viewName = name;
  if (type === "search") box.write(name);
  byId("to-playlists").ariaCurrent = type === "playlists" ? "page" : null;
  showTitle();
}

function showWords(answer) {
  const isCurrent = answer.week === current;
  const days = dateRange(answer.days[0].date, answer.days.at(-1).date);
  document.body.classList.toggle("is-current", isCurrent);
  byId("week-name").textContent = `Week ${weekNumber(answer.week)}`;
  byId("week-dates").textContent = days;
  byId("caption").textContent = `${answer.minutes === 1 ? "minute" : "minutes"} listened ${isCurrent ? "this week" : "that week"}`;
  byId("week-after").disabled = wantedWeek() === "current";
  byId("week-current").hidden = wantedWeek() === "current";
  byId("this-label").textContent = isCurrent ? "This week" : `Week ${weekNumber(answer.week)}`;
  byId("empty").hidden = answer.listened_ms > 0;
  byId("empty").textContent = isCurrent ? "Nothing yet. Press play somewhere, and it begins here." : "Nothing was played in this week.";
  byId("picture").classList.toggle("is-empty", answer.listened_ms === 0);
  byId("zone-note").textContent = `Days and weeks in ${answer.time_zone}`;
}

function showFreshness() {
  if (!told) return;
  const completeTo = Date.parse(told.as_of);
  const late = told.server_ms - completeTo + (performance.now() - told.at);
  // The epoch itself: a server that has just been set up has not counted anything yet.
  byId("freshness").textContent = completeTo > 0 ? `Complete up to ${age(late)} ago.` : "Counting is about to begin.";
  byId("freshness").classList.toggle("behind", completeTo > 0 && late > BEHIND_MS);
}

function fillTableIfOpen() {
  if (told && byId("as-table").open) fillTable(byId("table"), told);
}

async function readHistory(track) {
  const due = performance.now() - historyAt > HISTORY_MS || track !== historyTrack;
  if (!due) return;
  [historyAt, historyTrack] = [performance.now(), track];
  await tryHistory(() => history.refresh(told.time_zone));
}

async function tryHistory(work) {
  try {
    await work();
    byId("history-error").hidden = true;
  } catch (error) {
    if (error instanceof SessionEnded) return fail(error);
    byId("history-error").textContent = error.message;
    byId("history-error").hidden = false;
  }
  return undefined;
}

function showAway(waitMs) {
  const kept = told ? "These are the last numbers it told." : "";
  byId("away-text").textContent = `Heartline is away. ${kept} Trying again in ${age(waitMs)}.`;
  byId("away").hidden = false;
}

function hideAway() {
  byId("away").hidden = true;
}

function fail(error) {
  if (error instanceof SessionEnded) return leave("Your session has ended. Please log in again.");
  if (error instanceof Refused && wantedWeek() !== "current") return goTo(null);
  const message = error instanceof Refused ? error.message : "This page does not understand the answer.";
  byId("away-text").textContent = message;
  byId("away").hidden = false;
  return undefined;
}

function goTo(week) {
  const url = new URL(location.href);
  if (week && week !== current) url.searchParams.set("week", week);
  else url.searchParams.delete("week");
  window.history.pushState(null, "", url);
  poll.now();
}

function enter() {
  hideDoor();
  for (const id of ["search", "places", "open-settings", "log-out"]) byId(id).hidden = false;
  document.body.classList.add("is-loading");
  byId("week-name").textContent = "Reading your week…";
  byId("week-dates").textContent = "";
  drawNumber(byId("numerals"), 0);
  historyAt = -Infinity;
  views.open();
  poll.start();
}

function leave(reason = "") {
  asked += 1;
  logOut();
  poll.stop();
  box.clear();
  views.close();
  history.clear();
  playing.show(null);
  told = current = viewName = null;
  showTitle();
  for (const id of ["home", "view", "search", "places", "open-settings", "log-out", "away"]) byId(id).hidden = true;
  for (const open of document.querySelectorAll("dialog[open]")) open.close();
  showDoor(reason || (isInvited() ? INVITED : ""));
}

function goOut() {
  forgetInvitation();
  leave();
}

function follow() {
  takeInvitation();
  if (isLoggedIn()) views.open();
  else if (isInvited()) leave();
}

// The address keeps naming the view that is open.
function skip(event) {
  event.preventDefault();
  byId("main").focus();
}

function wire() {
  drawStrands(document);
  fillZones(byId("zones"));
  wireColours(byId("theme"));
  openDoor(enter);
  wireSettings({ onSaved: () => poll.now(), onGone: leave });
  wireAddition(fail);
  byId("log-out").addEventListener("click", goOut);
  byId("try-now").addEventListener("click", () => [poll, views].forEach((each) => each.now()));
  byId("older").addEventListener("click", () => tryHistory(() => history.more()));
  byId("as-table").addEventListener("toggle", fillTableIfOpen);
  byId("week-before").addEventListener("click", () => told && goTo(weekFrom(told.week, -1)));
  byId("week-after").addEventListener("click", () => told && goTo(weekFrom(told.week, 1)));
  byId("week-current").addEventListener("click", () => goTo(null));
  byId("skip").addEventListener("click", skip);
  addEventListener("popstate", () => poll.now());
  addEventListener("hashchange", follow);
  setInterval(showFreshness, 1_000);
}

wire();
takeInvitation();
if (isLoggedIn()) enter();
else leave();
