// Lists of the workspace: the bar of actions shows only while rows are selected. Without this it always shows.
(() => {
  const form = document.querySelector("form[data-bulk]");
  const bar = form?.querySelector("[data-bulk-bar]");
  if (!bar) return;
  const boxes = [...form.querySelectorAll('[name="_selected_action"]')];
  const every = form.querySelector("[data-bulk-all]");
  const count = bar.querySelector("[data-bulk-count]");
  const update = () => {
    const chosen = boxes.filter((box) => box.checked);
    bar.hidden = !chosen.length;
    count.textContent = `${chosen.length} ${count.dataset.text}`;
    every.checked = chosen.length === boxes.length;
    every.indeterminate = chosen.length > 0 && !every.checked;
    boxes.forEach((box) => box.closest("tr").setAttribute("aria-selected", String(box.checked)));
  };
  every.addEventListener("change", () => {
    boxes.forEach((box) => { box.checked = every.checked; });
    update();
  });
  boxes.forEach((box) => box.addEventListener("change", update));
  update();
})();
