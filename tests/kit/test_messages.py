"""What just happened is said once, named and linked, and never bursts the cookie."""

from typing import Any

import pytest
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from admin.kit import action, messages
from models.database import Database
from tests.databases import Sqlite
from tests.kit.app import Book, BookAdmin, make_app
from tests.personas import visit

LARGEST_COOKIE = 4096  # bytes


@pytest.fixture
def backend(sqlite: Sqlite) -> Sqlite:
    """Choose one kind of database: here they make no difference."""
    return sqlite


def test_it_names_the_object_and_links_it(client: TestClient) -> None:
    client.post("/admin/tag/create", data={"id": "a/b?c"})
    page = client.get("/admin/tag/list").text
    assert (
        'The tag <a class="alert-link" href="/admin/tag/edit/a%2Fb%3Fc">“a/b?c”</a> was added.'
        in page
    )
    assert client.get("/admin/tag/edit/a%2Fb%3Fc").status_code == 200


def test_a_name_is_never_markup(client: TestClient) -> None:
    client.post("/admin/publisher/create", data={"name": "<script>{}"})
    page = client.get("/admin/publisher/list").text
    assert "“&lt;script&gt;{}”" in page
    assert "<script>{}" not in page


def test_it_is_said_once(client: TestClient) -> None:
    client.post("/admin/publisher/create", data={"name": "Murray"})
    assert "was added." in client.get("/admin/publisher/list").text
    assert "was added." not in client.get("/admin/publisher/list").text


def test_a_long_name_is_cut(client: TestClient) -> None:
    client.post("/admin/book/create", data={"title": "字" * 100})
    page = client.get("/admin/book/create").text
    assert "字…”" in page
    assert "字" * 60 not in page


@pytest.mark.parametrize("name", ["x" * 100, "字" * 100, "\N{GRINNING FACE}" * 100, '"' * 100])
def test_many_messages_fit_into_the_cookie(client: TestClient, name: str) -> None:
    """Browsers drop a cookie that is too large, and with it the session."""
    for number in range(50):
        long_query = "search=" + "x" * (500 if number % 10 else 5000)
        title = f"{name[:97]}{number}"
        answer = client.post(f"/admin/book/create?{long_query}", data={"title": title})
        assert len(answer.headers["set-cookie"]) < LARGEST_COOKIE
    assert "was added." in client.get("/admin/book/list").text


def test_a_view_may_say_anything(library: Database) -> None:
    """Warnings have no object to name."""

    class Talking(BookAdmin, model=Book):
        @action(name="talk")
        async def talk(self, request: Any) -> Any:
            messages.warning(request, "<b>" + "x" * 5000)
            return PlainTextResponse("Said.")

    library.write(lambda session: session.add(Book(title="Emma")))
    client = visit(make_app(library, Talking))
    answer = client.post("/admin/book/action/talk", data={"pks": "1"})
    assert len(answer.headers["set-cookie"]) < LARGEST_COOKIE
    page = client.get("/admin/book/list").text
    assert '<div class="alert alert-warning" role="alert">' in page
    assert "&lt;b&gt;xxx" in page
