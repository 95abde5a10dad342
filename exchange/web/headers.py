"""Security headers on every answer: a strict content policy, no framing, no sniffing, no referrer across sites."""

from exchange.settings import settings

STRIPE_PAGES = ("https://checkout.stripe.com", "https://connect.stripe.com")


def content_policy() -> str:
    """Scripts and styles from our own files only. ``form-action`` names where a pay button's redirect may lead."""
    pay_pages = [settings().stripe_api_base] if settings().stripe_api_base else STRIPE_PAGES
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",
            "font-src 'self'",
            "connect-src 'self'",
            "manifest-src 'self'",
            f"form-action 'self' {' '.join(p for p in pay_pages if p)}",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        )
    )


def security_headers() -> dict[str, str]:
    """What every answer carries unless it says otherwise itself."""
    headers = {
        "Content-Security-Policy": content_policy(),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(self), geolocation=(), microphone=()",
    }
    if settings().is_secure:
        headers["Strict-Transport-Security"] = "max-age=31536000"
    return headers
