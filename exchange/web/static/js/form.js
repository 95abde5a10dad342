// A form that comes back refused puts the hand where the fault is. Filters marked data-now apply as soon as they change.
const wrong = document.querySelector("main [aria-invalid=true]:not(fieldset)") ?? document.querySelector("[data-problem]");
wrong?.focus();

document.addEventListener("change", (event) => {
  if (event.target.form?.matches("[data-now]")) event.target.form.requestSubmit();
});
