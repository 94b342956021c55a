"""Roles that allow something for some rows alone, on the demo's views."""

import re
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from admin.history import JOURNAL
from models import Post, User
from models.database import Database
from tests.databases import statements
from tests.pages import Page, get, submit
from tests.personas import sign_in
from tests.records import add_post, add_user, posts, users
from tests.rights import ALL, LOOK, right, sign_in_with

ACTIVE = {"scope": "active"}
OF_ACTIVE = {"scope": "active-authors"}
# Sees all posts, edits those of active users.
EDITOR = (
    {"post": right(*LOOK), "user": right(*LOOK)},
    {"post": right(*ALL, **OF_ACTIVE)},
)


@pytest.fixture
def shelf(database: Database) -> tuple[Post, Post]:
    """Store a post of an active user, and one of a user who is not."""
    recorded = database.recorded_by(JOURNAL)
    ann, gus = add_user(recorded, "Ann"), add_user(recorded, "Gus", is_active=False)
    return add_post(recorded, ann, "Seen"), add_post(recorded, gus, "Unseen")


@pytest.fixture
def ed(app: Starlette, database: Database) -> TestClient:
    """Sign in Ed, who looks at all posts and edits those of active users."""
    return sign_in_with(app, database, *EDITOR, name="ed")


@pytest.fixture
def ava(app: Starlette, database: Database) -> TestClient:
    """Sign in Ava, for whom there are active users and their posts."""
    rights = {"post": right(*ALL, **OF_ACTIVE), "user": right(*ALL, **ACTIVE)}
    return sign_in_with(app, database, rights, name="ava")


def titles(database: Database) -> list[str]:
    return [post.title for post in posts(database)]


# Who sees all, and changes some


def test_the_list_links_to_forms_of_rows_one_may_edit(
    ed: TestClient, shelf: tuple[Post, Post]
) -> None:
    seen, unseen = shelf
    links = get(ed, "/admin/post/list").links()
    assert links["Seen"] == f"/admin/post/edit/{seen.id}"
    assert links["Unseen"] == f"/admin/post/details/{unseen.id}"


def test_a_row_that_is_only_seen_is_not_edited(
    ed: TestClient, shelf: tuple[Post, Post], database: Database
) -> None:
    path = f"/admin/post/edit/{shelf[1].id}"
    assert ed.get(path).status_code == 403
    assert ed.post(path, data={"title": "Mine"}).status_code == 403
    assert ed.get(f"/admin/post/delete?pks={shelf[1].id}").status_code == 403
    assert titles(database) == ["Seen", "Unseen"]


def test_the_details_offer_what_may_be_done_to_this_row(
    ed: TestClient, shelf: tuple[Post, Post]
) -> None:
    mine, other = (get(ed, f"/admin/post/details/{post.id}") for post in shelf)
    assert {"Edit", "Delete", "Publish…"} <= set(mine.buttons)
    assert not {"Edit", "Delete", "Publish…"} & set(other.buttons)


def test_all_that_match_are_those_one_may_change(ed: TestClient, shelf: tuple[Post, Post]) -> None:
    page = ed.post("/admin/post/action/unpublish", data={"_all": "1"})
    assert "1 post" in Page(page).root.text
    assert "Unseen" not in page.text


def test_ticked_rows_that_one_only_sees_are_refused_in_a_sentence(
    ed: TestClient, shelf: tuple[Post, Post]
) -> None:
    sent = {"pks": [str(post.id) for post in shelf]}
    answer = ed.post("/admin/post/action/unpublish", data=sent)
    assert answer.status_code in (400, 403)
    assert "not yours" in answer.text


def test_a_cell_of_a_row_one_only_sees_is_text(ed: TestClient, shelf: tuple[Post, Post]) -> None:
    path = "/admin/post/cell/{}?name=title"
    assert ed.get(path.format(shelf[0].id)).status_code == 200
    assert ed.get(path.format(shelf[1].id)).status_code == 403


def test_a_file_has_rows_one_may_export(
    app: Starlette, database: Database, shelf: tuple[Post, Post]
) -> None:
    rights = {"post": right(*LOOK), "user": right(*LOOK)}, {"post": right("export", **OF_ACTIVE)}
    file = sign_in_with(app, database, *rights).get("/admin/post/export/csv").text
    assert "Seen" in file
    assert "Unseen" not in file


# Who sees some


def test_what_one_may_not_see_is_not_there(
    ava: TestClient, shelf: tuple[Post, Post], database: Database
) -> None:
    gus = users(database)[1]
    for path in (f"post/details/{shelf[1].id}", f"post/edit/{shelf[1].id}", f"user/edit/{gus.id}"):
        assert ava.get(f"/admin/{path}").status_code == 404
    assert ava.get(f"/admin/post/history/{shelf[1].id}").status_code == 404
    assert [row[0] for row in get(ava, "/admin/post/list").table] == ["Seen"]


@pytest.mark.parametrize("path", ["post/edit/{}", "post/create"])
def test_nothing_is_moved_out_of_one_s_own_sight(
    app: Starlette, database: Database, shelf: tuple[Post, Post], path: str
) -> None:
    rights = {"post": right(*ALL, **OF_ACTIVE), "user": right(*LOOK)}
    ida = sign_in_with(app, database, rights, name="ida")
    gus = users(database)[1]
    path = f"/admin/{path.format(shelf[0].id)}"
    answer = submit(ida, path, author=str(gus.id), title="Gone", content="x")
    assert answer.status_code == 403
    assert "outside of what you may see" in answer.text
    assert titles(database) == ["Seen", "Unseen"]


def test_an_action_moves_nothing_out_of_sight(
    ava: TestClient, shelf: tuple[Post, Post], database: Database
) -> None:
    ann = users(database)[0]
    sent = {"pks": str(ann.id), "confirmed": "yes"}
    assert ava.post("/admin/user/action/deactivate", data=sent).status_code == 403
    assert users(database)[0].is_active


def test_a_picker_offers_and_takes_who_may_be_seen(
    ava: TestClient, shelf: tuple[Post, Post], database: Database
) -> None:
    assert "Gus" not in ava.get("/admin/post/ajax/lookup?name=author&term=").text
    gus = users(database)[1]
    answer = submit(ava, f"/admin/post/edit/{shelf[0].id}", author=str(gus.id))
    assert Page(answer).error("author") == "Choose one that exists."


def test_a_related_row_one_may_not_see_has_no_name_and_is_kept(
    app: Starlette, database: Database, shelf: tuple[Post, Post]
) -> None:
    rights = {"post": right(*ALL), "user": right(*ALL, **ACTIVE)}
    ina = sign_in_with(app, database, rights, name="ina")
    unseen = shelf[1]
    for path in ("list", f"details/{unseen.id}", f"edit/{unseen.id}", "list?search=gus"):
        assert "Gus" not in ina.get(f"/admin/post/{path}").text
    answer = submit(ina, f"/admin/post/edit/{unseen.id}", title="Anew")
    assert answer.status_code == 302
    assert posts(database)[0].title == "Anew"
    assert posts(database)[0].user_id == unseen.user_id


def test_a_deletion_takes_no_row_that_one_may_not_delete(
    app: Starlette, database: Database, shelf: tuple[Post, Post]
) -> None:
    rights = {"post": right(*ALL, **OF_ACTIVE), "user": right(*ALL)}
    dan = sign_in_with(app, database, rights, name="dan")
    ann, gus = users(database)
    assert "Seen" in dan.get(f"/admin/user/delete?pks={ann.id}").text
    refused = dan.get(f"/admin/user/delete?pks={gus.id}")
    assert refused.status_code == 403
    assert "Unseen" not in refused.text
    assert dan.post("/admin/user/delete", data={"pks": str(gus.id)}).status_code == 403
    assert titles(database) == ["Seen", "Unseen"]


def test_undo_puts_nothing_out_of_sight(
    app: Starlette, database: Database, shelf: tuple[Post, Post], olga: TestClient
) -> None:
    gus = users(database)[1]
    submit(olga, f"/admin/user/edit/{gus.id}", is_active="y")
    change = re.findall(r'/admin/history/(\d+)">Changed', olga.get("/admin/history").text)[0]
    ava = sign_in_with(app, database, {"user": right(*ALL, **ACTIVE)}, name="ava")
    assert ava.post(f"/admin/history/{change}/undo").status_code == 404
    assert users(database)[1].is_active


def test_cards_are_for_those_who_see_all(ava: TestClient, ed: TestClient) -> None:
    assert "card-title" not in ava.get("/admin/").text


def test_a_scope_that_is_gone_has_no_rows(
    app: Starlette, database: Database, shelf: tuple[Post, Post]
) -> None:
    client = sign_in_with(app, database, {"post": right(*LOOK, scope="gone")})
    assert get(client, "/admin/post/list").root.find("tr") == []


# What it costs


@pytest.mark.parametrize("path", ["post/list", "post/details/{}", "post/edit/{}", "user/list"])
def test_scopes_take_no_statement_more(
    app: Starlette, database: Database, shelf: tuple[Post, Post], path: str
) -> None:
    path = f"/admin/{path.format(shelf[0].id)}"
    clients = [
        sign_in(app, database, "sue", is_superuser=True),
        sign_in(app, database, "vic", "Editor"),
        sign_in_with(app, database, *EDITOR, name="ed"),
        sign_in_with(
            app, database, {"post": right(*ALL, **OF_ACTIVE), "user": right(*ALL, **ACTIVE)}
        ),
    ]
    counts = [count(database, client, path) for client in clients]
    assert counts[1:] == [counts[0]] * 3


def count(database: Database, client: TestClient, path: str) -> int:
    client.get(path)
    with statements(database) as seen:
        assert client.get(path).status_code == 200
    return len(seen)


def test_more_rows_take_no_more_statements(
    app: Starlette, database: Database, shelf: tuple[Post, Post]
) -> None:
    ed = sign_in_with(app, database, *EDITOR, name="ed")
    few = count(database, ed, "/admin/post/list")
    author: Any = database.read(lambda session: session.get(User, shelf[0].user_id))
    for number in range(20):
        add_post(database, author, f"Another {number}")
    assert count(database, ed, "/admin/post/list") == few
