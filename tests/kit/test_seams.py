"""What the parts of a list do to each other."""

import base64
import json
from typing import Any

import pytest
from sqlalchemy import func, select
from starlette.testclient import TestClient

from models import SavedView, User
from models.database import Database
from tests.kit.pages import keys, links
from tests.pages import Page

USERS = "/admin/user/list"


@pytest.fixture
def people(database: Database) -> Database:
    """Sixty people, of whom twenty are not active."""

    def fill(session: Any) -> None:
        for n in range(60):
            session.add(User(name=f"Person {n:02}", email=f"p{n}@example.com", is_active=n % 3 > 0))

    database.write(fill)
    return database


def save(client: TestClient, query: str, **sent: str) -> str:
    """Save a view; return its key."""
    answer = client.post("/admin/user/views", data={"name": "Mine", "_back": query, **sent})
    assert answer.status_code == 302, answer.text
    return str(answer.headers["location"].partition("_view=")[2])


def rows(client: TestClient, path: str) -> int:
    return len(keys(client.get(path)))


def test_links_of_the_plain_list_do_not_open_the_default_view(
    people: Database, olga: TestClient
) -> None:
    save(olga, "is_active=false", default="1")
    assert rows(olga, USERS) == 20
    page = olga.get(f"{USERS}?_view=&sortBy=name")
    ways = [link for link in links(page, "1") + links(page, "×") if "list" in link]
    ways += [link for link in sort_links(page) if link != USERS]
    assert rows(olga, f"{USERS}?_view=") == 50
    assert [rows(olga, way) for way in ways] == [50] * len(ways)
    assert len(ways) > 3


def sort_links(page: Any) -> list[str]:
    head = Page(page).root.find("thead")[0]
    return [str(link.attributes["href"]) for link in head.find("a")]


def test_a_form_of_the_plain_list_that_was_emptied_does_not_open_the_default_view(
    people: Database, olga: TestClient
) -> None:
    """With scripts, a form leaves out what is empty."""
    save(olga, "is_active=false", default="1")
    form = Page(olga.get(f"{USERS}?_view=")).root.find("form", role="search")[-1]
    sent = {
        f.attributes["name"]: f.attributes.get("value") for f in form.find("input", type="hidden")
    }
    assert olga.get(USERS, params={k: v for k, v in sent.items() if v}).text.count("name=pks") >= 50


@pytest.mark.parametrize("passing", ["_count=exact", "_build=open&_g=1&_f=name", "_edit=1"])
def test_a_view_keeps_nothing_of_the_moment(
    people: Database, olga: TestClient, passing: str
) -> None:
    save(olga, f"{passing}&is_active=false")
    stored = people.read(lambda session: session.scalar(select(SavedView.query)))
    assert stored == "is_active=false"


def test_a_file_of_a_view_has_its_rows(people: Database, olga: TestClient) -> None:
    key = save(olga, "is_active=false")
    assert len(olga.get(f"/admin/user/export/csv?_view={key}").text.splitlines()) == 21
    assert olga.get("/admin/user/export/csv?_view=999").status_code == 404


def test_a_view_is_edited_row_by_row(people: Database, olga: TestClient) -> None:
    key = save(olga, "is_active=false")
    page = olga.get(f"{USERS}?_view={key}&_edit=1")
    assert page.text.count('name="_row"') == 20


@pytest.mark.parametrize("path", ["action/deactivate", "delete"])
def test_no_view_stands_for_all_rows(people: Database, olga: TestClient, path: str) -> None:
    """A view that was not opened can't say which rows are meant."""
    key = save(olga, "is_active=false")
    sent = {"_all": "1", "confirmed": "yes", "_back": f"_view={key}"}
    assert olga.post(f"/admin/user/{path}", data=sent).status_code == 400
    found = people.read(lambda s: s.scalar(select(func.count()).where(User.is_active)))
    assert found == 40


@pytest.mark.parametrize("kind", ["after", "before", "at"])
def test_no_token_fails_the_page(people: Database, olga: TestClient, kind: str) -> None:
    told = json.dumps([{"decimal": "sNaN"}, 1]).encode()
    token = base64.urlsafe_b64encode(told).decode().rstrip("=")
    assert olga.get(USERS, params={kind: token}).status_code == 400


def test_no_success_is_told_where_nothing_was_deleted(people: Database, olga: TestClient) -> None:
    sent = {"_all": "1", "confirmed": "yes", "_back": "search=nobody"}
    answer = olga.post("/admin/user/delete", data=sent)
    assert "nothing was deleted" in olga.get(str(answer.headers["location"])).text
