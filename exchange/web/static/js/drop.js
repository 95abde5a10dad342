// A place to drop files is a file input with a large target: name what was chosen, refuse at once what is too large.
const place = (event) => event.target.closest?.("[data-drop]");

for (const kind of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(kind, (event) => {
    const drop = place(event);
    if (!drop) return;
    event.preventDefault();
    drop.toggleAttribute("data-over", kind === "dragover");
    if (kind !== "drop" || !event.dataTransfer.files.length) return;
    const input = drop.querySelector("input[type=file]");
    const files = new DataTransfer();
    for (const file of [...event.dataTransfer.files].slice(0, input.multiple ? undefined : 1)) files.items.add(file);
    input.files = files.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  });
}

document.addEventListener("change", (event) => {
  const drop = place(event);
  if (!drop || event.target.type !== "file") return;
  const files = [...event.target.files];
  const size = new Intl.NumberFormat(document.documentElement.lang, { style: "unit", unit: "kilobyte", maximumFractionDigits: 0 });
  drop.querySelector("output").textContent = files.map((file) => `${file.name} (${size.format(Math.ceil(file.size / 1000))})`).join(", ");
  const limit = Number(drop.dataset.limit || 0);
  event.target.setCustomValidity(limit && files.some((file) => file.size > limit) ? drop.dataset.tooLarge : "");
  event.target.reportValidity();
});
