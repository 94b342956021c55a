"""What an operator agrees to is what they were shown, or they are asked again."""

from typing import Any

import pytest
from sqladmin import action
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from admin.kit.seen import ChangedSinceShown, Seen
from admin.settings import Settings
from admin.views import VIEWS
from admin.views.users import UserAdmin
from main import create_app
from models import User
from models.database import Database
from tests.pages import Page, follow, submit
from tests.personas import sign_in
from tests.records import add_post, add_user, posts, users

DELETE, MARK = "/admin/user/delete", "/admin/user/action/mark"


class MarkAdmin(UserAdmin, model=User):
    @action(name="mark", label="Mark", confirmation_message="Mark these users?")
    async def mark(self, request: Any) -> None:
        def change(session: Session, found: list[User]) -> None:
            for user in found:
                user.name += "!"

        await self.selected_objects(request, change)


@pytest.fixture
def olga(monkeypatch: pytest.MonkeyPatch, settings: Settings, database: Database) -> TestClient:
    monkeypatch.setattr("admin.site.VIEWS", [MarkAdmin, *VIEWS[1:]])
    return sign_in(create_app(settings, database), database, "olga", is_superuser=True)


@pytest.fixture
def alice(database: Database) -> User:
    alice = add_user(database, "Alice")
    add_post(database, alice, "First")
    return alice


def asked(client: TestClient, *found: User) -> dict[str, Any]:
    """Open the page that asks, and return what its button sends."""
    keys = [str(user.id) for user in found]
    return {**Page(client.get(DELETE, params={"pks": keys})).fields(), "pks": keys}


def asked_again(client: TestClient, path: str, sent: dict[str, Any]) -> Page:
    answer = client.post(path, data=sent)
    assert answer.status_code == 409, Page(answer).root.text
    return Page(answer)


def names(database: Database) -> list[str]:
    return [user.name for user in users(database)]


def changes(page: Page) -> list[str]:
    alerts = page.root.find("div", **{"class": "alert"})
    return [item.text for alert in alerts for item in alert.find("li")]


def test_a_user_who_was_changed_is_not_deleted_unseen(
    olga: TestClient, database: Database, alice: User
) -> None:
    sent = asked(olga, alice)
    submit(olga, f"/admin/user/edit/{alice.id}", name="Alicia", is_active="false")
    page = asked_again(olga, DELETE, sent)
    assert changes(page) == ["“Alicia” was changed by olga: Name and Active."]
    assert names(database) == ["Alicia"]
    follow(olga, olga.post(DELETE, data=page.fields()))
    assert not names(database)


def test_only_what_was_changed_is_named(olga: TestClient, database: Database, alice: User) -> None:
    sent = asked(olga, alice, bob := add_user(database, "Bob"))
    submit(olga, f"/admin/user/edit/{bob.id}", name="Robert")
    assert changes(asked_again(olga, DELETE, sent)) == ["“Robert” was changed by olga: Name."]
    assert names(database) == ["Alice", "Robert"]


def test_a_change_past_the_history_is_seen_too(
    olga: TestClient, database: Database, alice: User
) -> None:
    sent = asked(olga, alice)
    database.write(lambda session: setattr(session.get_one(User, alice.id), "name", "Alicia"))
    assert changes(asked_again(olga, DELETE, sent)) == ["“Alicia” was changed."]


def test_more_that_goes_along_is_asked_about(
    olga: TestClient, database: Database, alice: User
) -> None:
    sent = asked(olga, alice)
    add_post(database, alice, "Second")
    page = asked_again(olga, DELETE, sent)
    assert changes(page) == ["Before, what goes with it was: 1 post."]
    assert "2 posts" in page.root.text
    assert len(posts(database)) == 2


def test_the_first_that_goes_along_is_asked_about(olga: TestClient, database: Database) -> None:
    bob = add_user(database, "Bob")
    sent = asked(olga, bob)
    add_post(database, bob)
    page = asked_again(olga, DELETE, sent)
    assert changes(page) == ["Before, what goes with it was: nothing."]


def test_what_goes_along_may_have_been_changed(
    olga: TestClient, database: Database, alice: User
) -> None:
    """Although its name and number are the same."""
    sent, (post,) = asked(olga, alice), posts(database)
    submit(olga, f"/admin/post/edit/{post.id}", content="Of great worth.")
    assert changes(asked_again(olga, DELETE, sent)) == ["What goes with it was changed."]


def test_a_change_of_another_row_is_no_reason(
    olga: TestClient, database: Database, alice: User
) -> None:
    sent, bob = asked(olga, alice), add_user(database, "Bob")
    submit(olga, f"/admin/user/edit/{bob.id}", name="Robert")
    assert olga.post(DELETE, data=sent).status_code == 302


@pytest.mark.parametrize("seen", ["", "nonsense", "1 1 1"])
def test_marks_that_were_never_shown_agree_to_nothing(
    olga: TestClient, database: Database, alice: User, seen: str
) -> None:
    asked_again(olga, DELETE, {**asked(olga, alice), "_seen": seen})
    assert names(database) == ["Alice"]


def test_an_action_that_asks_asks_again(olga: TestClient, database: Database, alice: User) -> None:
    sent = Page(olga.post(MARK, data={"pks": str(alice.id)})).fields()
    submit(olga, f"/admin/user/edit/{alice.id}", name="Alicia")
    page = asked_again(olga, MARK, sent)
    assert changes(page) == ["“Alicia” was changed by olga: Name."]
    assert names(database) == ["Alicia"]
    assert olga.post(MARK, data=page.fields()).status_code == 302
    assert names(database) == ["Alicia!"]


def test_what_changes_during_the_action_is_seen_as_well(
    olga: TestClient, database: Database, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last look is in the transaction that changes the rows."""
    sent = Page(olga.post(MARK, data={"pks": str(alice.id)})).fields()
    original = MarkAdmin.selected_objects

    async def overtaken(self: Any, request: Any, change: Any) -> int:
        database.write(lambda session: setattr(session.get_one(User, alice.id), "name", "Late"))
        return await original(self, request, change)

    monkeypatch.setattr(MarkAdmin, "selected_objects", overtaken)
    assert changes(asked_again(olga, MARK, sent)) == ["“Late” was changed."]
    assert names(database) == ["Late"]


@pytest.mark.parametrize("seen", ["9" * 5_000, "0" * 5_000, "9:9", "", "\0"])
def test_a_mark_that_no_page_bears_is_asked_about(
    olga: TestClient, database: Database, alice: User, seen: str
) -> None:
    asked_again(olga, DELETE, {**asked(olga, alice), "_seen": seen})
    assert names(database) == ["Alice"]


def test_a_count_that_no_list_has_is_not_read() -> None:
    with pytest.raises(ChangedSinceShown):
        Seen(("9" * 5_000,)).require_same_rows("3:a:b", "users")
