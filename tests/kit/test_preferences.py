"""What is chosen in this browser, and kept there: light or dark, and the language."""

import re

import pytest
from starlette.testclient import TestClient

from models.database import Database
from tests.databases import Sqlite
from tests.kit.app import make_app
from tests.personas import visit

ROOT = r'<html lang="en" dir="ltr"( data-bs-theme="(\w+)")?>'
SCHEME = r'<meta name="color-scheme" content="([\w ]+)">'


@pytest.fixture
def backend(sqlite: Sqlite) -> Sqlite:
    """Choose one kind of database: here they make no difference."""
    return sqlite


def look(client: TestClient) -> tuple[str, str]:
    """Return what the page says about its colours before anything is loaded."""
    page = client.get("/admin/publisher/list").text
    root, scheme = re.search(ROOT, page), re.search(SCHEME, page)
    assert root
    assert scheme
    return root[2] or "", scheme[1]


def test_pages_follow_the_system_until_somebody_chooses(client: TestClient) -> None:
    assert look(client) == ("", "light dark")


@pytest.mark.parametrize(
    ("theme", "shown"),
    [("dark", ("dark", "dark")), ("light", ("light", "light")), ("system", ("", "light dark"))],
)
def test_a_choice_is_kept_for_every_page(
    client: TestClient, theme: str, shown: tuple[str, str]
) -> None:
    here = "/admin/publisher/list?search=o"
    answer = client.post("/admin/preferences", data={"theme": theme, "next": here})
    assert (answer.status_code, answer.headers["location"]) == (302, here)
    assert look(client) == shown


def test_the_cookie_is_for_the_admin_alone_and_out_of_reach_of_scripts(client: TestClient) -> None:
    cookie = client.post("/admin/preferences", data={"theme": "dark"}).headers["set-cookie"].lower()
    for part in ("path=/admin/", "httponly", "samesite=lax", "max-age=31536000"):
        assert part in cookie.split("; ")


def test_over_tls_no_other_host_can_set_it(library: Database) -> None:
    client = visit(make_app(library, https=True), base_url="https://testserver")
    cookie = client.post("/admin/preferences", data={"theme": "dark"}).headers["set-cookie"]
    assert cookie.startswith("__Host-admin_theme=dark; ")
    assert {"Path=/", "Secure"} < {*cookie.split("; ")}
    assert "domain" not in cookie.lower()
    assert look(client) == ("dark", "dark")


@pytest.mark.parametrize("theme", ["", "sepia", 'dark" onload="alert(1)'])
def test_a_theme_that_does_not_exist_is_refused(client: TestClient, theme: str) -> None:
    answer = client.post("/admin/preferences", data={"theme": theme})
    assert answer.status_code == 400
    assert "There is no such appearance." in answer.text
    assert "set-cookie" not in answer.headers


def test_a_cookie_that_makes_no_sense_is_ignored(client: TestClient) -> None:
    client.cookies.set("admin_theme", "sepia", domain="testserver.local", path="/admin/")
    assert look(client) == ("", "light dark")


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.example", "//evil.example", "/other", "/admin/../other", "/admin/\\x", ""],
)
def test_choosing_leads_nowhere_else(client: TestClient, elsewhere: str) -> None:
    answer = client.post("/admin/preferences", data={"theme": "dark", "next": elsewhere})
    assert answer.headers["location"] == "/admin/"


def test_several_choices_are_kept_at_once(client: TestClient) -> None:
    client.post("/admin/preferences", data={"theme": "dark", "language": "de"})
    page = client.get("/admin/publisher/list").text
    assert '<html lang="de" dir="ltr" data-bs-theme="dark">' in page


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({}, "Nothing was chosen."),
        ({"language": "fr"}, "There is no such language."),
        ({"language": ""}, "There is no such language."),
        ({"language": "de", "theme": "sepia"}, "There is no such appearance."),
    ],
)
def test_what_is_not_offered_is_refused_and_nothing_kept(
    client: TestClient, sent: dict[str, str], sentence: str
) -> None:
    answer = client.post("/admin/preferences", data=sent)
    assert (answer.status_code, sentence in answer.text) == (400, True)
    assert "set-cookie" not in answer.headers


def test_a_link_can_not_choose(client: TestClient) -> None:
    assert client.get("/admin/preferences?language=de").status_code == 405
    assert 'lang="en"' in client.get("/admin/?lang=de&language=de").text


def test_strangers_may_not_send_much(client: TestClient) -> None:
    answer = client.post("/admin/preferences", data={"theme": "x" * 20_000})
    assert answer.status_code == 413


def test_another_site_can_not_choose(client: TestClient) -> None:
    headers = {"Sec-Fetch-Site": "cross-site"}
    answer = client.post("/admin/preferences", data={"theme": "dark"}, headers=headers)
    assert answer.status_code == 403
    assert look(client) == ("", "light dark")


def test_rows_are_comfortable_until_somebody_wants_them_compact(client: TestClient) -> None:
    assert "data-density" not in client.get("/admin/publisher/list").text
    answer = client.post("/admin/preferences", data={"density": "compact", "next": "/admin/"})
    assert answer.status_code == 302
    assert '<html lang="en" dir="ltr" data-density="compact">' in client.get("/admin/").text
    client.post("/admin/preferences", data={"density": "comfortable"})
    assert "data-density" not in client.get("/admin/publisher/list").text


@pytest.mark.parametrize("density", ["", "tiny", 'compact" onload="alert(1)'])
def test_a_density_that_does_not_exist_is_refused(client: TestClient, density: str) -> None:
    answer = client.post("/admin/preferences", data={"density": density})
    assert (answer.status_code, "There is no such density." in answer.text) == (400, True)
    client.cookies.set("admin_density", density, domain="testserver.local", path="/admin/")
    assert "data-density" not in client.get("/admin/publisher/list").text
