// Logging in, and making an account.

import { signUp } from "./api.js";
import { logIn } from "./session.js";
import { Away, Refused } from "./transport.js";

const byId = (id) => document.getElementById(id);
const WRONG = "That name and password do not belong together.";

let making = false;

export const guessedZone = () => Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";

export function fillZones(list) {
  const zones = Intl.supportedValuesOf?.("timeZone") ?? [];
  list.replaceChildren(...["UTC", ...zones.filter((zone) => zone !== "UTC")].map((zone) => {
    const option = document.createElement("option");
    option.value = zone;
    return option;
  }));
}

function say(node, text) {
  node.textContent = text;
  node.hidden = text === "";
}

function turn(toMaking) {
  making = toMaking;
  byId("zone-field").hidden = !making;
  byId("enter-button").textContent = making ? "Make the account" : "Log in";
  byId("other-way").textContent = making ? "I have an account" : "Make an account";
  byId("password").autocomplete = making ? "new-password" : "current-password";
  say(byId("enter-error"), "");
  if (making && !byId("new-zone").value) byId("new-zone").value = guessedZone();
}

/** Show the door; `reason` says why the listener stands before it. */
export function showDoor(reason) {
  turn(false);
  say(byId("door-reason"), reason);
  byId("door").hidden = false;
  byId("name").focus({ preventScroll: true });
}

export function hideDoor() {
  byId("door").hidden = true;
  byId("password").value = "";
}

/** Wire the form; `onEntered` is called once somebody is logged in. */
export function openDoor(onEntered) {
  byId("other-way").addEventListener("click", () => turn(!making));
  byId("enter").addEventListener("submit", async (event) => {
    event.preventDefault();
    const [name, password, zone] = ["name", "password", "new-zone"].map((id) => byId(id).value);
    if (!name.trim() || !password) return say(byId("enter-error"), "Both a name and a password, please.");
    byId("enter-button").disabled = true;
    say(byId("enter-error"), "");
    try {
      if (making) await signUp({ name: name.trim(), password, time_zone: zone.trim() || guessedZone() });
      if (making) turn(false);
      await logIn(name.trim(), password);
      await onEntered();
    } catch (error) {
      refuse(error);
    } finally {
      byId("enter-button").disabled = false;
    }
    return undefined;
  });
}

function refuse(error) {
  const wait = error.retryMs ? ` Try again in ${Math.ceil(error.retryMs / 1000)} s.` : " Try again in a moment.";
  const wrong = error instanceof Refused && !making && [400, 401].includes(error.status);
  if (error instanceof Away) say(byId("enter-error"), error.message + wait);
  else say(byId("enter-error"), wrong ? WRONG : error.message);
  byId(making ? "name" : "password").focus();
}
