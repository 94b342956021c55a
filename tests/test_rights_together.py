"""Rights that meet: nothing is to be had by two of them that neither allows, nor around one."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session
from starlette.applications import Starlette
from starlette.testclient import TestClient

from admin.history import JOURNAL
from admin.kit.permissions import Permissions, RoleRights, read_rights
from admin.saved_views import kept_by
from models import OperatorSession, Post, Role, SavedView, User
from models.base import utc_now
from models.database import Database
from tests.pages import get
from tests.personas import add_operator
from tests.records import add_post, add_user, posts
from tests.rights import ALL, LOOK, right, sign_in_with

ACTIVE = {"scope": "active"}
OF_ACTIVE = {"scope": "active-authors"}


@pytest.fixture
def recorded(database: Database) -> Database:
    return database.recorded_by(JOURNAL)


@pytest.fixture
def shelf(recorded: Database) -> tuple[Post, Post]:
    """Store a post of an active user, and one of a user who is not."""
    ann, gus = add_user(recorded, "Ann"), add_user(recorded, "Gus", is_active=False)
    unseen = add_post(recorded, gus, "Unseen", content="Gloomy")
    return add_post(recorded, ann, "Seen", content="Bright"), unseen


def titles(database: Database) -> list[str]:
    return [post.title for post in posts(database)]


# What a list tells


def test_a_list_shows_no_details_of_rows_that_may_not_be_opened(
    app: Starlette, database: Database, shelf: tuple[Post, Post]
) -> None:
    rights = {"post": right("list")}, {"post": right("details", **OF_ACTIVE)}
    page = sign_in_with(app, database, *rights).get("/admin/post/list?_columns=title,content")
    assert "Unseen" in page.text
    assert "Gloomy" not in page.text


@pytest.mark.parametrize("query", ["author={}", "_where=author%3D{}", "_where=author__in%3D{}"])
def test_no_filter_tells_whose_a_row_is(
    app: Starlette, database: Database, shelf: tuple[Post, Post], query: str
) -> None:
    rights = {"post": right(*LOOK), "user": right(*LOOK, **ACTIVE)}
    client = sign_in_with(app, database, rights)
    seen, unseen = (client.get(f"/admin/post/list?{query.format(p.user_id)}") for p in shelf)
    assert ">Seen<" in seen.text
    assert ">Unseen<" not in unseen.text


def test_the_newest_key_is_that_of_the_rows_one_may_see(
    app: Starlette, database: Database, shelf: tuple[Post, Post]
) -> None:
    post = add_post(database, add_user(database, "Una", is_active=False), "Newest")
    client = sign_in_with(app, database, {"post": right(*LOOK, **OF_ACTIVE)})
    page = client.get("/admin/post/list").text
    assert f'data-through="{shelf[0].id}"' in page
    assert f'data-through="{post.id}"' not in page


@pytest.mark.usefixtures("shelf")
def test_who_sees_nothing_is_not_told_that_there_is_something(
    app: Starlette, database: Database
) -> None:
    client = sign_in_with(app, database, {"post": right(*LOOK, scope="gone")})
    assert not any(
        one["is_behind"] for one in client.get("/admin/post/views/counts").json()["views"]
    )


@pytest.mark.usefixtures("shelf")
def test_statements_for_limited_operators_are_not_kept_for_ever(
    app: Starlette, database: Database
) -> None:
    limit = kept_by.cache_info().maxsize
    assert limit
    assert limit <= 1000


# Roles with other columns for other rows


@pytest.fixture
def two(app: Starlette, database: Database) -> TestClient:
    """Sign in who may do less to all posts, and more to those of active users."""
    fewer = {"hidden": ["content"], "readonly": ["title"]}
    rights = {"post": right("edit", **fewer)}, {"post": right("edit", **OF_ACTIVE)}
    return sign_in_with(app, database, *rights)


@pytest.mark.parametrize("path", ["list?_columns=title,content", "details/{}", "edit/{}"])
def test_no_column_is_shown_of_rows_whose_role_hides_it(
    two: TestClient, shelf: tuple[Post, Post], path: str
) -> None:
    page = two.get(f"/admin/post/{path.format(shelf[1].id)}")
    assert "Unseen" in page.text
    assert "Gloomy" not in page.text


def test_no_column_is_set_of_rows_whose_role_forbids_it(
    two: TestClient, database: Database, shelf: tuple[Post, Post]
) -> None:
    two.post(f"/admin/post/edit/{shelf[1].id}", data={"title": "Forged", "version": "1"})
    assert "Forged" not in titles(database)


def test_a_role_for_some_rows_may_be_given_by_who_has_it() -> None:
    mine = [{"post": right(*LOOK, hidden=["content"])}, {"post": right(*LOOK, **OF_ACTIVE)}]
    me = Permissions([RoleRights("", read_rights(one)) for one in mine])
    assert not me.lacks(Permissions([RoleRights("", read_rights(mine[1]))]))
    assert me.lacks(Permissions([RoleRights("", read_rights({"post": right(*LOOK)}))]))


# What the history gives away, or around


def test_what_keeps_an_undo_from_being_done_is_not_named(
    app: Starlette, database: Database, olga: TestClient, shelf: tuple[Post, Post]
) -> None:
    key = str(shelf[1].id)
    olga.post("/admin/post/delete", data=get(olga, f"/admin/post/delete?pks={key}").fields())
    assert "Unseen" not in titles(database)
    number = newest_change(olga)
    author = shelf[1].user_id
    database.write(lambda session: session.delete(session.get_one(User, author)))
    rights = {"post": right(*ALL, **OF_ACTIVE), "user": right(*ALL)}
    answer = sign_in_with(app, database, rights).post(f"/admin/history/{number}/undo")
    assert answer.status_code == 409
    assert "Unseen" not in answer.text


def newest_change(client: TestClient) -> int:
    return max(map(int, re.findall(r'/admin/history/(\d+)"', client.get("/admin/history").text)))


@pytest.fixture
def lowered(recorded: Database) -> Role:
    """Store a role that once allowed more."""
    role = Role(name="Lowered", rights={"post": {"may": ["edit"]}})
    recorded.write(lambda session: session.add(role))

    def lower(session: Session) -> None:
        session.get_one(Role, role.id).rights = {}

    recorded.write(lower)
    return role


def test_no_past_of_a_role_comes_back_without_a_proof(
    olga: TestClient, database: Database, lowered: Role
) -> None:
    number = newest_change(olga)
    let_time_pass(database)
    path = f"/admin/role/history/{lowered.id}?at={number - 1}"
    for answer in (olga.post(path), olga.post(f"/admin/history/{number}/undo")):
        assert answer.status_code == 403
        assert 'name="_confirm' in answer.text
    assert database.read(lambda session: session.get_one(Role, lowered.id).rights) == {}


def test_no_deleted_role_comes_back_without_a_proof(
    olga: TestClient, database: Database, recorded: Database, lowered: Role
) -> None:
    recorded.write(lambda session: session.delete(session.get_one(Role, lowered.id)))
    let_time_pass(database)
    assert olga.post("/admin/role/trash", data={"pks": str(lowered.id)}).status_code == 403
    assert database.read(lambda session: session.get(Role, lowered.id)) is None


def let_time_pass(database: Database) -> None:
    long_ago = utc_now() - timedelta(hours=1)
    stmt = update(OperatorSession).values(confirmed_at=long_ago)
    database.write(lambda session: session.execute(stmt))


# Operators


def test_who_may_see_no_operators_is_told_of_none(
    app: Starlette, database: Database, shelf: tuple[Post, Post]
) -> None:
    add_operator(database, "secretary", "Editor")
    client = sign_in_with(app, database, {"post": right(*LOOK), "role": right("list")})
    answer = client.get(f"/admin/post/why/{shelf[0].id}?operator=secretary")
    assert answer.status_code == 403
    assert "Who may" not in client.get(f"/admin/post/details/{shelf[0].id}").text


def test_nobody_looks_on_as_somebody_whose_page_they_may_not_open(
    app: Starlette, database: Database
) -> None:
    low = add_operator(database, "low")
    client = sign_in_with(app, database, {"operator": right(*LOOK, scope="gone")})
    assert client.post(f"/admin/view-as/{low.id}").status_code == 404


def test_a_shared_view_tells_no_more_than_its_filters_do(
    app: Starlette, database: Database, olga: TestClient, shelf: tuple[Post, Post]
) -> None:
    owner = add_operator(database, "owen", "Editor").id
    query = f"author={shelf[1].user_id}"
    view = SavedView(owner_id=owner, list_name="post", private_to=None, name="Of G", query=query)
    database.write(lambda session: session.add(view))
    path = f"/admin/post/list?_view={view.id}"
    assert ">Unseen<" in olga.get(path).text
    rights = {"post": right(*LOOK), "user": right(*LOOK, **ACTIVE)}
    client = sign_in_with(app, database, rights)
    assert ">Unseen<" not in client.get(path).text
    counts = client.get("/admin/post/views/counts").json()["views"]
    assert {one["id"]: one["count"] for one in counts}[str(view.id)] == "0"
