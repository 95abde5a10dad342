"""The doors of businesses: joining and running one, the operator's desk; what mail reaches a person, and absences."""

from litestar import Router

from exchange.companies.pages import company, mail

router = Router("/", route_handlers=[*company.HANDLERS, *mail.HANDLERS])
