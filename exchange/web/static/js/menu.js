// Menus are <details>: a click elsewhere or Escape closes them. Filters stand open where there is room for them.
// Of tabs wider than a phone the current one is in sight.
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details[data-menu][open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = document.querySelector("details[data-menu][open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});

const wide = matchMedia("(width >= 60rem)");
const unfold = () => {
  for (const filters of document.querySelectorAll("details[data-wide-open]")) filters.open = wide.matches;
};
for (const tab of document.querySelectorAll(".tabs [aria-current]")) {
  tab.parentElement.scrollLeft = tab.offsetLeft - tab.parentElement.offsetLeft;
}
wide.addEventListener("change", unfold);
unfold();
