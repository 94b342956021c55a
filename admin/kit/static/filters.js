// The filters of a list: which of them are unfolded, and conditions that come and go without a page.

let makePicker;

// The picker is the caller's, because files that import each other can't be named by what they hold.
export function setUp(picker) {
  makePicker = picker;
}

// Each filter stays as it was left, in this tab.
for (const filter of document.querySelectorAll("details[data-filter]")) {
  const name = `filter:${location.pathname}:${filter.dataset.filter}`;
  const kept = sessionStorage.getItem(name);
  if (kept) filter.open = kept === "open";
  filter.addEventListener("toggle", () => sessionStorage.setItem(name, filter.open ? "open" : "closed"));
}

// Counts are asked for from within the panel, which is open again then.
for (const link of document.querySelectorAll("[data-keep-open]")) {
  link.addEventListener("click", () => sessionStorage.setItem("filters-open", "yes"));
}

const place = document.querySelector("[data-builder-place]");

let latest = 0;

const typed = () => [...place.querySelectorAll("[name=_v]")].map((input) => input.value);

// The server knows the operators and the choices of each field. Only the last question counts, and
// what was typed while it was on its way stays; rows that go away move the others, though.
export async function showBuilder(url, step = "") {
  const turn = (latest += 1);
  const before = typed();
  const asked = new URL(url, location);
  asked.searchParams.set("_part", "builder");
  const answer = await fetch(asked);
  if (!answer.ok || answer.redirected) throw new Error(answer.statusText);
  const html = await answer.text();
  if (turn !== latest) return;
  const after = typed();
  place.innerHTML = html;
  const inputs = place.querySelectorAll("input[name=_v]:not([type=hidden], [data-picker])");
  if (!step.startsWith("drop-") && before.length === after.length) {
    const all = [...place.querySelectorAll("[name=_v]")];
    for (const input of inputs) {
      const at = all.indexOf(input);
      if (at < after.length && after[at] !== before[at]) input.value = after[at];
    }
  }
  for (const input of place.querySelectorAll("input[data-picker]")) makePicker(input);
  place.querySelector("[aria-invalid], select")?.focus();
}

place.addEventListener("click", (event) => {
  if (!event.target.closest("[data-builder-close]")) return;
  event.preventDefault();
  place.replaceChildren();
  document.querySelector("[data-builder-link]").focus();
});

place.addEventListener("submit", (event) => {
  if (event.submitter?.value === "apply") return;
  event.preventDefault();
  change(event.target, event.submitter);
});

place.addEventListener("change", (event) => {
  if (!event.target.matches("[data-updates]")) return;
  change(event.target.form, event.target.form.querySelector("[value=update]"), event.target);
});

async function change(form, button, changed) {
  const { action } = form;
  const at = [...form.elements].indexOf(changed ?? button);
  const values = new URLSearchParams(new FormData(form, button));
  try {
    const turn = latest + 1;
    await showBuilder(`${action}?${values}`, button.value);
    if (turn === latest) focusNear(at, button.value);
  } catch {
    location.assign(`${action}?${values}`);
  }
}

// The focus goes to what was added, else stays where it was.
function focusNear(at, step) {
  const { elements } = place.querySelector("form");
  const groups = [...place.querySelectorAll("fieldset")];
  if (step === "or") groups.at(-1).querySelector("select").focus();
  else if (step.startsWith("and-")) [...groups[step.slice(4)].querySelectorAll("[name=_f]")].at(-1).focus();
  else elements[Math.min(at, elements.length - 1)].focus();
}
