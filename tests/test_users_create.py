"""The form of a new user."""

import pytest
from starlette.testclient import TestClient

from models.base import utc_now
from models.database import Database
from tests.pages import Page, follow, get, submit
from tests.records import add_user, users

CREATE = "/admin/user/create"
ALICE = {"name": "Alice", "email": "alice@example.org"}


def test_it_asks_for_the_declared_fields_and_suggests_an_active_user(olga: TestClient) -> None:
    page = get(olga, CREATE)
    assert page.heading == "New user"
    assert [label.text for label in page.root.find("label")] == [
        "Name",
        "E-mail",
        "Phone",
        "Active",
    ]
    assert page.entered == {"name": "", "email": "", "phone": "", "is_active": "y"}


def test_the_message_names_the_user_and_leads_to_it(olga: TestClient, database: Database) -> None:
    page = follow(olga, submit(olga, CREATE, **ALICE))
    (alice,) = users(database)
    assert (alice.name, alice.email, alice.is_active) == ("Alice", "alice@example.org", True)
    assert abs((utc_now() - alice.created_at).total_seconds()) < 60
    assert page.alerts == ["The user “Alice” was added."]
    assert page.links()["“Alice”"] == f"/admin/user/edit/{alice.id}"


@pytest.mark.parametrize("name", ["", "   ", "x" * 51, "Ali\0ce"])
def test_a_name_that_can_not_be_stored_is_refused_at_its_field(
    olga: TestClient, database: Database, name: str
) -> None:
    response = submit(olga, CREATE, **{**ALICE, "name": name})
    assert response.status_code == 400
    assert Page(response).error("name")
    assert Page(response).fields()["email"] == "alice@example.org"
    assert not users(database)


@pytest.mark.parametrize("email", ["alice", "alice@", "@example.org", "a b@example.org", "a@b@c.d"])
def test_an_address_is_checked(olga: TestClient, email: str) -> None:
    page = Page(submit(olga, CREATE, **{**ALICE, "email": email}))
    assert page.error("email") == "Enter an e-mail address, such as ann@example.org."


def test_a_taken_address_is_refused_at_its_field(olga: TestClient, database: Database) -> None:
    add_user(database, "Alice")
    response = submit(olga, CREATE, name="Alias", email="alice@example.org")
    assert response.status_code == 400
    assert Page(response).error("email") == "A user with this e-mail already exists."
    assert Page(response).fields()["name"] == "Alias"
    assert [user.name for user in users(database)] == ["Alice"]


def test_blanks_around_a_text_are_not_stored(olga: TestClient, database: Database) -> None:
    submit(olga, CREATE, name="  Alice ", email=" alice@example.org\t")
    assert [(user.name, user.email) for user in users(database)] == [tuple(ALICE.values())]


def test_columns_that_are_not_asked_for_are_not_taken(olga: TestClient, database: Database) -> None:
    submit(olga, CREATE, **ALICE, id="77", version="9", created_at="2001-01-01T00:00")
    (alice,) = users(database)
    assert alice.id != 77
    assert (alice.version, alice.created_at.year) == (1, utc_now().year)


@pytest.mark.parametrize(
    ("button", "leads_to"),
    [
        ("Save", "/admin/user/list"),
        ("Save and continue editing", "/admin/user/edit/{id}"),
        ("Save and add another", "/admin/user/create"),
    ],
)
def test_each_button_leads_where_it_says(
    olga: TestClient, database: Database, button: str, leads_to: str
) -> None:
    response = submit(olga, CREATE, **ALICE, save=button)
    (alice,) = users(database)
    assert response.headers["location"] == leads_to.format(id=alice.id)


def test_markup_in_a_name_stays_text(olga: TestClient, database: Database) -> None:
    name = "<script>alert('&lt;')</script>"
    page = follow(olga, submit(olga, CREATE, name=name, email="x@example.org"))
    assert page.names == [name]
    assert page.alerts == [f"The user “{name}” was added."]


def test_a_box_that_is_not_ticked_is_stored(olga: TestClient, database: Database) -> None:
    submit(olga, CREATE, **ALICE, is_active="false")
    assert [user.is_active for user in users(database)] == [False]
