// Ticks whole rows and columns of the matrix of rights, and shows what a right brings along.

for (const matrix of document.querySelectorAll("[data-matrix]")) {
  const boxes = (within) => [...within.querySelectorAll("input[data-right]")];

  function mark(row) {
    const ticked = boxes(row).filter((box) => box.checked);
    const implied = new Set(ticked.flatMap((box) => box.dataset.implies.split(" ")));
    for (const box of boxes(row)) {
      const isImplied = implied.has("*") || implied.has(box.dataset.right);
      const note = document.getElementById(`${box.id}-implied`);
      note.hidden = box.checked || !isImplied;
      if (note.hidden) box.removeAttribute("aria-describedby");
      else box.setAttribute("aria-describedby", note.id);
    }
  }

  // Without `*`, which stands for more than can be seen.
  function toggle(some) {
    const plain = some.filter((box) => box.dataset.right !== "*");
    const isOn = !plain.every((box) => box.checked);
    for (const box of plain) box.checked = isOn;
    plain[0]?.dispatchEvent(new Event("input", { bubbles: true }));
    matrix.querySelectorAll("tbody tr").forEach(mark);
  }

  for (const button of matrix.querySelectorAll("[data-row], [data-column]")) {
    const { column } = button.dataset;
    button.hidden = column === "*";
    button.addEventListener("click", () =>
      toggle(
        column
          ? boxes(matrix).filter((box) => box.dataset.right === column && !box.value.startsWith("may/*/"))
          : boxes(button.closest("tr")),
      ),
    );
  }
  matrix.addEventListener("change", (event) => {
    const row = event.target.closest("tbody tr");
    if (row) mark(row);
  });
}
