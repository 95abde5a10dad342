"""Doors that belong to no domain, and what every answer carries."""

import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from exchange.web.frame import section
from tests.factories import make_person, sign_in

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
PAIRED = (
    "a article aside dd details div dl dt fieldset figure footer form h1 h2 h3 header label li main nav ol p section "
    "span table tbody td tr ul"
)


async def test_health_asks_the_database(client: httpx.AsyncClient, db: None) -> None:
    answer = await client.get("/healthz")
    assert (answer.status_code, answer.text) == (200, "ok")


async def test_every_answer_forbids_foreign_scripts_and_frames(client: httpx.AsyncClient, db: None) -> None:
    for path in ("/about", "/healthz", "/nowhere", "/api/v1/nowhere", "/static/css/tokens.css"):
        policy = (await client.get(path)).headers["content-security-policy"]
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy


async def test_an_unknown_address_is_a_page_for_people_and_a_problem_for_programs(
    client: httpx.AsyncClient, db: None
) -> None:
    page = await client.get("/nowhere", headers={"Accept-Language": "fr"})
    assert page.status_code == 404
    assert '<html lang="fr"' in page.text
    problem = await client.get("/api/v1/nowhere", headers={"Accept-Language": "fr;q=0.2, en;q=0.9"})
    assert problem.status_code == 404
    assert problem.headers["content-type"] == "application/problem+json"
    assert problem.json()["code"] == "not_seen"


async def test_a_form_without_its_token_changes_nothing(client: httpx.AsyncClient, db: None) -> None:
    refused = await client.post("/language", data={"language": "fr"})
    assert refused.status_code == 403
    assert "language" not in refused.cookies
    assert "<h1>This page is too old</h1>" in refused.text


async def test_who_is_signed_in_reads_the_api_reference_so_and_calls_the_api_with_a_token_alone(
    client: httpx.AsyncClient, db: None
) -> None:
    assert 'href="/sign-in' in (await client.get("/api/v1/docs")).text
    await sign_in(client, await make_person())
    assert 'href="/sign-in' not in (await client.get("/api/v1/docs")).text
    assert (await client.get("/api/v1/lots")).status_code == 401


async def test_the_language_is_kept_and_never_sends_elsewhere(client: httpx.AsyncClient, db: None) -> None:
    await client.get("/about")
    form = {"language": "fr", "next": "//rival.example/", "_csrf_token": client.cookies["csrf"]}
    answer = await client.post("/language", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert '<html lang="fr"' in (await client.get("/about", headers={"Accept-Language": "en"})).text


async def test_the_api_description_lists_only_the_api(client: httpx.AsyncClient, db: None) -> None:
    document = (await client.get("/api/v1/openapi.json")).json()
    assert document["openapi"].startswith("3.1")
    assert all(path.startswith("/api/v1/") for path in document["paths"])


async def test_the_api_description_shows_an_example_of_every_body(client: httpx.AsyncClient, db: None) -> None:
    document = (await client.get("/api/v1/openapi.json")).json()
    schemas = document["components"]["schemas"]
    for path, method, told in _operations(document):
        for kind, body in told.get("requestBody", {}).get("content", {}).items():
            schema = body["schema"]
            if kind == "application/json":
                assert schemas[schema["$ref"].rpartition("/")[2]].get("examples"), (path, method)
            else:
                assert schema["required"] == ["file"], (path, method)


async def test_the_api_description_tells_how_it_refuses_and_of_the_key(client: httpx.AsyncClient, db: None) -> None:
    document = (await client.get("/api/v1/openapi.json")).json()
    for path, method, told in _operations(document):
        assert [s for s in told["responses"] if s >= "4"] == ["default"], (path, method)
        named = [p["name"] for p in told.get("parameters", [])]
        assert ("Idempotency-Key" in named) == (method == "post"), (path, method)
    missing = (await client.get("/api/v1/nothing")).json()
    assert document["components"]["schemas"]["Problem"]["required"] == [k for k in missing if k != "errors"]


def _operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(path, method, told) for path, methods in document["paths"].items() for method, told in methods.items()]


async def test_metrics_are_for_the_operator_only(client: httpx.AsyncClient, db: None) -> None:
    answer = await client.get("/metrics")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=%2Fmetrics")


@pytest.mark.parametrize(
    ("path", "entry"),
    [("/operator/claims", "/operator/money"), ("/operator/standing/7", "/operator/money"), ("/operator", "/operator"),
     ("/lots/mine", "/lots/mine"), ("/lots/7/offer", "/lots"), ("/requests/7", "/talks"), ("/account", "")],
)  # fmt: skip
def test_the_navigation_shows_which_room_a_page_belongs_to(path: str, entry: str) -> None:
    assert section(path) == entry


@pytest.mark.parametrize("file", sorted(TEMPLATES.rglob("*.html")), ids=lambda f: str(f.relative_to(TEMPLATES)))
def test_a_template_closes_what_it_opens(file: Path) -> None:
    html = re.sub(r"{#.*?#}|{%.*?%}|{{.*?}}", "", file.read_text(), flags=re.DOTALL)
    for name in PAIRED.split():
        assert len(re.findall(rf"<{name}\b", html)) == html.count(f"</{name}>"), name
