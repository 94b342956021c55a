// The command palette: recent objects, what this page can do, and the search over every list.
// A page makes a link or a button a command by data-command, which may hold a better label.

import { gettext, inSentence, ngettext } from "./texts.js";

const form = document.querySelector("[data-palette]");
const DELAY = 150; // milliseconds without a key before the server is asked

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

const input = element("input", { type: "text", className: "form-control", maxLength: 200, autocomplete: "off", role: "combobox", placeholder: form.elements.q.placeholder });
const list = element("div", { id: "palette-list", role: "listbox" });
const status = element("p", { role: "status" });
const dialog = element("dialog", { className: "palette" }, input, list, status);
dialog.setAttribute("aria-label", form.elements.q.placeholder);
input.setAttribute("aria-label", form.elements.q.placeholder);
input.setAttribute("aria-controls", list.id);
input.setAttribute("aria-autocomplete", "list");
list.setAttribute("aria-label", gettext("Results"));

let options = []; // what is shown, in order: { label, detail, url, run, node }
let active = -1;
let commands = [];
let found = []; // the server's groups for the term
let say = "";
let waiting = 0;
let request = null;

export function open(term = "") {
  if (dialog.open) return;
  document.body.append(dialog);
  commands = gather();
  input.value = term;
  dialog.showModal();
  typed();
}

// What there is without asking the server.

// Only what the menu still leads to: rights may have changed since it was opened.
function recent() {
  const lists = [...document.querySelectorAll('#menu a[href$="/list"]')];
  const folders = lists.map((link) => link.pathname.replace(/list$/, ""));
  try {
    const items = JSON.parse(localStorage.getItem(form.dataset.recent));
    return items.filter(({ label, url }) => label && folders.some((folder) => url.startsWith(folder)));
  } catch {
    return []; // The storage is switched off, or holds something else.
  }
}

function gather() {
  const menu = [...document.querySelectorAll("#menu li a")];
  return [
    ...marked("main [data-command]"),
    ...menu.filter((link) => link.dataset.create).map((link) => ({ label: link.dataset.createLabel, url: link.dataset.create })),
    ...menu.map((link) => ({ label: text(link), url: link.href })),
    ...marked(".topbar [data-command]"),
  ];
}

function marked(selector) {
  const nodes = [...document.querySelectorAll(selector)].filter((node) => !node.disabled);
  return nodes.map((node) => ({ label: node.dataset.command || text(node), url: node.href || "", run: () => node.click() }));
}

const text = (node) => node.textContent.trim().replace(/\s+/g, " ");

function matching(items, term) {
  const words = term.toLowerCase().split(/\s+/).filter(Boolean);
  return items.filter((item) => {
    const whole = `${item.label} ${item.detail || ""}`.toLowerCase();
    return words.every((word) => begins(whole, word));
  });
}

// A word counts from its beginning: a part of a name must not run a command that holds it somewhere.
// Scripts without capitals join words, or put articles before them, so there any place counts.
function begins(whole, word) {
  let at = whole.indexOf(word);
  while (at > 0 && /[\p{Ll}\p{N}]/u.test(whole[at - 1])) at = whole.indexOf(word, at + 1);
  return at >= 0;
}

// Searching

function typed() {
  const term = input.value.trim();
  clearTimeout(waiting);
  request?.abort();
  request = null;
  found = [];
  active = 0;
  say = term ? gettext("Searching…") : "";
  show();
  if (term) waiting = setTimeout(() => search(term), DELAY);
}

async function search(term) {
  const asked = request = new AbortController();
  try {
    const headers = { Accept: "application/json" };
    const answer = await fetch(address(term), { headers, signal: asked.signal });
    if (!answer.ok) throw answer;
    const results = await answer.json();
    if (request !== asked) return;
    found = results.groups;
    say = results.is_complete ? "" : gettext("The search took too long to look everywhere: more may exist.");
  } catch (error) {
    if (request !== asked) return;
    say = error.status === 401 ? gettext("You are signed out: reload the page.") : gettext("The search can't be reached: type on to try again.");
  }
  request = null;
  show();
}

const address = (term) => `${form.action}?q=${encodeURIComponent(term)}`;

// Showing

function show() {
  const term = input.value.trim();
  const visited = matching(recent().filter((item) => item.url !== location.pathname), term);
  const known = new Set(visited.map((item) => item.url));
  const groups = [[gettext("Recent"), visited], [gettext("Commands"), matching(commands, term)]];
  for (const group of found) {
    const hits = group.hits.filter((hit) => hit.url && !known.has(hit.url));
    if (group.has_more) hits.push({ label: gettext("All %(names)s that match", { names: inSentence(group.label) }), url: group.url });
    groups.push([group.label, hits]);
  }
  options = [];
  list.replaceChildren(...groups.filter(([, items]) => items.length).map(section));
  list.hidden = !options.length;
  input.setAttribute("aria-expanded", String(!list.hidden));
  const count = ngettext("%(count)s result", "%(count)s results", options.length);
  status.textContent = say || (options.length ? count : gettext("Nothing found"));
  activate(Math.min(Math.max(active, 0), options.length - 1));
}

function section([label, items], index) {
  const heading = element("div", { id: `palette-group-${index}`, className: "palette-group", textContent: label });
  const group = element("div", { role: "group" }, heading, ...items.map(option));
  group.setAttribute("aria-labelledby", heading.id);
  return group;
}

function option(item) {
  const node = element("div", { id: `palette-${options.length}`, role: "option" }, element("span", { textContent: item.label }));
  if (item.detail) node.append(" ", element("span", { className: "detail", textContent: item.detail }));
  options.push({ ...item, node });
  return node;
}

function activate(index) {
  active = index;
  options.forEach(({ node }, at) => node.setAttribute("aria-selected", String(at === index)));
  const chosen = options[index]?.node;
  if (chosen) input.setAttribute("aria-activedescendant", chosen.id);
  else input.removeAttribute("aria-activedescendant");
  // At the first one its group's heading is to be seen, too.
  if (index === 0) list.scrollTop = 0;
  else chosen?.scrollIntoView({ block: "nearest" });
}

// Choosing

function choose(item, inNewTab) {
  if (!item) {
    // Nothing is there yet: the page of results has it, and can say why if not.
    const term = input.value.trim();
    if (term) choose({ url: address(term) }, inNewTab);
  } else if (item.url && inNewTab) {
    window.open(item.url, "_blank", "noopener");
  } else {
    // Closing first gives the focus back, and lets a form ask before it is left.
    dialog.close();
    if (item.run) item.run();
    else location.assign(item.url);
  }
}

function pressed(event) {
  const last = options.length - 1;
  const to = { ArrowDown: active < last ? active + 1 : 0, ArrowUp: active > 0 ? active - 1 : last, Home: 0, End: last }[event.key];
  if (event.isComposing) return;
  if (event.key === "Enter") choose(options[active], event.ctrlKey || event.metaKey);
  else if (to !== undefined) activate(to);
  else return;
  event.preventDefault();
}

input.addEventListener("input", typed);
input.addEventListener("keydown", pressed);
list.addEventListener("mousedown", (event) => event.preventDefault());
list.addEventListener("click", (event) => {
  const node = event.target.closest("[role=option]");
  if (node) choose(options.find((item) => item.node === node), event.ctrlKey || event.metaKey);
});
dialog.addEventListener("click", (event) => {
  if (event.target === dialog) dialog.close();
});
dialog.addEventListener("close", () => {
  // Where nothing had the focus before, the hidden box would keep it, and swallow the shortcuts.
  if (document.activeElement === input) input.blur();
  clearTimeout(waiting);
  request?.abort();
  request = null;
});
