// <… data-live="/talks/…/live" hx-get="/talks/…" hx-trigger="changed">: when the server says that something changed, the
// element asks its own page again. An element with data-live-about="inside" asks for facts called inside.… alone, and they
// concern nobody else. Every stream begins with the fact "missed", on which all ask: so nothing is lost between the page
// and its stream, while a stream is broken, or while a hidden tab listens to nothing.
// (The htmx extension in the library's package is one for htmx 1: its triggers never fire under htmx 2.)
const sources = new Map();
const AGAIN = 15_000; // milliseconds until a stream that was refused, by a proxy without a server behind it, is asked for again

const ask = (url, fact) => {
  const parts = [...document.querySelectorAll(`[data-live="${CSS.escape(url)}"]`)];
  const about = parts.find((part) => fact.startsWith(`${part.dataset.liveAbout}.`))?.dataset.liveAbout;
  for (const part of parts) if (fact === "missed" || part.dataset.liveAbout === about) htmx.trigger(part, "changed");
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
    source.addEventListener("error", () => {
      if (source.readyState !== EventSource.CLOSED) return; // else the browser connects again by itself
      setTimeout(() => sources.get(url) === source && sources.delete(url) && listen(), AGAIN);
    });
    sources.set(url, source);
  }
};

listen();
document.addEventListener("htmx:afterSettle", listen);
document.addEventListener("visibilitychange", listen);
window.addEventListener("pagehide", () => {
  for (const source of sources.values()) source.close();
  sources.clear();
});
window.addEventListener("pageshow", (event) => event.persisted && listen());
