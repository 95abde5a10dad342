// <… data-live="/talks/…/live" hx-get="/talks/…" hx-trigger="changed">: when the server says that something changed, the
// element asks its own page again. An element with data-live-about="inside" asks for facts called inside.… alone, and they
// concern nobody else. A hidden tab listens to nothing; shown again, it asks once.
// (The htmx extension in the library's package is one for htmx 1: its triggers never fire under htmx 2.)
const sources = new Map();

const ask = (url, fact) => {
  const parts = [...document.querySelectorAll(`[data-live="${CSS.escape(url)}"]`)];
  const about = parts.find((part) => fact?.startsWith(`${part.dataset.liveAbout}.`))?.dataset.liveAbout;
  for (const part of parts) if (!fact || part.dataset.liveAbout === about) htmx.trigger(part, "changed");
};

const listen = () => {
  const wanted = new Set(document.hidden ? [] : [...document.querySelectorAll("[data-live]")].map((part) => part.dataset.live));
  for (const [url, source] of sources) {
    if (wanted.has(url)) continue;
    source.close();
    sources.delete(url);
  }
  for (const url of wanted) {
    if (sources.has(url)) continue;
    const source = new EventSource(url);
    source.addEventListener("changed", (event) => ask(url, event.data));
    sources.set(url, source);
  }
};

listen();
document.addEventListener("htmx:afterSettle", listen);
document.addEventListener("visibilitychange", () => {
  listen();
  for (const url of sources.keys()) ask(url);
});
window.addEventListener("pagehide", () => {
  for (const source of sources.values()) source.close();
  sources.clear();
});
window.addEventListener("pageshow", (event) => event.persisted && listen());
