"""Refusals in Stripe's words. ``protocol.py`` alone turns them into answers."""

from typing import Any


class Refusal(Exception):
    """An answer other than 200.

    ``keep`` tells that what the call did before failing stays done (a declined card leaves a failed charge behind).
    ``executed`` is False for refusals given before the endpoint began its work: those are not remembered under the
    idempotency key, so the same key may be used again.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        type: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        keep: bool = False,
        executed: bool = True,
        **more: Any,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.keep = keep
        self.executed = executed
        self.error: dict[str, Any] = {"message": message, "type": type}
        if code:
            self.error["code"] = code
            self.error["doc_url"] = f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}"
        if param:
            self.error["param"] = param
        self.error |= {name: value for name, value in more.items() if value is not None}


def malformed(message: str, code: str | None = None, param: str | None = None) -> Refusal:
    """The request itself cannot be right; the endpoint has not begun."""
    return Refusal(message, code=code, param=param, executed=False)


def missing(kind: str, id: str, param: str = "id") -> Refusal:
    """There is no such object (for this account)."""
    name = {"checkout.session": "checkout.session", "payment_intent": "payment_intent"}.get(kind, kind)
    return Refusal(f"No such {name}: '{id}'", status=404, code="resource_missing", param=param)
