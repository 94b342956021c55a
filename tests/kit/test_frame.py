"""What a site sets about the frame of its pages: its titles, its logo, its marker, its link."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from models.database import Database
from tests.databases import Sqlite
from tests.kit.app import make_app
from tests.pages import Page
from tests.personas import visit


@pytest.fixture
def backend(sqlite: Sqlite) -> Sqlite:
    """Choose one kind of database: here they make no difference."""
    return sqlite


def front(client: TestClient) -> Page:
    return Page(client.get("/admin/"))


def title(page: Page) -> str:
    return page.root.find("title")[0].text


def open_site(library: Database, **options: Any) -> TestClient:
    return visit(make_app(library, **options))


def test_a_site_is_named_in_its_header_and_in_every_title(library: Database) -> None:
    client = open_site(library, title="Library")
    assert front(client).root.find("a", **{"class": "brand"})[0].text == "Library"
    assert title(front(client)) == "Library"
    assert title(Page(client.get("/admin/publisher/list"))) == "Publishers · Library"
    assert Page(client.get("/admin/login")).heading == "Sign in to Library"


def test_the_front_page_may_have_a_heading_of_its_own(library: Database) -> None:
    app = make_app(library, title="Library")
    app.state.site.index_title = "At the desk"
    page = front(visit(app))
    assert (page.heading, title(page)) == ("At the desk", "At the desk · Library")


def test_a_link_to_the_site_is_there_when_its_address_is(library: Database) -> None:
    app = make_app(library)
    assert "View site" not in front(visit(app)).links()
    app.state.site.site_url = "https://library.example/"
    assert front(visit(app)).links()["View site"] == "https://library.example/"


def test_a_logo_and_an_icon_may_be_given(library: Database) -> None:
    options = {"logo_url": "/logo.png", "logo_width": 80, "logo_height": 20}
    client = open_site(library, favicon_url="/icon.png", **options)
    for page in (front(client), Page(client.get("/admin/login"))):
        (logo,) = page.root.find("img", src="/logo.png")
        assert (logo.attributes["width"], logo.attributes["height"]) == ("80", "20")
        assert page.root.find("link", rel="icon", href="/icon.png")


def test_an_environment_is_marked_on_every_page(library: Database) -> None:
    client = open_site(library, environment="Staging")
    assert [mark.text for mark in marks(front(client))] == ["Staging"]
    for path in ("/admin/login", "/admin/nothing", "/admin/publisher/list"):
        (body,) = Page(client.get(path)).root.find("body")
        assert body.attributes["data-environment"] == "Staging", path


def test_production_has_no_mark(library: Database) -> None:
    page = front(open_site(library))
    assert marks(page) == []
    assert "data-environment" not in page.root.find("body")[0].attributes


def marks(page: Page) -> list[Any]:
    return page.root.find("span", **{"class": "environment"})
