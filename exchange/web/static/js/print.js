// <button data-print>: the browser's own dialogue, which also keeps the page as PDF (css/print.css lays it out).
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) window.print();
});
