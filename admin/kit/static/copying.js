// Copies what a page shows, such as a password that is shown only once.

import { gettext } from "./texts.js";

for (const button of document.querySelectorAll("[data-copies]")) {
  const shown = document.getElementById(button.dataset.copies);
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(shown.innerText.trim());
      button.textContent = gettext("Copied");
    } catch {
      // Without the permission, or over plain HTTP: what is selected needs one more key.
      getSelection().selectAllChildren(shown);
    }
  });
}
