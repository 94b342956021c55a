// Comfort on top of pages that work without it.

// Ticking the box in the heading ticks the page.
for (const box of document.querySelectorAll("[data-tick-all]")) {
  box.hidden = false;
  box.addEventListener("change", () => {
    for (const row of box.form.querySelectorAll("[name=pks]")) row.checked = box.checked;
  });
}

// A second click on a button must not send the form twice.
for (const form of document.querySelectorAll("form[method=post]")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
  });
}
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

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
    for (const hint of wrap.parentElement.querySelectorAll("[data-chosen-hint]")) hint.remove();
    box.addEventListener("input", () => this.typed());
    box.addEventListener("focus", () => {
      box.select();
      this.search();
    });
    box.addEventListener("blur", () => this.left());
    box.addEventListener("keydown", (event) => this.pressed(event));
    if (input.autofocus) box.focus();
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
    this.active = -1;
    this.options = choices.map((choice, index) => this.option(choice, index));
    if (!choices.length) {
      const nothing = document.createElement("li");
      nothing.textContent = found ? "Nothing found" : "The choices can't be loaded";
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
    this.input.value = item.dataset.key;
    this.box.value = this.input.dataset.chosen = item.textContent;
    this.open(false);
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

for (const input of document.querySelectorAll("input[data-picker]")) new Picker(input);
