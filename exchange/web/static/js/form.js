// A form that comes back refused puts the hand where the fault is. Filters marked data-now apply as soon as they change.
// In an element marked data-keep, a form somebody has begun to fill in stays as it is when the server renews the element.
const wrong = document.querySelector("main [aria-invalid=true]:not(fieldset)") ?? document.querySelector("[data-problem]");
wrong?.focus();

document.addEventListener("change", (event) => {
  if (event.target.form?.matches("[data-now]")) event.target.form.requestSubmit();
});

const begun = new WeakSet();
for (const kind of ["input", "change"]) {
  document.addEventListener(kind, (event) => event.target.form && begun.add(event.target.form));
}
// The address of a refused form is where it was sent: it came back with what was typed.
const isBegun = (form) => begun.has(form) || form.getAttribute("action") === location.pathname;
// Two forms of one action are told apart by their order.
const alike = (element, form) =>
  [...element.querySelectorAll("form")].filter((other) => other.getAttribute("action") === form.getAttribute("action"));

document.addEventListener("htmx:beforeSwap", ({ detail: { shouldSwap, target } }) => {
  if (!shouldSwap || !target.matches("[data-keep]")) return;
  const hand = document.activeElement;
  const kept = [...target.querySelectorAll("form")].filter(isBegun).map((form) => {
    return { form, nth: alike(target, form).indexOf(form), open: form.closest("details")?.open };
  });
  const putBack = () => {
    const renewed = document.getElementById(target.id);
    for (const one of kept) one.fresh = alike(renewed, one.form)[one.nth];
    for (const { form, fresh, open } of kept) {
      fresh?.replaceWith(form);
      if (open) form.closest("details")?.setAttribute("open", "");
    }
    if (hand.isConnected) hand.focus();
  };
  document.addEventListener("htmx:afterSwap", putBack, { once: true });
});
