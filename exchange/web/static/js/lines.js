// [data-lines-total]: what the lines of its form come to, while one types; for the eye only, the server computes its own.
const figure = (text) => {
  const value = Number(text.replace(/[\s\u00a0\u202f]/g, "").replace(",", "."));
  return text.trim() && Number.isFinite(value) ? value : 0;
};

const show = (box) => {
  const form = box.closest("form");
  const { currency, locale, digits } = box.dataset;
  const forAll = figure(form.elements.price.value);
  let units = Number(box.dataset.units);
  let sum = Number(box.dataset.minor) / 10 ** digits;
  for (const field of form.querySelectorAll('[name^="quantity."]')) {
    const quantity = figure(field.value);
    units += quantity;
    sum += quantity * (figure(form.elements[field.name.replace("quantity", "price")].value) || forAll);
  }
  const money = new Intl.NumberFormat(locale, { style: "currency", currency });
  const said = { units: new Intl.NumberFormat(locale).format(units), total: money.format(sum), mean: units ? money.format(sum / units) : "–" };
  for (const place of box.querySelectorAll("[data-sum]")) place.textContent = units ? said[place.dataset.sum] : "–";
};

document.addEventListener("input", (event) => {
  const box = event.target.form?.querySelector("[data-lines-total]");
  if (box) show(box);
});
