"""The form of a user, and the page that only shows one."""

import pytest
from sqlalchemy import update
from starlette.testclient import TestClient

from models import User
from models.database import Database
from tests.pages import Page, follow, get, submit
from tests.records import NOON, add_post, add_user, users


@pytest.fixture
def alice(database: Database) -> User:
    return add_user(database, "Alice", created_at=NOON)


@pytest.fixture
def edit(alice: User) -> str:
    return f"/admin/user/edit/{alice.id}"


def test_it_holds_the_user(olga: TestClient, edit: str) -> None:
    page = get(olga, edit)
    held = {"name": "Alice", "email": "alice@example.org", "phone": "", "is_active": "y"}
    assert page.heading == "Alice"
    assert page.entered == held
    assert page.fields()["_version"] == "1"
    assert [d.text for d in page.root.find("dd")] == ["2026-03-04 12:00 UTC"]


def test_it_leads_to_the_details_and_back(olga: TestClient, edit: str) -> None:
    details = get(olga, f"{edit}?search=al").links()["Details"]
    assert details == f"{edit.replace('edit', 'details')}?search=al"
    assert get(olga, details).links()["Edit"] == f"{edit}?search=al"


def test_the_message_names_the_user_and_leads_to_it(
    olga: TestClient, database: Database, edit: str
) -> None:
    page = follow(olga, submit(olga, edit, name="Alicia"))
    assert page.alerts == ["The user “Alicia” was changed."]
    assert page.links()["“Alicia”"] == edit
    assert [(user.name, user.email) for user in users(database)] == [
        ("Alicia", "alice@example.org")
    ]


def test_the_message_is_shown_once(olga: TestClient, edit: str) -> None:
    assert follow(olga, submit(olga, edit, name="Alicia")).alerts
    assert not get(olga, "/admin/user/list").alerts


def test_saving_leads_back_to_the_same_place_of_the_list(olga: TestClient, edit: str) -> None:
    response = submit(olga, f"{edit}?search=ali&page=1", name="Alicia")
    assert response.headers["location"] == "/admin/user/list?search=ali&page=1"


def test_the_time_of_creation_can_not_be_changed(
    olga: TestClient, database: Database, edit: str
) -> None:
    submit(olga, edit, created_at="2001-01-01T00:00:00", name="Alicia")
    (alice,) = users(database)
    assert (alice.name, alice.created_at) == ("Alicia", NOON)


def test_a_user_can_be_deactivated(olga: TestClient, database: Database, edit: str) -> None:
    submit(olga, edit, is_active="false")
    assert [user.is_active for user in users(database)] == [False]
    assert "is_active" in get(olga, edit).fields()


def test_another_users_address_is_refused_at_the_field(
    olga: TestClient, database: Database, edit: str
) -> None:
    add_user(database, "Bob")
    response = submit(olga, edit, email="bob@example.org")
    assert response.status_code == 400
    assert Page(response).error("email") == "A user with this e-mail already exists."


def test_a_wrong_address_is_refused_at_the_field(olga: TestClient, edit: str) -> None:
    page = Page(submit(olga, edit, email="alice"))
    assert page.error("email") == "Enter an e-mail address, such as ann@example.org."
    assert page.alerts == ["Please correct the errors below."]


def test_what_someone_else_saved_meanwhile_is_not_overwritten(
    olga: TestClient, database: Database, edit: str
) -> None:
    opened = get(olga, edit).fields()
    submit(olga, edit, name="Alicia")
    page = follow(olga, olga.post(edit, data={**opened, "email": "new@example.org"}))
    assert page.alerts[-1] == "The user “Alicia” was changed. Merged with changes by olga: Name."
    assert [(user.name, user.email) for user in users(database)] == [("Alicia", "new@example.org")]


def test_saving_untouched_changes_nothing(olga: TestClient, database: Database, edit: str) -> None:
    odd = update(User).values(name=" Alice\u00a0")
    database.write(lambda session: session.execute(odd))
    assert submit(olga, edit).status_code == 302
    assert [user.name for user in users(database)] == [" Alice\u00a0"]


def test_one_field_may_be_sent_alone(olga: TestClient, database: Database, edit: str) -> None:
    assert olga.post(edit, data={"name": "Alicia"}).status_code == 302
    (alice,) = users(database)
    assert (alice.name, alice.email, alice.is_active) == ("Alicia", "alice@example.org", True)


@pytest.mark.parametrize("key", ["999", "0", "-1", "abc", "1e3", f"{10**20}", "1/", "%00"])
def test_a_user_who_does_not_exist_is_not_found(olga: TestClient, edit: str, key: str) -> None:
    for page in ("edit", "details"):
        assert olga.get(f"/admin/user/{page}/{key}").status_code == 404
    assert olga.post(f"/admin/user/edit/{key}", data={"name": "x"}).status_code == 404


def test_the_details_lead_to_the_posts(olga: TestClient, database: Database, alice: User) -> None:
    for number in range(3):
        add_post(database, alice, f"Post {number}")
    page = get(olga, f"/admin/user/details/{alice.id}")
    assert page.links()["3"] == f"/admin/post/list?author={alice.id}"
    assert get(olga, page.links()["3"]).names == ["Post 2", "Post 1", "Post 0"]


def test_saving_a_user_keeps_posts_written_meanwhile(
    olga: TestClient, database: Database, alice: User, edit: str
) -> None:
    opened = get(olga, edit).fields()
    add_post(database, alice, "Written meanwhile")
    assert olga.post(edit, data={**opened, "posts": ""}).status_code == 302
    assert get(olga, f"/admin/post/list?author={alice.id}").names == ["Written meanwhile"]
