// The settings dialog: display name, time zone, and the end of the account.

import { deleteMe, me, saveMe } from "./api.js";
import { logOut } from "./session.js";
import { SessionEnded } from "./transport.js";

const byId = (id) => document.getElementById(id);

function say(id, text) {
  byId(id).textContent = text;
  byId(id).hidden = text === "";
}

/** Wire the dialog; `onSaved()` after a change, `onGone(reason)` when nobody is logged in any more. */
export function wireSettings({ onSaved, onGone }) {
  const dialog = byId("settings");
  const attempt = async (errorId, work) => {
    try {
      say(errorId, "");
      await work();
    } catch (error) {
      if (!(error instanceof SessionEnded)) return say(errorId, error.message);
      dialog.close();
      onGone("Your session has ended. Please log in again.");
    }
    return undefined;
  };

  byId("open-settings").addEventListener("click", () => attempt("settings-error", async () => {
    byId("delete-form").reset();
    byId("delete-button").disabled = true;
    dialog.showModal();
    const account = await me();
    byId("display-name").value = account.display_name ?? "";
    byId("time-zone").value = account.time_zone ?? "";
  }));
  byId("close-settings").addEventListener("click", () => dialog.close());
  byId("settings-form").addEventListener("submit", (event) => {
    event.preventDefault();
    attempt("settings-error", async () => {
      await saveMe({ display_name: byId("display-name").value.trim(), time_zone: byId("time-zone").value.trim() });
      dialog.close();
      onSaved();
    });
  });
  byId("delete-word").addEventListener("input", () => {
    byId("delete-button").disabled = byId("delete-word").value.trim().toLowerCase() !== "delete";
  });
  byId("delete-form").addEventListener("submit", (event) => {
    event.preventDefault();
    if (byId("delete-button").disabled) return;
    attempt("delete-error", async () => {
      await deleteMe();
      logOut();
      dialog.close();
      onGone("The account is deleted, and everything with it.");
    });
  });
}
