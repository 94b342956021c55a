"""Two operators at one form: what both changed is merged, or asked about; nothing is lost."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from httpx2 import Client, Response
from sqlalchemy import select, update
from starlette.applications import Starlette
from starlette.testclient import TestClient

from admin.kit.history.images import load
from admin.settings import Settings
from main import create_app
from models import Change, Post, User
from models.database import Database
from tests.browser.conftest import served
from tests.databases import statements
from tests.pages import Page, follow, get, submit
from tests.personas import PASSWORD, add_operator, sign_in
from tests.records import NOON, add_post, add_user, posts, users

Sent = dict[str, str]


@pytest.fixture
def alice(olga: TestClient, database: Database) -> User:
    """Store Alice, through the admin, so that the history knows her."""
    submit(olga, "/admin/user/create", name="Alice", email="alice@example.org")
    (alice,) = users(database)
    return alice


@pytest.fixture
def edit(alice: User) -> str:
    return f"/admin/user/edit/{alice.id}"


@pytest.fixture
def vera(app: Starlette, database: Database) -> TestClient:
    return sign_in(app, database, "vera", is_superuser=True)


def opened(client: TestClient, path: str, **changes: str) -> Sent:
    """Open a form and type into it, without sending it."""
    return {**get(client, path).fields(), **changes}


def stored(database: Database) -> tuple[str, str, bool]:
    (alice,) = users(database)
    return alice.name, alice.email, alice.is_active


def versions(response: Response, name: str) -> list[str]:
    """Return what can be chosen for a field, without what was typed, which is in its input."""
    assert response.status_code == 409, Page(response).alerts
    for fieldset in Page(response).root.find("fieldset", **{"class": "collision"}):
        if fieldset.find("input", name=f"_keep-{name}"):
            return [shown.text for shown in fieldset.find("div", **{"class": "version"})]
    return []


def asked(response: Response) -> list[str]:
    return [e.attributes["value"] for e in Page(response).root.find("input", name="_asked")]


# What merges by itself


def test_changes_of_different_fields_are_merged(
    olga: TestClient, vera: TestClient, database: Database, edit: str
) -> None:
    mine = opened(olga, edit, email="new@example.org")
    submit(vera, edit, name="Alicia", is_active="false")
    page = follow(olga, olga.post(edit, data=mine))
    assert page.alerts[-1] == (
        "The user “Alicia” was changed. Merged with changes by vera: Name and Active."
    )
    assert stored(database) == ("Alicia", "new@example.org", False)


def test_the_same_change_twice_is_no_collision(
    olga: TestClient, vera: TestClient, database: Database, edit: str
) -> None:
    mine = opened(olga, edit, name="Alicia")
    submit(vera, edit, name="Alicia")
    page = follow(olga, olga.post(edit, data=mine))
    assert page.alerts[-1] == "The user “Alicia” stays as it was."


def test_changes_of_several_people_are_named(
    olga: TestClient, vera: TestClient, database: Database, edit: str
) -> None:
    mine = opened(olga, edit, email="new@example.org")
    submit(vera, edit, name="Alicia")
    submit(olga, edit, name="Alison")
    said = follow(olga, olga.post(edit, data=mine)).alerts[-1]
    assert said.endswith("Merged with changes by olga and vera: Name.")


def test_what_was_changed_and_changed_back_is_as_it_was(
    olga: TestClient, vera: TestClient, database: Database, edit: str
) -> None:
    mine = opened(olga, edit, name="Mine")
    submit(vera, edit, name="Alicia")
    submit(vera, edit, name="Alice")
    assert follow(olga, olga.post(edit, data=mine)).alerts[-1] == "The user “Mine” was changed."


def test_a_new_version_that_left_no_entry_does_not_mislead(
    olga: TestClient, vera: TestClient, database: Database, alice: User, edit: str
) -> None:
    """Going back is not counting: by the count, the name would be someone's change."""
    submit(vera, edit, name="Alicia")
    mine = opened(olga, edit, email="new@example.org")
    bump = update(User).values(version=User.version + 1)
    database.write(lambda session: session.execute(bump))
    submit(vera, edit, is_active="false")
    said = follow(olga, olga.post(edit, data=mine)).alerts[-1]
    assert said.endswith("Merged with changes by vera: Active.")
    assert stored(database) == ("Alicia", "new@example.org", False)


def test_a_relation_is_merged(olga: TestClient, vera: TestClient, database: Database) -> None:
    alice, bob = add_user(database, "Alice"), add_user(database, "Bob")
    path = f"/admin/post/edit/{add_post(database, alice).id}"
    mine = opened(olga, path, title="Mine")
    submit(vera, path, author=str(bob.id))
    said = follow(olga, olga.post(path, data=mine)).alerts[-1]
    assert said.endswith("Merged with changes by vera: Author.")
    assert [(post.title, post.user_id) for post in posts(database)] == [("Mine", bob.id)]


def test_my_relation_is_merged_with_their_title(
    olga: TestClient, vera: TestClient, database: Database
) -> None:
    alice, bob = add_user(database, "Alice"), add_user(database, "Bob")
    path = f"/admin/post/edit/{add_post(database, alice).id}"
    mine = opened(olga, path, author=str(bob.id))
    submit(vera, path, title="Theirs")
    follow(olga, olga.post(path, data=mine))
    assert [(post.title, post.user_id) for post in posts(database)] == [("Theirs", bob.id)]


def test_an_untouched_date_keeps_its_microseconds(
    olga: TestClient, vera: TestClient, database: Database
) -> None:
    exact = NOON + timedelta(microseconds=123456)
    post = add_post(database, add_user(database, "Alice"), content="a\rb", published_at=exact)
    path = f"/admin/post/edit/{post.id}"
    mine = opened(olga, path, title="Mine")
    later = exact + timedelta(days=1)
    database.write(lambda session: setattr(session.get_one(Post, post.id), "published_at", later))
    assert olga.post(path, data=mine).status_code == 409
    submit(vera, path, content="Theirs")
    assert [p.published_at for p in posts(database)] == [later]


# What collides


def test_a_collision_shows_all_three_and_stores_none(
    olga: TestClient, vera: TestClient, database: Database, edit: str
) -> None:
    mine = opened(olga, edit, name="Mine", email="new@example.org")
    submit(vera, edit, name="Theirs", is_active="false")
    answer = olga.post(edit, data=mine)
    page = Page(answer)
    assert versions(answer, "name") == ["Theirs", "Alice"]
    assert asked(answer) == ["name"]
    assert page.error("name") == "Choose which one to keep."
    assert "Keep what vera stored" in page.root.text
    held = page.fields()
    assert (held["name"], held["email"]) == ("Mine", "new@example.org")
    (box,) = page.root.find("input", id="is_active")
    assert "checked" not in box.attributes
    assert stored(database) == ("Theirs", "alice@example.org", False)


@pytest.mark.parametrize(
    ("choice", "name"), [("mine", "Mine"), ("theirs", "Theirs"), ("base", "Alice")]
)
def test_one_click_decides(
    olga: TestClient, vera: TestClient, database: Database, edit: str, choice: str, name: str
) -> None:
    mine = opened(olga, edit, name="Mine", email="new@example.org")
    submit(vera, edit, name="Theirs")
    page = Page(olga.post(edit, data=mine))
    follow(olga, olga.post(edit, data={**page.fields(), "_keep-name": choice}))
    assert stored(database) == (name, "new@example.org", True)


def test_mine_can_still_be_edited(
    olga: TestClient, vera: TestClient, database: Database, edit: str
) -> None:
    mine = opened(olga, edit, name="Mine")
    submit(vera, edit, name="Theirs")
    page = Page(olga.post(edit, data=mine))
    olga.post(edit, data={**page.fields(), "name": "Both", "_keep-name": "mine"})
    assert stored(database)[0] == "Both"


@pytest.mark.parametrize("choice", [{}, {"_keep-name": "nonsense"}])
def test_without_a_choice_it_asks_again(
    olga: TestClient, vera: TestClient, database: Database, edit: str, choice: Sent
) -> None:
    mine = opened(olga, edit, name="Mine")
    submit(vera, edit, name="Theirs")
    page = Page(olga.post(edit, data=mine))
    answer = olga.post(edit, data={**page.fields(), "name": "Edited", **choice})
    assert versions(answer, "name") == ["Theirs", "Alice"]
    assert Page(answer).fields()["name"] == "Edited"
    assert stored(database)[0] == "Theirs"


def test_another_mistake_does_not_lose_the_decision(
    olga: TestClient, vera: TestClient, database: Database, edit: str
) -> None:
    mine = opened(olga, edit, name="Mine")
    submit(vera, edit, name="Theirs")
    page = Page(olga.post(edit, data=mine))
    wrong = {**page.fields(), "email": "wrong", "_keep-name": "theirs"}
    page = Page(olga.post(edit, data=wrong))
    assert page.error("email")
    assert page.fields()["name"] == "Theirs"
    olga.post(edit, data={**page.fields(), "email": "right@example.org"})
    assert stored(database)[:2] == ("Theirs", "right@example.org")


def test_another_mistake_does_not_make_the_decision(
    olga: TestClient, vera: TestClient, database: Database, edit: str
) -> None:
    """What was not chosen is asked about again, beside what is to be corrected."""
    mine = opened(olga, edit, name="Mine")
    submit(vera, edit, name="Theirs")
    page = Page(olga.post(edit, data=mine))
    answer = olga.post(edit, data={**page.fields(), "email": "wrong"})
    page = Page(answer)
    assert asked(answer) == ["name"]
    assert (bool(page.error("email")), page.fields()["email"]) == (True, "wrong")
    answer = olga.post(edit, data={**page.fields(), "email": "right@example.org"})
    assert asked(answer) == ["name"]
    assert stored(database)[:2] == ("Theirs", "alice@example.org")


def test_a_long_text_is_not_sent_along_twice(
    olga: TestClient, vera: TestClient, database: Database
) -> None:
    """It can't be gone back to then, but the others can be chosen."""
    post = add_post(database, add_user(database, "Alice"), content="x" * 200_000)
    path = f"/admin/post/edit/{post.id}"
    mine = opened(olga, path, content="Mine")
    submit(vera, path, content="Theirs")
    answer = olga.post(path, data=mine)
    assert versions(answer, "content") == ["Theirs"]
    olga.post(path, data={**Page(answer).fields(), "_keep-content": "mine"})
    assert [post.content for post in posts(database)] == ["Mine"]


def test_a_mistake_in_an_overtaken_form_still_merges_when_corrected(
    olga: TestClient, vera: TestClient, database: Database, edit: str
) -> None:
    mine = opened(olga, edit, email="wrong")
    submit(vera, edit, name="Theirs")
    page = Page(olga.post(edit, data=mine))
    olga.post(edit, data={**page.fields(), "email": "right@example.org"})
    assert stored(database)[:2] == ("Theirs", "right@example.org")


def test_a_change_after_the_question_is_asked_about_too(
    olga: TestClient, vera: TestClient, database: Database, edit: str
) -> None:
    mine = opened(olga, edit, name="Mine")
    submit(vera, edit, name="Theirs")
    page = Page(olga.post(edit, data=mine))
    submit(vera, edit, name="Later")
    answer = olga.post(edit, data={**page.fields(), "_keep-name": "mine"})
    assert versions(answer, "name") == ["Later", "Theirs"]
    olga.post(edit, data={**Page(answer).fields(), "_keep-name": "mine"})
    assert stored(database)[0] == "Mine"


def test_a_box_to_tick_can_not_collide(
    olga: TestClient, vera: TestClient, database: Database, edit: str
) -> None:
    """It has but two values, so whoever changes it agrees."""
    mine = {**opened(olga, edit), "is_active": "false"}
    submit(vera, edit, is_active="false")
    assert olga.post(edit, data=mine).status_code == 302
    assert stored(database)[2] is False


def test_relations_that_collide_are_shown_by_name(
    olga: TestClient, vera: TestClient, database: Database
) -> None:
    alice, bob, carol = (add_user(database, name) for name in ("Alice", "Bob", "Carol"))
    path = f"/admin/post/edit/{add_post(database, alice).id}"
    mine = opened(olga, path, author=str(bob.id))
    submit(vera, path, author=str(carol.id))
    answer = olga.post(path, data=mine)
    assert versions(answer, "author") == ["Carol", "Alice"]
    again = olga.post(path, data=Page(answer).fields())
    assert versions(again, "author") == ["Carol", "Alice"]
    olga.post(path, data={**Page(again).fields(), "_keep-author": "base"})
    assert [post.user_id for post in posts(database)] == [alice.id]


def test_dates_that_collide_are_told_apart(
    olga: TestClient, vera: TestClient, database: Database
) -> None:
    path = f"/admin/post/edit/{add_post(database, add_user(database, 'Alice')).id}"
    mine = opened(olga, path, published_at="2026-01-01T00:00:00")
    submit(vera, path, published_at="")
    answer = olga.post(path, data=mine)
    assert versions(answer, "published_at") == ["–", "2026-03-04T12:00:00"]


def test_what_is_shown_is_text_and_not_markup(
    olga: TestClient, vera: TestClient, database: Database, edit: str
) -> None:
    mine = opened(olga, edit, name="<b>Mine")
    submit(vera, edit, name="<script>alert(1)</script>")
    assert versions(olga.post(edit, data=mine), "name")[0] == "<script>alert(1)</script>"


# What can't be merged


def test_a_row_changed_past_the_history_is_not_merged(
    olga: TestClient, database: Database, edit: str
) -> None:
    mine = opened(olga, edit, email="new@example.org")
    change = update(User).values(name="Past it", version=User.version + 1)
    database.write(lambda session: session.execute(change))
    answer = olga.post(edit, data=mine)
    assert answer.status_code == 409
    assert "Someone else saved this after you opened it." in Page(answer).root.text
    assert Page(answer).fields()["email"] == "new@example.org"
    assert stored(database)[1] == "alice@example.org"


@pytest.mark.parametrize("shown", ["", "nonsense", "\0"])
def test_a_form_that_does_not_say_what_it_showed_is_not_merged(
    olga: TestClient, vera: TestClient, database: Database, edit: str, shown: str
) -> None:
    mine = {**opened(olga, edit, email="new@example.org"), "_shown": shown}
    submit(vera, edit, name="Theirs")
    assert olga.post(edit, data=mine).status_code == 409
    assert stored(database)[1] == "alice@example.org"


def test_the_ordinary_save_asks_the_history_nothing(
    olga: TestClient, database: Database, edit: str
) -> None:
    mine = opened(olga, edit, name="Mine")
    with statements(database) as executed:
        olga.post(edit, data=mine)
    assert not [sql for sql in executed if "FROM changes" in sql]


# Many at once


@pytest.fixture
def post(real_database: Database) -> Post:
    return add_post(real_database, add_user(real_database, "Alice"), "Title", content="Words")


@pytest.fixture
def server(real_settings: Settings, real_database: Database) -> Iterator[str]:
    add_operator(real_database, "olga", is_superuser=True)
    settings = replace(real_settings, allowed_hosts=("127.0.0.1",))
    with served(create_app(settings, real_database)) as url:
        yield url


def send_until_stored(client: Client, path: str, field: str, value: str) -> set[str]:
    """Save as people do who want theirs: choose it whenever asked; return what was shown then."""
    sent, seen = {**Page(client.get(path)).fields(), field: value}, set()
    while (answer := client.post(path, data=sent)).status_code == 409:
        page = Page(answer)
        seen.add(page.fields()[field])
        sent = {**page.fields(), **{f"_keep-{name}": "mine" for name in asked(answer)}}
    assert answer.status_code == 302, Page(answer).alerts
    return seen


def test_of_twenty_editors_nobody_loses_anything(
    server: str, real_database: Database, post: Post
) -> None:
    """Each value is stored in its turn, or shown to who typed it until it is."""
    path, editors = f"{server}/admin/post/edit/{post.id}", 20
    login = post_to(Client(), f"{server}/admin/login", username="olga", password=PASSWORD)

    def edit(number: int) -> None:
        field = "title" if number % 2 else "content"
        with Client(cookies=login.cookies, timeout=60) as client:
            seen = send_until_stored(client, path, field, f"{field} {number}")
        assert seen <= {f"{field} {number}"}

    with ThreadPoolExecutor(editors) as pool:
        list(pool.map(edit, range(editors)))
    history = changes_of_posts(real_database)
    for field, parity in (("content", 0), ("title", 1)):
        values = [change[field] for change in history if field in change]
        assert sorted(values) == sorted(f"{field} {n}" for n in range(parity, editors, 2))


def post_to(client: Client, path: str, **sent: str) -> Response:
    with client:
        return client.post(path, data=sent)


def changes_of_posts(database: Database) -> list[dict[str, Any]]:
    """Return what each change of a post has set."""
    stmt = select(Change).where(Change.table_name == "posts", Change.action == "update")
    found = database.read(lambda session: list(session.scalars(stmt)))
    return [load(change.after) for change in found]
