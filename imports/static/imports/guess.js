// A chosen file says by its name which format it has.
document.addEventListener("change", (event) => {
  const file = event.target.files && event.target.files[0];
  const formats = event.target.form && event.target.form.elements.format;
  if (!file || !formats || !formats.options) return;
  const ending = file.name.split(".").pop().toLowerCase();
  for (const option of formats.options) {
    if (option.text.trim().toLowerCase() === ending) formats.value = option.value;
  }
});
