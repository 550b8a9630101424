// A question before something that cannot be taken back.

import { element } from "./nodes.js";

/** Ask in a dialog; true if the answer is `yes`, the word on the button. */
export function agreed({ title, text, yes }) {
  const [heading, told] = [element("h2", "", title), element("p", "hint", text)];
  const [does, leaves] = [element("button", "danger", yes), element("button", "quiet", "Cancel")];
  const dialog = element("dialog", "question", heading, told, element("div", "row", does, leaves));
  [heading.id, told.id] = ["question-title", "question-text"];
  dialog.setAttribute("aria-labelledby", heading.id);
  dialog.setAttribute("aria-describedby", told.id);
  for (const button of [does, leaves]) button.type = "button";
  leaves.autofocus = true;
  does.addEventListener("click", () => dialog.close("yes"));
  leaves.addEventListener("click", () => dialog.close());
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
  });
}
