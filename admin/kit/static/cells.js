// Cells of a list that are edited where they stand. The server sends their inputs and judges them.

import { gettext } from "./texts.js";

const LOST = gettext("The server can't be reached. What you typed is kept here: save again once it is back.");
const SIGNED_OUT = gettext("You are signed out. Sign in, in another tab, then save again.");
const FAILED = gettext("This can't be stored at the moment. What you typed is kept here: try again.");
const REFUSED = gettext("You are not allowed to do this.");
const GONE = gettext("There is nothing here. It may have been deleted.");
const SENTENCES = { 401: SIGNED_OUT, 403: REFUSED, 404: GONE };
const PENCIL = "M3 13l.6-2.8L10.8 3l2.2 2.2-7.2 7.2zM9.3 4.5l2.2 2.2";

const editors = new Map(); // by cell
let number = 0;
let enhance = () => {};
let table;
let said; // where messages are heard

export function start(found, enhanceInputs, early) {
  table = found;
  enhance = enhanceInputs;
  said = element("div", { className: "said" });
  said.setAttribute("aria-live", "polite");
  document.body.append(said);
  for (const cell of cells()) offer(cell);
  table.addEventListener("click", clicked);
  table.addEventListener("keydown", (event) => {
    if (event.key !== "F2" || event.defaultPrevented) return;
    const cell = event.target.closest("[data-edit]") || event.target.closest("tr")?.querySelector("[data-edit]");
    if (cell) edit(cell);
    event.preventDefault();
  });
  addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !event.defaultPrevented) said.replaceChildren();
  });
  // An action, or another page, would lose what was typed.
  table.closest("form")?.addEventListener("submit", (event) => {
    if (!isPending() || confirm(gettext("Cells that you changed are not saved yet. Go on without them?"))) {
      for (const editor of [...editors.values()]) editor.close();
      return;
    }
    event.preventDefault();
    delete event.target.dataset.sent;
  });
  addEventListener("beforeunload", (event) => {
    if (isPending()) event.preventDefault();
  });
  if (early) clicked(early);
}

const isPending = () => [...editors.values()].some((editor) => editor.isChanged());

function cells() {
  const editable = new Set(table.dataset.editable.split(" "));
  const rows = [...table.querySelectorAll("tbody tr:not([data-fixed])")];
  return rows.flatMap((row) => [...row.cells].filter((cell) => editable.has(nameOf(cell))));
}

// The columns are named once, on the table; before them there may be a box to tick.
const names = () => table.dataset.names.split(" ");
const nameOf = (cell) => names()[cell.cellIndex - (cell.parentElement.cells.length - names().length)];
const cellOf = (row, name) => [...row.cells].find((cell) => nameOf(cell) === name);

function offer(cell) {
  const button = element("button", { type: "button", className: "cell-button" });
  const head = table.tHead.rows[0].cells[cell.cellIndex];
  const column = (head.querySelector("a") ?? head).firstChild.textContent.trim();
  const row = cell.parentElement.querySelector("th[scope=row]").textContent.trim();
  button.setAttribute("aria-label", gettext("Edit %(column)s of %(row)s", { column, row }));
  button.innerHTML = `<svg class="icon" viewBox="0 0 16 16" aria-hidden="true"><path d="${PENCIL}"/></svg>`;
  cell.dataset.edit = nameOf(cell);
  cell.append(button);
}

function clicked(event) {
  const cell = event.target.closest("[data-edit]");
  if (!cell || editors.has(cell)) return;
  const isButton = event.target.closest(".cell-button");
  const isElsewhere = event.target.closest("a, input, select, textarea, label") || cell.matches("th");
  if (isButton || (!isElsewhere && getSelection().isCollapsed)) edit(cell);
}

function edit(cell) {
  for (const editor of [...editors.values()]) if (editor.cell !== cell && editor.isReady && !editor.isChanged()) editor.close();
  if (!editors.has(cell)) editors.set(cell, new Editor(cell));
}

class Editor {
  constructor(cell) {
    this.cell = cell;
    this.isReady = false;
    const row = cell.parentElement;
    const key = row.dataset.row ?? row.querySelector("[name=pks]").value;
    const name = nameOf(cell);
    this.url = `${table.dataset.cells}${encodeURIComponent(key)}?name=${encodeURIComponent(name)}`;
    // Not the form of the list, whose actions must not send what is typed here.
    this.form = element("form", { id: `cell-${(number += 1)}`, hidden: true, noValidate: true });
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.save();
    });
    document.body.append(this.form);
    this.box = element("div");
    this.box.addEventListener("keydown", (event) => this.pressed(event));
    this.box.addEventListener("change", (event) => {
      if (event.target.matches(".cell-field > [type=checkbox]") && !this.collides) this.save();
    });
    this.box.addEventListener("click", (event) => {
      if (event.target.closest("[data-cancel]")) this.cancel();
    });
    this.open();
  }

  async open() {
    this.cell.setAttribute("aria-busy", "true");
    const { answer, sentence } = await ask(this.url);
    this.cell.removeAttribute("aria-busy");
    if (!editors.has(this.cell)) return;
    if (!answer?.editor) {
      this.close();
      say(sentence);
      return;
    }
    this.held = document.createDocumentFragment();
    this.held.append(...this.cell.childNodes);
    this.cell.append(this.box);
    this.cell.classList.add("is-edited");
    this.show(answer.editor);
    this.opened = this.state();
    this.isReady = true;
  }

  show(html) {
    this.box.innerHTML = html;
    enhance(this.box);
    for (const input of this.box.querySelectorAll("input, select, textarea, button")) input.setAttribute("form", this.form.id);
    this.collides = Boolean(this.box.querySelector("[data-collides]"));
    // By keyboard, Enter saves, Escape cancels and Tab goes on to the next cell.
    if (!this.collides) for (const button of this.box.querySelectorAll("button")) button.tabIndex = -1;
    this.focus();
  }

  focus() {
    const input = this.box.querySelector(".cell-field :is(input:not([type=hidden]), select, textarea)");
    input.focus();
    if (input.matches("input:not([type=checkbox]), textarea")) input.select();
  }

  state() {
    return new URLSearchParams([...new FormData(this.form)].filter(([name]) => name !== "_operation")).toString();
  }

  isChanged() {
    return this.isReady && (this.isRefused || this.state() !== this.opened);
  }

  pressed(event) {
    const { key, target } = event;
    if (event.defaultPrevented || event.isComposing) return;
    if (key === "Escape") this.cancel();
    else if (key === "Tab" && !this.collides) this.leave(event.shiftKey ? -1 : 1);
    else if (key === "Enter" && isEnter(event, target)) this.save();
    else return;
    event.preventDefault();
  }

  async leave(step) {
    const all = cells();
    const next = all[all.indexOf(this.cell) + step];
    if (!(await this.save())) return;
    if (next) edit(next);
  }

  // Return whether the cell is closed: what was typed is stored, or nothing was.
  async save() {
    if (this.isSaving) return false;
    if (!this.isChanged()) {
      this.cancel();
      return true;
    }
    const body = new URLSearchParams(new FormData(this.form));
    this.isSaving = true;
    this.cell.setAttribute("aria-busy", "true");
    const { answer, sentence } = await ask(this.url, { method: "POST", body });
    this.cell.removeAttribute("aria-busy");
    this.isSaving = false;
    if (answer?.cells) {
      this.close();
      update(this.cell.parentElement, answer.cells);
      hear(answer.messages);
      this.cell.querySelector(".cell-button")?.focus({ preventScroll: true });
      return true;
    }
    this.isRefused = true;
    if (answer?.editor) this.show(answer.editor);
    else this.complain(sentence);
    return false;
  }

  // Said at the cell; the inputs, and the key by which they are stored once, stay as they are.
  complain(sentence) {
    const field = this.box.querySelector(".cell-field");
    const input = field.querySelector(":is(input:not([type=hidden]), select, textarea)");
    field.querySelector("[role=alert]")?.remove();
    const alert = element("div", { className: "invalid-feedback d-block", id: `${input.id}-error`, textContent: sentence });
    alert.role = "alert";
    field.prepend(alert);
    input.setAttribute("aria-invalid", "true");
    input.setAttribute("aria-describedby", alert.id);
    input.focus();
  }

  cancel() {
    const hadFocus = this.box.contains(document.activeElement);
    this.close();
    if (hadFocus) this.cell.querySelector(".cell-button")?.focus({ preventScroll: true });
  }

  close() {
    editors.delete(this.cell);
    if (this.held) this.cell.replaceChildren(this.held);
    this.cell.classList.remove("is-edited");
    this.form.remove();
  }
}

function isEnter(event, target) {
  if (target.matches("button, [type=radio]")) return false;
  return !target.matches("textarea") || event.ctrlKey || event.metaKey;
}

async function ask(url, options = {}) {
  try {
    const response = await fetch(url, { ...options, headers: { Accept: "application/json" } });
    const isOurs = response.headers.get("Content-Type")?.startsWith("application/json");
    if (isOurs) return { answer: await response.json() };
    return { sentence: response.redirected ? SIGNED_OUT : SENTENCES[response.status] || FAILED };
  } catch {
    return { sentence: LOST };
  }
}

// Show the row as it is stored now: what others changed in it is seen as well.
function update(row, shown) {
  for (const [name, html] of Object.entries(shown)) {
    const cell = cellOf(row, name);
    if (!cell || editors.has(cell)) continue;
    const button = cell.querySelector(".cell-button");
    const link = cell.matches("th") && cell.querySelector("a");
    if (link) link.innerHTML = html;
    else cell.innerHTML = html;
    if (button) cell.append(button);
  }
  // It is no longer among what the operator may see.
  if (!Object.keys(shown).length) row.classList.add("is-gone");
}

function hear(html) {
  said.innerHTML = html;
  for (const part of said.querySelectorAll("[role=status], [role=alert]")) part.removeAttribute("role");
}

function say(sentence) {
  const alert = element("div", { className: "alert alert-danger", textContent: sentence });
  alert.role = "alert";
  said.replaceChildren(alert);
}

function element(tag, properties = {}) {
  return Object.assign(document.createElement(tag), properties);
}
