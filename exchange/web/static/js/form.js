// A form that comes back refused puts the hand where the fault is. Filters marked data-now apply as soon as they change.
// In an element marked data-keep, a form somebody has begun to fill in stays as it is when the server renews the element.
const wrong = document.querySelector("main [aria-invalid=true]:not(fieldset)") ?? document.querySelector("[data-problem]");
wrong?.focus();

document.addEventListener("change", (event) => {
  if (event.target.form?.matches("[data-now]")) event.target.form.requestSubmit();
});

const begun = new WeakSet();
document.addEventListener("input", (event) => event.target.form && begun.add(event.target.form));

document.addEventListener("htmx:beforeSwap", ({ detail: { target } }) => {
  if (!target.matches("[data-keep]")) return;
  const hand = document.activeElement;
  const kept = [...target.querySelectorAll("form")].filter((form) => begun.has(form));
  const open = new Set(kept.filter((form) => form.closest("details")?.open));
  const putBack = () => {
    for (const form of kept) {
      const fresh = [...document.forms].find((other) => other.getAttribute("action") === form.getAttribute("action"));
      fresh?.replaceWith(form);
      if (open.has(form)) form.closest("details")?.setAttribute("open", "");
    }
    if (hand.isConnected) hand.focus();
  };
  document.addEventListener("htmx:afterSwap", putBack, { once: true });
});
