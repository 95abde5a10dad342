// <time data-until>: the time left, counted down beside the deadline, in the words of the page's language.
// From two of a unit on, so that "in 1 day" never stands for almost two.
const steps = [["day", 86400], ["hour", 3600]];

const left = (time) => {
  const seconds = (new Date(time.dateTime) - Date.now()) / 1000;
  if (seconds <= 0) return "";
  const [unit, size] = steps.find(([, size]) => seconds >= 2 * size) ?? ["minute", 60];
  return new Intl.RelativeTimeFormat(document.documentElement.lang).format(Math.max(1, Math.floor(seconds / size)), unit);
};

const tick = () => {
  for (const time of document.querySelectorAll("time[data-until]")) {
    const words = left(time);
    const place = time.parentElement.querySelector(".left");
    if (place && place.textContent !== words) place.textContent = words && `(${words})`;
  }
};

tick();
setInterval(tick, 30_000);
document.addEventListener("htmx:afterSwap", tick);
