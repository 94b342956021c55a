// Selecting rows: ranges, how many there are, and all that match.

import { gettext } from "./texts.js";

class Selection {
  constructor(form) {
    this.rows = [...form.querySelectorAll("[name=pks]")];
    this.page = form.querySelector("[data-tick-all]");
    this.all = form.querySelector("[name=_all]");
    this.status = form.querySelector("[data-selected]");
    this.none = form.querySelector("[data-select-none]");
    // Whoever was faster than this script may have begun a range.
    const ticked = this.rows.filter((row) => row.checked);
    this.last = ticked.length === 1 ? ticked[0] : null;
    this.page.hidden = false;
    this.page.addEventListener("change", () => this.tick(this.rows, this.page.checked));
    this.none.addEventListener("click", () => this.tick(this.rows, false));
    this.all?.addEventListener("change", () => this.tick(this.rows, this.all.checked, this.all.checked));
    for (const row of this.rows) row.addEventListener("click", (event) => this.clicked(row, event));
    // Somebody may have been faster than this script.
    if (this.page.checked) this.tick(this.rows, true);
    // The browser may have ticked some, when one comes back.
    addEventListener("pageshow", () => this.show());
    this.show();
    this.status.parentElement.dataset.ready = "";
  }

  clicked(row, event) {
    const [from, to] = [this.rows.indexOf(this.last), this.rows.indexOf(row)].sort((a, b) => a - b);
    const range = event.shiftKey && this.last ? this.rows.slice(from, to + 1) : [row];
    this.last = row;
    this.tick(range, row.checked);
  }

  tick(rows, isTicked, isAll = false) {
    for (const row of rows) row.checked = isTicked;
    if (this.all) this.all.checked = isAll;
    this.show();
  }

  show() {
    const count = this.rows.filter((row) => row.checked).length;
    const isPage = count === this.rows.length;
    const isAll = Boolean(this.all?.checked);
    const values = { count, total: this.rows.length };
    this.page.checked = isPage;
    this.page.indeterminate = count > 0 && !isPage;
    this.status.textContent = isAll ? "" : gettext("%(count)s of %(total)s selected", values);
    this.none.hidden = !count && !isAll;
    if (this.all) this.all.closest("label").hidden = !isPage && !isAll;
  }
}

for (const box of document.querySelectorAll("form[data-actions] [data-tick-all]")) new Selection(box.form);

// What was typed and not saved would be lost: whoever has such a form marks it with `data-unsaved`.
addEventListener("submit", (event) => {
  const isAction = event.target.matches("[data-actions]");
  const unsaved = isAction && document.querySelector("[data-unsaved]");
  if (!unsaved || confirm(gettext("What you typed into the list is not saved yet. Go on without it?"))) return;
  event.preventDefault();
  event.stopImmediatePropagation();
}, true);

