// <… data-live="/talks/…/live" hx-get="/talks/…" hx-trigger="changed">: when the server says that something changed, the
// element asks its own page again. An element with data-live-about="inside" asks for facts called inside.… alone, and they
// concern nobody else. What is shown carries a data-mark, which is named when a stream is opened: when the server's is
// another by then, the stream begins with the fact "missed", on which all ask. So nothing is lost between the page and its
// stream, while a stream is broken, or while a hidden tab listens to nothing, and nothing is asked for twice.
// (The htmx extension in the library's package is one for htmx 1: its triggers never fire under htmx 2.)
const sources = new Map();
const BROKEN = 2_000; // milliseconds until a stream that broke is opened again
const REFUSED = 15_000; // the same for one that was refused, by a proxy without a server behind it

const partsOf = (url) => [...document.querySelectorAll(`[data-live="${CSS.escape(url)}"]`)];

const ask = (url, fact) => {
  const parts = partsOf(url);
  const about = parts.find((part) => fact.startsWith(`${part.dataset.liveAbout}.`))?.dataset.liveAbout;
  for (const part of parts) if (fact === "missed" || part.dataset.liveAbout === about) htmx.trigger(part, "changed");
};

const open = (url) => {
  const marks = partsOf(url).map((part) => part.querySelector("[data-mark]").dataset.mark);
  const source = new EventSource(`${url}?mark=${marks.join(".")}`);
  source.addEventListener("changed", (event) => ask(url, event.data));
  source.addEventListener("error", () => {
    const wait = source.readyState === EventSource.CLOSED ? REFUSED : BROKEN;
    source.close(); // the browser would connect again by itself, with the marks of then
    setTimeout(() => sources.get(url) === source && sources.delete(url) && listen(), wait);
  });
  return source;
};

const listen = () => {
  const wanted = new Set(document.hidden ? [] : [...document.querySelectorAll("[data-live]")].map((part) => part.dataset.live));
  for (const [url, source] of sources) {
    if (wanted.has(url)) continue;
    source.close();
    sources.delete(url);
  }
  for (const url of wanted) if (!sources.has(url)) sources.set(url, open(url));
};

listen();
document.addEventListener("htmx:afterSettle", listen);
document.addEventListener("visibilitychange", listen);
window.addEventListener("pagehide", () => {
  for (const source of sources.values()) source.close();
  sources.clear();
});
window.addEventListener("pageshow", (event) => event.persisted && listen());
