// Shows a password that is being chosen, and hides it again.

import { gettext } from "./texts.js";

for (const box of document.querySelectorAll("input[type=password][autocomplete=new-password]")) {
  const button = Object.assign(document.createElement("button"), { type: "button", className: "btn" });
  const line = Object.assign(document.createElement("div"), { className: "with-reveal" });
  const say = () => {
    button.textContent = box.type === "password" ? gettext("Show") : gettext("Hide");
    button.setAttribute("aria-label", `${button.textContent} ${box.labels[0].textContent}`);
  };
  button.setAttribute("aria-controls", box.id);
  button.addEventListener("click", () => {
    box.type = box.type === "password" ? "text" : "password";
    say();
  });
  box.form.addEventListener("submit", () => { box.type = "password"; });
  box.before(line);
  line.append(box, button);
  say();
}
