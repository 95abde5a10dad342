// What scripts add; every page works without them. Each module finds its own elements by a data attribute,
// by delegation on the document, so that parts swapped in by htmx need no second start.
import "./once.js";
import "./copy.js";
import "./menu.js";
import "./theme.js";
import "./drop.js";
import "./clock.js";
import "./total.js";
import "./lines.js";
import "./form.js";
import "./live.js";
import "./keys.js";
