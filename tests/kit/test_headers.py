"""Every answer carries the headers that protect it, and no page holds inline code."""

import re
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

import admin.kit.templating
from models.database import Database
from tests.databases import Sqlite
from tests.kit.app import Book, Publisher, make_app
from tests.personas import visit

TEMPLATES = sorted(admin.kit.templating.TEMPLATES.rglob("*.html"))
STATICS = "/admin/statics/admin.css"
PAGES = [
    "/admin/",
    "/admin/login",
    "/admin/publisher/list",
    "/admin/publisher/list?search=nothing&page=1",
    "/admin/book/list?sortBy=title&publisher=1",
    "/admin/book/details/1",
    "/admin/book/create",
    "/admin/book/edit/1?page=2",
    "/admin/book/delete?pks=1",
    "/admin/nowhere",
]
ANSWERS = [
    ("POST", "/admin/logout", 302),
    ("GET", "/admin/book/edit/99", 404),
    ("GET", "/admin/logout", 405),
    ("GET", "/admin/book/list?page=x", 400),
    ("GET", "/admin/book/export/csv", 200),
    ("GET", "/admin/book/ajax/lookup?name=publisher&term=", 200),
    ("GET", STATICS, 200),
    ("GET", "/admin/statics/none.css", 404),
    ("HEAD", "/admin/book/list", 200),
    *(("GET", page, 404 if "nowhere" in page else 200) for page in PAGES),
]


@pytest.fixture
def backend(sqlite: Sqlite) -> Sqlite:
    """Choose one kind of database: here they make no difference."""
    return sqlite


@pytest.fixture
def library(library: Database) -> Database:
    library.write(lambda s: s.add(Book(title="Emma", publisher=Publisher(name="Murray"))))
    return library


def is_protected(answer: Any) -> bool:
    headers = answer.headers
    policy = headers["content-security-policy"]
    return (
        "default-src 'none'" in policy
        and "frame-ancestors 'none'" in policy
        and "unsafe" not in policy
        and headers["x-content-type-options"] == "nosniff"
        and headers["x-frame-options"] == "DENY"
        and headers["referrer-policy"] == "same-origin"
        and headers["cross-origin-opener-policy"] == "same-origin"
        and headers["cross-origin-resource-policy"] == "same-origin"
        and "camera=()" in headers["permissions-policy"]
        and "noindex" in headers["x-robots-tag"]
    )


@pytest.mark.parametrize(("method", "path", "status"), ANSWERS)
def test_every_answer_is_protected(client: TestClient, method: str, path: str, status: int) -> None:
    """Only a file that is the same for everyone may be kept by a cache."""
    answer = client.request(method, path)
    assert answer.status_code == status
    assert is_protected(answer)
    assert answer.headers["cache-control"] == ("no-cache" if path == STATICS else "no-store")


def test_a_file_that_did_not_change_is_not_sent_again(client: TestClient) -> None:
    tag = client.get(STATICS).headers["etag"]
    answer = client.get(STATICS, headers={"If-None-Match": tag})
    assert answer.status_code == 304
    assert is_protected(answer)


def test_an_answer_to_an_unknown_host_or_a_failure_is_protected(
    client: TestClient, library: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = client.get("/admin/book/list", headers={"Host": "evil.example"})
    assert (answer.status_code, is_protected(answer)) == (400, True)
    monkeypatch.setattr(library, "read", lambda _work: 1 / 0)
    answer = client.get("/admin/book/list")
    assert (answer.status_code, is_protected(answer)) == (500, True)


@pytest.mark.parametrize("is_https", [True, False])
def test_browsers_are_told_to_stay_on_https_where_there_is_https(
    library: Database, is_https: bool
) -> None:
    answer = visit(make_app(library, https=is_https)).get("/admin/login")
    said = answer.headers.get("strict-transport-security")
    assert said == ("max-age=31536000; includeSubDomains" if is_https else None)


def inline_code(html: str) -> list[str]:
    """Return what the policy forbids: scripts and styles in the page, and handlers."""
    scripts = re.findall(r"<script(?![^>]*\bsrc=)[^>]*>|<style[^>]*>", html)
    return scripts + re.findall(r"<[^>]*\s(?:on\w+|style)=[^>]*>|javascript:", html)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_no_template_holds_inline_code(template: Path) -> None:
    assert inline_code(template.read_text()) == []


@pytest.mark.parametrize("path", PAGES)
def test_no_page_holds_inline_code_or_a_host(client: TestClient, path: str) -> None:
    """Links are paths, so that no Host header can lead them elsewhere."""
    page = client.get(path).text
    assert inline_code(page) == []
    assert "testserver" not in page
    assert not re.search(r'\s(?:href|src|(?:form)?action)="(?!/|\?|#|edit/|details/)', page)


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("login", {"username": "olga"}),
        ("logout", {}),
        ("publisher/create", {"name": "x"}),
        ("publisher/edit/1", {"name": "x", "save": "Save and continue editing"}),
        ("publisher/delete", {}),
        ("book/delete", {"pks": "1"}),
    ],
)
def test_no_redirect_names_a_host(client: TestClient, path: str, sent: dict[str, str]) -> None:
    answer = client.post(f"/admin/{path}", data=sent)
    assert answer.status_code == 302
    assert answer.headers["location"].startswith("/admin/")


@pytest.mark.parametrize("path", PAGES)
def test_behind_a_prefix_every_link_carries_it(library: Database, path: str) -> None:
    client = visit(make_app(library), root_path="/backoffice")
    page = client.get(f"/backoffice{path}").text
    links = re.findall(r'(?:href|src|action|data-picker)="(/[^"]*)"', page)
    assert links
    assert [link for link in links if not link.startswith("/backoffice/admin/")] == []


def test_behind_a_prefix_redirects_carry_it(library: Database) -> None:
    client = visit(make_app(library), root_path="/backoffice")
    answer = client.post("/backoffice/admin/publisher/create", data={"name": "x"})
    assert answer.headers["location"] == "/backoffice/admin/publisher/list"
