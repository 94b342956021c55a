// Keys that save the mouse. A page names the element that a key acts on: data-key="c".

import { gettext } from "./texts.js";

const SWITCH = "admin:keys";
const LIST = [
  ["?", gettext("Show this list")],
  ["/", gettext("Search this list")],
  ["c", gettext("Create")],
  ["j  k", gettext("Next row, previous row")],
  ["Enter  o", gettext("Open the row")],
  ["x  Space", gettext("Tick the row")],
  ["a", gettext("Go to the actions")],
  ["e", gettext("Edit what the page shows")],
  ["g h", gettext("Go to the front page")],
];
const isMac = /Mac|iP/.test(navigator.platform);
const ALWAYS = [["k", gettext("Search everything, and commands")], ["s", gettext("Save the form")]];

const FIELDS = "input:not([type=checkbox], [type=radio], [type=button], [type=submit]), textarea, select, [role=textbox], [role=listbox], [role=menu]";
const PRESSABLE = "a, button, summary, input";

let goes = -Infinity; // when `g` was pressed

function isOn() {
  try {
    return localStorage.getItem(SWITCH) !== "off";
  } catch {
    return true;
  }
}

function pressed(event) {
  if (event.defaultPrevented || event.isComposing || event.altKey || document.querySelector("dialog[open]")) return;
  const { key, target } = event;
  const isPlain = !event.ctrlKey && !event.metaKey;
  const isTyping = target.isContentEditable || target.closest?.(FIELDS);
  let isDone = false;
  if ((isMac ? event.metaKey : event.ctrlKey) && !event.shiftKey) isDone = press(`mod+${key.toLowerCase()}`);
  else if (isPlain && !isTyping && isOn()) isDone = act(event);
  if (isDone) event.preventDefault();
}

function act(event) {
  const { key } = event;
  const hasJustGone = event.timeStamp - goes < 1500;
  goes = -Infinity;
  if (key === "j") return move(1);
  if (key === "k") return move(-1);
  const row = event.target.closest?.("main tbody tr");
  if (row && onRow(event, row)) return true;
  if (event.repeat) return false;
  if (key === "?") return show();
  if (key === "g") goes = event.timeStamp;
  else if (hasJustGone) return press(`g ${key}`);
  else if (key.length === 1) return press(key);
  return false;
}

// Return whether the page has something for this key.
function press(key) {
  const node = document.querySelector(`[data-key="${CSS.escape(key)}"]`);
  if (!node || node.disabled) return false;
  if (node.matches(FIELDS)) {
    node.focus();
    node.select();
  } else if (node.matches(PRESSABLE)) node.click();
  // Of several buttons, no key presses one.
  else reach(node.querySelector(PRESSABLE));
  return true;
}

// What stays in view needs no scrolling, which would take the rows out of it.
function reach(button) {
  button.focus({ preventScroll: true });
  const { top, bottom } = button.getBoundingClientRect();
  if (top < 0 || bottom > innerHeight) button.scrollIntoView({ block: "nearest" });
}

// Rows

const rowLink = (row) => row.querySelector("th[scope=row] a");

function move(step) {
  const rows = [...document.querySelectorAll("main tbody tr")];
  if (!rows.length) return false;
  const from = rows.indexOf(document.activeElement.closest("tr"));
  const to = from < 0 ? (step > 0 ? 0 : rows.length - 1) : Math.min(Math.max(from + step, 0), rows.length - 1);
  const row = rows[to];
  if (!rowLink(row)) row.tabIndex = -1;
  (rowLink(row) || row).focus();
  row.scrollIntoView({ block: "nearest" });
  return true;
}

function onRow({ key, target }, row) {
  const link = rowLink(row);
  const box = row.querySelector("[name=pks]");
  const isItself = target === row || target === link;
  if (key === "ArrowDown" || key === "ArrowUp") return move(key === "ArrowDown" ? 1 : -1);
  if (box && (key === "x" || (key === " " && isItself))) box.click();
  // Enter in a box would send the form.
  else if (link && (key === "o" || (key === "Enter" && (target === box || !target.closest(PRESSABLE))))) link.click();
  else return false;
  return true;
}

// The list of them

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

function keys(text) {
  return element("dt", {}, ...text.split(/( +)/).map((part) => (part.trim() ? element("kbd", { textContent: part }) : part)));
}

export function show() {
  const title = element("h2", { id: "shortcuts-title", textContent: gettext("Keyboard shortcuts") });
  const rows = [...ALWAYS.map(([key, what]) => [isMac ? `⌘ ${key.toUpperCase()}` : `Ctrl ${key.toUpperCase()}`, what]), ...LIST];
  const table = element("dl", {}, ...rows.map(([key, what]) => element("div", {}, keys(key), element("dd", { textContent: what }))));
  const box = element("input", { type: "checkbox", className: "form-check-input", checked: isOn() });
  const choice = element("label", { className: "form-check" }, box, " ", gettext("Shortcuts of a single key"));
  const close = element("button", { type: "button", className: "btn", textContent: gettext("Close"), autofocus: true });
  const dialog = element("dialog", { className: "shortcuts" }, title, table, choice, close);
  dialog.setAttribute("aria-labelledby", title.id);
  box.addEventListener("change", () => {
    try {
      localStorage.setItem(SWITCH, box.checked ? "on" : "off");
    } catch {
      box.checked = true; // Nothing can be remembered here.
    }
  });
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  return true;
}

addEventListener("keydown", pressed);
for (const button of document.querySelectorAll("[data-shortcuts]")) {
  button.hidden = false;
  button.addEventListener("click", show);
}
