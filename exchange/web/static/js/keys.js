// A list marked data-keys is walked with j and k; Enter opens, x ticks, d goes to the button marked data-act that does
// something with what is ticked. A field with data-key="/" is found by that key.
// Single letters are left alone wherever somebody writes, and with Ctrl, Alt or Meta.
const rows = () => [...document.querySelectorAll("[data-keys] li:has(a)")];
const typing = (at) => at.closest("input:not([type=checkbox]), select, textarea, [contenteditable], [popover]:popover-open");

const walk = (step) => {
  const list = rows();
  const here = list.findIndex((row) => row.contains(document.activeElement));
  const next = list[here < 0 ? (step > 0 ? 0 : list.length - 1) : Math.min(Math.max(here + step, 0), list.length - 1)];
  next?.querySelector("a").focus();
};

const act = {
  j: () => walk(1),
  k: () => walk(-1),
  x: () => document.activeElement.closest("[data-keys] li")?.querySelector("input[type=checkbox]")?.click(),
  d: () => document.querySelector(":has(> .rows > li > input:checked) [data-act]")?.focus(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || typing(event.target)) return;
  if (event.key === "Enter" && event.target.matches("[data-keys] li > input[type=checkbox]")) {
    event.preventDefault(); // it would send the form of all that is ticked
    event.target.closest("li").querySelector("a").click();
    return;
  }
  const field = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  if (!field && !(act[event.key] && document.querySelector("[data-keys]"))) return;
  event.preventDefault();
  const fold = field?.closest("details");
  if (fold) fold.open = true; // a folded field takes no focus
  if (field) field.focus();
  else act[event.key]();
});
