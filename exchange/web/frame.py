"""What stands around every page's content: navigation above, language and colours below.

It differs by reader and by section of the site, not by page, so it is rendered once for each and kept; what belongs to
one request alone, its path and its form token, is put in each time.
"""

from dataclasses import dataclass
from functools import lru_cache

from jinja2 import Environment
from markupsafe import Markup, escape

from exchange.actor import Role
from exchange.web.viewer import Viewer

SECTIONS = (
    "/", "/lots", "/lots/mine", "/stock-lists/new", "/wants", "/talks", "/deals", "/insight", "/company",
    "/operator", "/operator/money",
)  # fmt: skip
"""Where the navigation leads."""
ELSEWHERE = {
    "/operator/claims": "/operator/money", "/operator/standing": "/operator/money", "/requests": "/talks",
    "/stock-lists": "/stock-lists/new",
}  # fmt: skip
"""Pages that stand beside their section's address, not under it."""
_PATH, _TOKEN = "\ue000path\ue001", "\ue000token\ue001"


@dataclass(frozen=True, slots=True)
class Frame:
    """Above and below the content."""

    top: Markup
    foot: Markup


@dataclass(frozen=True, slots=True)
class _Reader:
    """All of a viewer that a frame shows."""

    name: str
    company_name: str
    role: Role
    vetted: bool
    was_vetted: bool
    waiting: int


def section(path: str) -> str:
    """The entry of the navigation that ``path`` lies under, or an empty text."""
    above = (href for href in (*SECTIONS, *ELSEWHERE) if path == href or (href != "/" and path.startswith(href + "/")))
    found = max(above, key=len, default="")
    return ELSEWHERE.get(found, found)


def framed(env: Environment, viewer: Viewer | None, theme: str, *, demo: bool, path: str, csrf_token: str) -> Frame:
    """The frame in the language of ``env`` for one request."""
    reader = viewer and _Reader(
        viewer.name, viewer.company_name, viewer.role, viewer.vetted, viewer.was_vetted, viewer.waiting
    )
    kept = _frame(env, reader, theme, section(path), demo)
    return Frame(_filled(kept.top, path, csrf_token), _filled(kept.foot, path, csrf_token))


@lru_cache(maxsize=4096)
def _frame(env: Environment, viewer: _Reader | None, theme: str, here: str, demo: bool) -> Frame:
    context = {"viewer": viewer, "theme": theme, "here": here, "demo": demo, "path": _PATH, "csrf_token": _TOKEN}
    parts = (Markup(env.get_template(name).render(context)) for name in ("_top.html", "_foot.html"))  # noqa: S704  Jinja's
    return Frame(*parts)


def _filled(html: Markup, path: str, csrf_token: str) -> Markup:
    return html.replace(_PATH, escape(path)).replace(_TOKEN, escape(csrf_token))
