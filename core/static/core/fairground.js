// Behaviour shared by all pages. Every page works without it. It sets no style attribute: the policy is style-src 'self'.
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];

  // data-show="id" opens a dialog, data-close closes the one it stands in.
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-show]");
    const dialog = opener && document.getElementById(opener.dataset.show);
    if (dialog) {
      event.preventDefault();
      dialog.showModal();
    }
    event.target.closest("[data-close]")?.closest("dialog")?.close();
    // A click beside an open menu closes it.
    all("details.menu[open]").forEach((menu) => menu.contains(event.target) || menu.removeAttribute("open"));
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    // WCAG 1.4.13: Escape dismisses a tooltip without moving the pointer or the focus.
    all(".tip").forEach((tip) => tip.classList.add("tip-off"));
    all("details.menu[open]").forEach((menu) => {
      menu.removeAttribute("open");
      menu.querySelector("summary").focus();
    });
  });
  const showTips = () => all(".tip-off").forEach((tip) => tip.classList.remove("tip-off"));
  document.addEventListener("pointerover", showTips);
  document.addEventListener("focusin", showTips);

  // data-copy="id" copies the text of an element or the value of a field; such buttons are hidden where there is no clipboard.
  if (navigator.clipboard) all("[data-copy]").forEach((button) => (button.hidden = false));
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const source = document.getElementById(button.dataset.copy);
    await navigator.clipboard.writeText(source.value ?? source.innerText);
    const [before, after] = all("span", button);
    before.hidden = true;
    after.hidden = false;
  });

  // A chart is one tab stop; the arrow keys walk its points, and a polite region reads them out.
  const walked = new WeakMap();
  const walk = (chart, step) => {
    const points = all(".pt", chart);
    if (!points.length) return;
    const before = walked.get(chart) ?? (step > 0 ? -1 : points.length);
    const now = Math.max(0, Math.min(points.length - 1, before + step));
    points[before]?.classList.remove("on");
    points[now].classList.add("on");
    walked.set(chart, now);
    chart.querySelector("[aria-live]").textContent = points[now].dataset.say;
  };
  document.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const chart = step && event.target.closest?.(".chart[tabindex]");
    if (!chart) return;
    event.preventDefault();
    walk(chart, step);
  });
  document.addEventListener("focusout", (event) => {
    const chart = event.target.closest?.(".chart[tabindex]");
    if (chart) all(".pt.on", chart).forEach((point) => point.classList.remove("on"));
  });
})();
