// <output data-total-of="quantity price">: the product of two fields of its form, for the eye only; the server computes its own.
const figure = (text) => Number(text.replace(/[\s\u00a0\u202f]/g, "").replace(",", "."));

const show = (output) => {
  const [quantity, price] = output.dataset.totalOf.split(" ").map((name) => output.form?.elements[name]?.value ?? "");
  const sum = figure(quantity) * figure(price);
  output.textContent =
    quantity && price && Number.isFinite(sum)
      ? new Intl.NumberFormat(output.dataset.locale, { style: "currency", currency: output.dataset.currency }).format(sum)
      : "–";
};

const all = (root) => root.querySelectorAll("output[data-total-of]").forEach(show);
document.addEventListener("input", (event) => event.target.form && all(event.target.form));
document.addEventListener("htmx:afterSwap", () => all(document));
all(document);
