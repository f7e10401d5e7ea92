// A countdown: data-seconds are left when the page arrives, by the server's clock. The reader's clock does not matter.
(() => {
  for (const timer of document.querySelectorAll("[data-seconds]")) {
    const ends = performance.now() + Number(timer.dataset.seconds) * 1000;
    const parts = timer.querySelectorAll("b");
    const button = document.getElementById(timer.dataset.opens);
    const show = () => {
      const left = Math.max(0, Math.ceil((ends - performance.now()) / 1000));
      [Math.floor(left / 3600), Math.floor(left / 60) % 60, left % 60].forEach((value, n) => {
        parts[n].textContent = String(value).padStart(2, "0");
      });
      if (left > 0) return;
      clearInterval(ticking);
      timer.hidden = true;
      button.disabled = false;
      button.textContent = button.dataset.open;
    };
    const ticking = setInterval(show, 200);
    show();
  }

  // One request for each page: a second click sends nothing, and the token of the page makes it once on the server.
  for (const form of document.querySelectorAll("form[data-once]")) {
    form.addEventListener("submit", (event) => {
      if (form.dataset.sent) event.preventDefault();
      form.dataset.sent = "1";
    });
  }
})();
