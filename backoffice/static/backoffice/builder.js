// Builder of an offer. Every change is sent and answered by the server; this keeps what is typed meanwhile, and asks
// before a page with unsaved changes is left.
(() => {
  "use strict";
  const builder = () => document.getElementById("builder");
  let dirty = false;
  let focused = null;

  document.addEventListener("input", (event) => {
    if (event.target.closest("#builder")) dirty = true;
  });

  // Enter sends a change once; without this it would also press the first button of the form.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.target.tagName !== "INPUT" || !event.target.closest("#builder[hx-post]")) return;
    event.preventDefault();
    event.target.dispatchEvent(new Event("change", { bubbles: true }));
  });

  // The answer replaces the form: what the person types in the meantime goes on in the new one.
  document.addEventListener("htmx:beforeSwap", () => {
    const active = document.activeElement;
    focused = active && active.id && active.closest("#builder") ? { id: active.id, value: active.value, sent: active.dataset.sent } : null;
  });
  document.addEventListener("htmx:beforeRequest", () => {
    const active = document.activeElement;
    if (active && active.id && "value" in active) active.dataset.sent = active.value;
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    const now = focused && document.getElementById(focused.id);
    const typing = now && /^(text|search|)$/.test(now.getAttribute("type") || "") && now.tagName !== "SELECT";
    if (typing && focused.sent !== undefined && focused.value !== focused.sent) {
      now.value = focused.value;
      dirty = true;
    } else if (event.target === builder() && event.target.dataset.saved) {
      // An answer for the preview alone saves nothing.
      dirty = false;
      sessionStorage.removeItem(`unsaved:${builder().dataset.keep}:${location.pathname}`);
    }
    focused = null;
  });

  document.addEventListener("submit", () => {
    dirty = false;
  });
  addEventListener("beforeunload", (event) => {
    if (dirty) event.preventDefault();
  });
})();
