// Colours change at once; the server is told too, so that the next page comes in the same ones.
document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.matches("[data-theme-switch]")) return;
  event.preventDefault();
  const choice = event.submitter.value;
  document.documentElement.dataset.theme = choice;
  document.querySelector("meta[name=color-scheme]").content = choice === "auto" ? "light dark" : choice;
  for (const button of form.querySelectorAll("button")) button.setAttribute("aria-pressed", String(button.value === choice));
  const body = new URLSearchParams(new FormData(form, event.submitter));
  await fetch(form.action, { method: "POST", body, redirect: "manual" });
});
