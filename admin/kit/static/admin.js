// Comfort on top of pages that work without it.

import { gettext } from "./texts.js";

// Rows are selected, and something is done to them.
for (const form of document.querySelectorAll("[data-actions]")) {
  const start = onceTurnedTo(form, () => import("./selection.js"));
  // The browser may have ticked some, when one comes back.
  addEventListener("pageshow", () => form.querySelector("[name=pks]:checked, [name=_all]:checked") && start());
}

// Does what is worth nothing before the pointer or the focus reaches an element; without a pointer, at once.
function onceTurnedTo(element, act) {
  const kinds = ["pointerover", "focusin"];
  let isDone = false;
  const start = () => {
    for (const kind of kinds) element.removeEventListener(kind, start);
    if (!isDone) act();
    isDone = true;
  };
  if (matchMedia("(hover: none)").matches) start();
  else for (const kind of kinds) element.addEventListener(kind, start);
  return start;
}

// A second click on a button must not send the form twice.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("form[method=post]")) return;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "yes";
}, true); // Before the form's own, which may take it back.
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

// Appearance changes at once, so that nothing typed gets lost.
for (const form of document.querySelectorAll("[data-theme-form]")) {
  form.addEventListener("submit", async (event) => {
    const { value } = event.submitter;
    event.preventDefault();
    delete form.dataset.sent;
    const body = new URLSearchParams({ theme: value });
    await fetch(form.action, { method: "POST", body });
    if (value === "system") delete document.documentElement.dataset.bsTheme;
    else document.documentElement.dataset.bsTheme = value;
    for (const button of form.querySelectorAll("[name=theme]")) {
      button.setAttribute("aria-pressed", String(button.value === value));
    }
  });
}

// A password that is being chosen can be looked at.
if (document.querySelector("input[type=password][autocomplete=new-password]")) import("./passwords.js");
if (document.querySelector("[data-copies]")) import("./copying.js");

// The server shows times in the zone of this browser once it knows it: from the next page on.
for (const { dataset } of document.querySelectorAll("[data-timezone]")) {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (!zone || zone === dataset.timezone || sessionStorage.getItem("timezone") === zone) continue;
  sessionStorage.setItem("timezone", zone);
  const body = new URLSearchParams({ browser_timezone: zone });
  fetch(dataset.preferences, { method: "POST", body, keepalive: true }).catch(() => {});
}
for (const list of document.querySelectorAll("#timezones")) {
  document.getElementById("timezone").addEventListener("focus", () => {
    const options = Intl.supportedValuesOf("timeZone").map((name) => new Option(name, name));
    list.replaceChildren(...options);
  });
}

// Leaving a form with changes asks first.
for (const form of document.querySelectorAll("form[data-guard]")) {
  const state = () => new URLSearchParams(new FormData(form)).toString();
  // What was refused is stored nowhere, so it counts as changed from the start.
  let opened = form.querySelector("[aria-invalid], [role=alert]") ? "" : null;
  // The pickers below rebuild their inputs first.
  setTimeout(() => { opened ??= state(); });
  addEventListener("beforeunload", (event) => {
    if (opened !== null && !form.dataset.sent && state() !== opened) event.preventDefault();
  });
}

// A long menu can be filtered.
for (const box of document.querySelectorAll("[data-menu-filter]")) {
  const entries = [...box.closest("nav").querySelectorAll("li")];
  const filter = () => {
    const term = box.value.trim().toLowerCase();
    for (const entry of entries) entry.hidden = !entry.textContent.toLowerCase().includes(term);
    sessionStorage.setItem("menu-filter", box.value);
  };
  if (entries.length < 8) continue;
  box.hidden = false;
  box.value = sessionStorage.getItem("menu-filter") || "";
  box.addEventListener("input", filter);
  filter();
}

// Open menus close by Escape and by a click elsewhere.
addEventListener("keydown", (event) => {
  const open = event.key === "Escape" && document.querySelector("details.dropdown[open]");
  if (!open) return;
  open.open = false;
  open.querySelector("summary").focus();
});
addEventListener("click", (event) => {
  for (const open of document.querySelectorAll("details.dropdown[open]")) {
    if (!open.contains(event.target)) open.open = false;
  }
});

// What a dropdown holds comes when it is first opened; a link stands for it till then.
for (const link of document.querySelectorAll("[data-later]")) {
  link.closest("details").addEventListener("toggle", (event) => {
    if (event.target.open && link.isConnected) replaceByPart(link);
  });
}

async function replaceByPart(link) {
  const panel = link.parentElement;
  if (panel.hasAttribute("aria-busy")) return;
  panel.setAttribute("aria-busy", "true");
  const url = new URL(link.href);
  url.searchParams.set("_part", url.searchParams.get("_open"));
  try {
    const answer = await fetch(url);
    if (!answer.ok || answer.redirected) throw new Error(answer.statusText);
    const part = await answer.text();
    const hadFocus = document.activeElement === link;
    panel.innerHTML = part;
    if (hadFocus) panel.querySelector("input:not([type=hidden]), button:not([hidden])")?.focus();
  } catch {
    const note = document.createElement("p");
    note.role = "alert";
    note.textContent = gettext("The choices can't be loaded");
    panel.replaceChildren(note, link);
  }
  panel.removeAttribute("aria-busy");
}

// A picker: the input that holds a key gets a search box in front of it.
class Picker {
  constructor(input) {
    this.input = input;
    this.box = input.cloneNode();
    this.list = document.createElement("ul");
    this.options = [];
    this.active = -1;
    this.waiting = 0;
    this.build();
  }

  build() {
    const { input, box, list } = this;
    // Where the page has given the input its focus already, the box gets it by hand, else by itself.
    const hadFocus = document.activeElement === input;
    if (hadFocus) box.autofocus = false;
    input.autofocus = false;
    box.removeAttribute("name");
    box.value = input.dataset.chosen || input.value;
    box.type = "search";
    box.role = "combobox";
    list.id = `${input.id}-choices`;
    list.role = "listbox";
    list.className = "picker-choices";
    list.hidden = true;
    box.setAttribute("aria-controls", list.id);
    box.setAttribute("aria-expanded", "false");
    box.setAttribute("aria-autocomplete", "list");
    input.id += "-key";
    input.type = "hidden";
    const wrap = document.createElement("div");
    wrap.className = "picker";
    input.before(wrap);
    wrap.append(input, box, list);
    if (hadFocus) box.focus();
    for (const hint of wrap.parentElement.querySelectorAll("[data-chosen-hint]")) hint.remove();
    box.addEventListener("input", () => this.typed());
    box.addEventListener("focus", () => {
      box.select();
      this.search();
    });
    box.addEventListener("blur", () => this.left());
    box.addEventListener("keydown", (event) => this.pressed(event));
  }

  typed() {
    if (!this.box.value) this.input.value = this.input.dataset.chosen = "";
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.search(), 200);
  }

  async search() {
    const term = this.box.value === this.input.dataset.chosen ? "" : this.box.value;
    this.term = term;
    const url = `${this.input.dataset.picker}&term=${encodeURIComponent(term)}`;
    let choices = null;
    try {
      const answer = await fetch(url, { headers: { Accept: "application/json" } });
      if (answer.ok) choices = (await answer.json()).results;
    } catch {
      // The network is away; the list says so.
    }
    if (this.term === term && document.activeElement === this.box) this.show(choices);
  }

  show(found) {
    const choices = found || [];
    // The same answer again must not take back what the arrows chose meanwhile.
    const keys = JSON.stringify(found && choices.map((choice) => choice.id));
    if (keys === this.keys && !this.list.hidden) return;
    this.keys = keys;
    this.active = -1;
    this.options = choices.map((choice, index) => this.option(choice, index));
    if (!choices.length) {
      const nothing = document.createElement("li");
      nothing.textContent = found ? gettext("Nothing found") : gettext("The choices can't be loaded");
      nothing.setAttribute("aria-disabled", "true");
      nothing.role = "option";
      this.list.replaceChildren(nothing);
    } else {
      this.list.replaceChildren(...this.options);
    }
    this.open(true);
  }

  option(choice, index) {
    const item = document.createElement("li");
    item.id = `${this.list.id}-${index}`;
    item.role = "option";
    item.textContent = choice.text;
    item.dataset.key = choice.id;
    item.addEventListener("mousedown", (event) => {
      event.preventDefault();
      this.choose(item);
    });
    return item;
  }

  pressed(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) this.move(step);
    else if (event.key === "Enter" && !this.list.hidden) this.choose(this.options[this.active]);
    else if (event.key === "Escape" && !this.list.hidden) this.open(false);
    else return;
    event.preventDefault();
  }

  move(step) {
    if (!this.options.length) return;
    // From none, up leads to the last one.
    const from = step < 0 ? Math.max(this.active, 0) : this.active;
    this.active = (from + step + this.options.length) % this.options.length;
    this.options.forEach((item, index) => item.setAttribute("aria-selected", String(index === this.active)));
    const item = this.options[this.active];
    item.scrollIntoView({ block: "nearest" });
    this.box.setAttribute("aria-activedescendant", item.id);
  }

  choose(item) {
    if (!item) return;
    this.open(false);
    if ("adds" in this.input.dataset) return this.add(item);
    this.input.value = item.dataset.key;
    this.box.value = this.input.dataset.chosen = item.textContent;
  }

  // Of several, each that was chosen gets a box to tick it off again.
  add({ dataset, textContent }) {
    this.box.value = "";
    this.keys = null;
    const { name, form } = this.input;
    const all = [...form.querySelectorAll(`[name="${CSS.escape(name)}"]`)];
    const known = all.find((box) => box.type === "checkbox" && box.value === dataset.key);
    if (known) {
      known.checked = true;
      return;
    }
    const label = document.createElement("label");
    label.className = "form-check";
    const box = document.createElement("input");
    Object.assign(box, { type: "checkbox", className: "form-check-input", name, value: dataset.key, checked: true });
    const text = document.createElement("span");
    text.textContent = textContent;
    label.append(box, text);
    form.querySelector(`[data-several="${CSS.escape(name)}"]`).append(label);
  }

  left() {
    // What was typed but not chosen is no choice.
    this.box.value = this.input.dataset.chosen || this.input.value;
    this.open(false);
  }

  open(isOpen) {
    this.list.hidden = !isOpen;
    this.box.setAttribute("aria-expanded", String(isOpen));
    if (!isOpen) this.box.removeAttribute("aria-activedescendant");
  }
}

function addPickers(root) {
  for (const input of root.querySelectorAll("input[data-picker]")) new Picker(input);
}

addPickers(document);

// Cells that can be edited in the list: their script comes when somebody turns to the table.
for (const table of document.querySelectorAll("table[data-cells]")) {
  onceTurnedTo(table, async () => {
    // Somebody may be faster than the script: it hears of the click that came before it.
    let early = null;
    const keep = (event) => (early = event);
    table.addEventListener("click", keep);
    const { start } = await import("./cells.js");
    table.removeEventListener("click", keep);
    start(table, addPickers, early);
  });
}

// An address holds what was asked for, not each input that was left empty.
for (const form of document.querySelectorAll("form[data-tidy]")) {
  form.addEventListener("formdata", ({ formData }) => {
    const sent = [...formData].filter(([name, value]) => value || form.querySelector(`[data-default="${CSS.escape(name)}"]`));
    for (const name of [...formData.keys()]) formData.delete(name);
    for (const [name, value] of sent) formData.append(name, value);
  });
}

// What makes filters comfortable comes when somebody first opens them.
const filters = document.querySelector("[data-filters]");
async function filtering() {
  const module = await import("./filters.js");
  module.setUp((input) => new Picker(input));
  return module;
}
filters?.addEventListener("beforetoggle", filtering, { once: true });
if (filters && sessionStorage.getItem("filters-open")) {
  sessionStorage.removeItem("filters-open");
  filters.showPopover?.();
}
for (const link of document.querySelectorAll("[data-builder-link]")) {
  link.addEventListener("click", async (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    try {
      await (await filtering()).showBuilder(link.href);
    } catch {
      location.assign(link.href);
    }
  });
}
if (document.querySelector("[data-builder]")) filtering();

// The palette comes when somebody first asks for it; without it the form opens the search page.
for (const form of document.querySelectorAll("[data-palette]")) {
  const isMac = /Mac|iP/.test(navigator.platform);
  if (isMac) form.querySelector("[data-palette-key]").textContent = "⌘K";
  const open = async () => {
    let term = form.elements.q.value;
    // What is typed until it is there is meant for it, not for the field below; Escape takes it back.
    const keep = (event) => {
      if (event.key === "Escape") term = null;
      else if (event.key.length > 1 || event.ctrlKey || event.metaKey || term === null) return;
      else term += event.key;
      event.preventDefault();
      event.stopImmediatePropagation();
    };
    addEventListener("keydown", keep, true);
    try {
      const palette = await import("./palette.js");
      if (term !== null) palette.open(term);
    } finally {
      removeEventListener("keydown", keep, true);
    }
  };
  addEventListener("keydown", (event) => {
    const isAsked = (isMac ? event.metaKey : event.ctrlKey) && event.key.toLowerCase() === "k";
    if (!isAsked || event.altKey || event.shiftKey || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    open().catch(() => form.submit());
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    open().catch(() => form.submit());
  });
  remember(form.dataset.recent);
  import("./shortcuts.js");
}

// The palette shows what was opened last; who signs out, or isn't who was here before, leaves nothing.
function remember(name) {
  const { opened, model } = document.querySelector("main").dataset;
  document.querySelector("[data-sign-out]")?.addEventListener("submit", () => localStorage.removeItem(name));
  try {
    for (const other of keptLists()) if (other !== name) localStorage.removeItem(other);
    const url = location.pathname;
    if (opened) keep(name, [{ label: opened, detail: model, url }, ...others(name, url)].slice(0, 20));
  } catch {
    // Nothing can be remembered here.
  }
}

// What is gone, or nobody's business any more, is not offered again.
if (document.querySelector("[data-gone]")) {
  try {
    for (const name of keptLists()) keep(name, others(name, location.pathname));
  } catch {
    // Nothing is remembered here.
  }
}

function keptLists() {
  return Object.keys(localStorage).filter((name) => name.startsWith("admin:recent:"));
}

function keep(name, items) {
  localStorage.setItem(name, JSON.stringify(items));
}

function others(name, url) {
  try {
    return JSON.parse(localStorage.getItem(name)).filter((item) => item.url !== url);
  } catch {
    return []; // There is none, or something else.
  }
}

// The numbers of a list's views come after the page.
for (const tabs of document.querySelectorAll("[data-counts]")) countViews(tabs);

async function countViews(tabs) {
  const current = tabs.querySelector("[aria-current]");
  if (current) bringIntoView(tabs, current);
  let views = [];
  try {
    const answer = await fetch(tabs.dataset.counts, { headers: { Accept: "application/json" } });
    if (answer.ok) ({ views } = await answer.json());
  } catch {
    // The page says as much without the numbers.
  }
  for (const view of views) showNumbers(tabs, view);
  const active = current?.closest("li").dataset.view;
  if (views.some((view) => view.id === active && view.is_behind)) whenLookedAt(() => markSeen(tabs, active));
}

// Of many tabs, the one that is shown may be beyond the edge. The page itself stays where it is.
function bringIntoView(tabs, current) {
  const [tab, all] = [current.getBoundingClientRect(), tabs.getBoundingClientRect()];
  tabs.scrollLeft += Math.max(0, tab.right - all.right) - Math.max(0, all.left - tab.left);
}

function showNumbers(tabs, view) {
  const item = tabs.querySelector(`[data-view="${CSS.escape(view.id)}"]`);
  if (item) item.querySelector(".rows").textContent = view.count;
  if (!item || !view.new || item.querySelector(".new")) return;
  const link = document.createElement("a");
  link.className = "new";
  link.href = view.new_url;
  link.textContent = view.new;
  item.append(link);
}

// A page that opens in a tab behind is not looked at.
function whenLookedAt(act) {
  if (document.visibilityState === "visible") act();
  else document.addEventListener("visibilitychange", () => whenLookedAt(act), { once: true });
}

function markSeen(tabs, view) {
  const { seen, through } = tabs.dataset;
  if (!seen) return;
  const body = new URLSearchParams({ choose: "seen", view, through });
  fetch(seen, { method: "POST", body, headers: { Accept: "application/json" } }).catch(() => {});
}

// The order is sent with the form; without scripts each step is sent by itself.
addEventListener("click", (event) => {
  const button = event.target.closest("[data-order] :is([name=up], [name=down])");
  if (!button) return;
  event.preventDefault();
  const item = button.closest("li");
  if (button.name === "up") item.previousElementSibling?.before(item);
  else if (item.nextElementSibling?.querySelector("button")) item.nextElementSibling.after(item);
  for (const [place, other] of [...item.parentElement.children].entries()) {
    const [up, down] = other.querySelectorAll("button");
    if (!up) continue;
    up.disabled = place === 0;
    down.disabled = !other.nextElementSibling?.querySelector("button");
  }
  // The button may have come to an end of the list.
  (button.disabled ? item.querySelector("button:enabled") : button)?.focus();
});

// Of many fields that may be changed, the one that is typed into is meant.
for (const group of document.querySelectorAll("fieldset.change")) {
  const box = group.querySelector("[name=_change]");
  group.addEventListener("input", (event) => {
    if (event.target !== box) box.checked = true;
  });
}
