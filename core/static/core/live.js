/* Parts of a page that renew themselves, and forms with unsaved changes.

When a request of htmx fails, the page says so and stays as it was. Forms marked with `data-keep` are kept in this
tab's storage until they are saved, so that a sign-in or a reload returns to what was typed. */
(() => {
  "use strict";
  const notice = () => document.getElementById("connection");

  function show(kind) {
    const box = notice();
    if (!box) return;
    for (const text of box.children) text.hidden = text.dataset.when !== kind;
    box.hidden = !kind;
    document.body.classList.toggle("stale", Boolean(kind));
    const updated = document.querySelector("[data-updated]");
    for (const slot of box.querySelectorAll("[data-slot=updated]")) slot.textContent = updated ? updated.textContent : "";
  }

  document.addEventListener("htmx:responseError", (event) => {
    const status = event.detail.xhr.status;
    show(status === 401 ? "signed-out" : status === 403 ? "forbidden" : "failed");
  });
  document.addEventListener("htmx:sendError", () => show("offline"));
  document.addEventListener("htmx:timeout", () => show("offline"));
  document.addEventListener("htmx:afterOnLoad", (event) => {
    if (event.detail.xhr.status < 400) show("");
  });

  const form = () => document.querySelector("form[data-keep]");
  const key = (kept) => `unsaved:${kept.dataset.keep}:${location.pathname}`;
  const values = (kept) => [...new FormData(kept)].filter(([name]) => name !== "csrfmiddlewaretoken");
  const VERSION = ["page", "was"]; // differ each time that a page is opened, whatever was typed
  const typed = (pairs) => JSON.stringify(pairs.filter(([name]) => !VERSION.includes(name)));
  const SENT = "unsaved-sent"; // key of the form sent last: the page that says it is saved may be another one

  function keep(event) {
    const kept = event.target.closest("form[data-keep]");
    if (!kept) return;
    sessionStorage.setItem(key(kept), JSON.stringify(values(kept)));
    if (event.type === "submit") sessionStorage.setItem(SENT, key(kept));
  }
  document.addEventListener("input", keep);
  document.addEventListener("change", keep);
  document.addEventListener("submit", keep);

  /* Send the kept values to the page as a preview, which shows them as typed. */
  function restore(kept, stored) {
    const sent = document.createElement("form");
    sent.method = "post";
    const token = ["csrfmiddlewaretoken", kept.elements.csrfmiddlewaretoken.value];
    sent.addEventListener("formdata", ({ formData }) => {
      for (const [name, value] of [...stored, token, ["restored", "1"]]) formData.append(name, value);
    });
    document.body.append(sent);
    sent.submit();
  }

  document.addEventListener("DOMContentLoaded", () => {
    if (document.querySelector(".messagelist .saved")) sessionStorage.removeItem(sessionStorage.getItem(SENT));
    const kept = form();
    if (!kept) return;
    const stored = sessionStorage.getItem(key(kept));
    if (!stored || kept.dataset.bound) return; // a page that answers a form shows already what was typed
    if (typed(JSON.parse(stored)) === typed(values(kept))) sessionStorage.removeItem(key(kept));
    else restore(kept, JSON.parse(stored));
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-discard]") && form()) sessionStorage.removeItem(key(form()));
  });
})();
