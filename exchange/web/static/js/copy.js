// <button data-copy="text" data-done="Copied">: to the clipboard, and said in the <output> beside it.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const said = button.parentElement.querySelector("output");
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    said.textContent = button.dataset.done;
  } catch {
    // No permission, or no secure context: select it, so that one key press copies.
    const source = button.parentElement.querySelector("[data-copied]");
    getSelection().selectAllChildren(source);
  }
  setTimeout(() => (said.textContent = ""), 3000);
});
