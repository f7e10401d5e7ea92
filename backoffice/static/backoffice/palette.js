/* Search over any page, by the keys / and Ctrl+K: a combobox whose options the server finds.

Without a text it lists the pages opened last, kept in this browser for each user and forgotten on sign-out. Without
this script its links lead to the same search as a page. */
(() => {
  "use strict";
  const palette = document.getElementById("palette");
  if (!palette) return;
  const [input, list] = [palette.querySelector("input"), palette.querySelector("[role=listbox]")];
  const [none, failed] = [palette.querySelector("[data-none]"), palette.querySelector("[data-failed]")];
  const status = palette.querySelector("[role=status]");
  const address = palette.querySelector("form").getAttribute("action");
  const key = `recent:${palette.dataset.user}`;
  const MOST_RECENT = 6;
  const PAUSE = 120; // milliseconds after the last letter
  let timer, request;
  let moved = false; // whether an arrow key or the pointer chose, not the list itself
  let pending = false; // whether the options of the text are still to come
  let entered = false; // whether Enter was pressed meanwhile: then it is for the option to come

  const options = () => [...list.querySelectorAll("[role=option]")];
  function choose(option) {
    for (const each of options()) each.setAttribute("aria-selected", each === option);
    if (option) input.setAttribute("aria-activedescendant", option.id);
    else input.removeAttribute("aria-activedescendant");
    option?.scrollIntoView({ block: "nearest" });
  }
  const chosen = () => list.querySelector("[aria-selected=true]");

  function recent() {
    try {
      return JSON.parse(localStorage.getItem(key)) || [];
    } catch {
      return [];
    }
  }
  /* Remember an object's page; pages of the navigation are one key away already, and confirmations are no places. */
  function remember() {
    const heading = document.querySelector("main h1");
    const listed = [...document.querySelectorAll(".nav-link")].some((link) => link.pathname === location.pathname);
    if (!heading || listed || location.pathname === address || document.querySelector("main form.confirm")) return;
    const here = { href: location.pathname, name: heading.textContent.trim(), note: document.querySelector(".nav-link[aria-current] span")?.textContent || "" };
    const others = recent().filter((page) => page.href !== here.href);
    localStorage.setItem(key, JSON.stringify([here, ...others].slice(0, MOST_RECENT)));
  }
  function recentOptions() {
    const template = palette.querySelector("template");
    const pages = recent().filter((page) => page.href !== location.pathname);
    if (!pages.length) return [];
    const group = document.createElement("div");
    group.setAttribute("role", "group");
    group.setAttribute("aria-labelledby", "palette-recent");
    const heading = document.createElement("h3");
    heading.id = "palette-recent";
    heading.setAttribute("role", "presentation");
    heading.textContent = template.dataset.recent;
    group.append(heading);
    pages.forEach((page, n) => {
      const option = document.createElement("a");
      Object.assign(option, { className: "palette-hit", href: page.href, id: `palette-recent-${n}`, tabIndex: -1 });
      option.setAttribute("role", "option");
      const [text, note] = [document.createElement("span"), document.createElement("small")];
      note.textContent = page.note;
      text.append(page.name, " ", note);
      option.append(template.content.cloneNode(true), text);
      group.append(option);
    });
    return [group];
  }

  /* Show the options found. One that was chosen stays so: an answer may arrive after an arrow key. */
  function show(before, href) {
    list.prepend(...before);
    none.hidden = options().length > 0;
    failed.hidden = true;
    status.textContent = status.dataset.count.replace("{n}", options().length);
    choose(options().find((option) => option.href === href) || options()[0]);
    pending = false;
    if (entered) follow();
  }
  function follow() {
    entered = pending;
    if (!pending && chosen()) location.assign(chosen().href);
  }
  async function search() {
    request?.abort();
    pending = true;
    request = new AbortController();
    const text = input.value.trim();
    try {
      const answer = await fetch(`${address}?${new URLSearchParams({ q: text, part: "hits" })}`, { signal: request.signal });
      if (!answer.ok || answer.redirected) throw new Error(answer.status);
      const [hits, href] = [await answer.text(), moved && chosen()?.href];
      list.innerHTML = hits;
      show(text ? [] : recentOptions(), href);
    } catch (error) {
      if (error.name === "AbortError") return;
      list.replaceChildren();
      pending = entered = false;
      none.hidden = true;
      failed.hidden = false;
    }
  }

  function open(event) {
    event.preventDefault();
    if (!palette.open) palette.showModal();
    input.select();
    search();
  }
  document.addEventListener("keydown", (event) => {
    const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName) || event.target.isContentEditable;
    const control = event.key.toLowerCase() === "k" && (event.metaKey || event.ctrlKey) && !event.altKey;
    if (control || (event.key === "/" && !typing)) open(event);
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-find]")) open(event);
    if (event.target === palette) palette.close(); // beside it, on its backdrop
  });
  document.addEventListener("submit", (event) => {
    if (event.target.matches("[data-sign-out]")) localStorage.removeItem(key);
  });

  input.addEventListener("input", () => {
    moved = entered = false;
    pending = true;
    clearTimeout(timer);
    timer = setTimeout(search, PAUSE);
  });
  input.addEventListener("keydown", (event) => {
    const all = options();
    const at = all.indexOf(chosen());
    const to = { ArrowDown: (at + 1) % all.length, ArrowUp: (at - 1 + all.length) % all.length, Home: 0, End: all.length - 1 }[event.key];
    if (to !== undefined && all.length && !(event.key === "Home" || event.key === "End" ? event.shiftKey : false)) {
      event.preventDefault();
      moved = true;
      choose(all[to]);
    }
    if (event.key === "Enter" && (pending || chosen())) {
      event.preventDefault();
      follow();
    }
  });
  list.addEventListener("pointermove", (event) => {
    const option = event.target.closest("[role=option]");
    if (!option || option === chosen()) return;
    moved = true;
    choose(option);
  });
  remember();
})();
