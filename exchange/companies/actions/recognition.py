"""Who is asking: what ``app.py`` hands to the sign-in middleware. One round trip, and now and then one write."""

from exchange.accounts.actions.sessions import touch_session
from exchange.accounts.actions.tokens import touch_token
from exchange.companies.queries import viewer_of_session, viewer_of_token
from exchange.web.viewer import Viewer


async def recognise_session(secret: str) -> Viewer | None:
    """The viewer behind a session cookie, or None. Notes the use, at most every ``SEEN_EVERY``."""
    found = await viewer_of_session(secret)
    if found is not None and found.stale and found.viewer.session_id is not None:
        await touch_session(found.viewer.session_id)
    return found.viewer if found else None


async def recognise_token(secret: str) -> Viewer | None:
    """The viewer behind an API token, or None. Notes the use, at most every ``SEEN_EVERY``."""
    found = await viewer_of_token(secret)
    if found is not None and found.stale and found.viewer.session_id is not None:
        await touch_token(found.viewer.session_id)
    return found.viewer if found else None
