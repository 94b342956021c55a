"""Changing one's own password."""

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from admin.auth.guessing import ACCOUNT_HERE
from admin.auth.passwords import verify_password
from models.database import Database
from tests.operators import CHOSEN, change, count_sessions, find
from tests.pages import Page, follow, get
from tests.personas import PASSWORD, password_hash, sign_in, visit

PATH = "/admin/account/password"


def sent(**changes: str) -> dict[str, str]:
    typed = {"old_password": PASSWORD, "new_password": CHOSEN, "new_password_again": CHOSEN}
    return {**typed, **changes}


def test_it_is_changed_and_only_this_session_stays(
    app: Starlette, vera: TestClient, database: Database
) -> None:
    other = visit(app)
    other.post("/admin/login", data={"username": "vera", "password": PASSWORD})
    assert other.get("/admin/").status_code == 200
    page = follow(vera, vera.post(PATH, data=sent()))
    assert page.alerts == ["Your password was changed. You are signed out everywhere else."]
    assert verify_password(find(database, "vera").password_hash, CHOSEN)
    assert other.get("/admin/").status_code == 302
    assert count_sessions(database, find(database, "vera")) == 1


def test_the_account_says_who_may_do_everything(vera: TestClient, olga: TestClient) -> None:
    said = "May do everything, whatever the roles."
    assert said in get(olga, "/admin/account").root.text
    assert said not in get(vera, "/admin/account").root.text


def test_it_is_in_the_history_without_a_hash(vera: TestClient, olga: TestClient) -> None:
    vera.post(PATH, data=sent())
    page = get(olga, "/admin/history?action=set+password")
    assert page.table[0][1] == "vera"


def test_a_wrong_old_password_is_said_at_its_field(vera: TestClient, database: Database) -> None:
    response = vera.post(PATH, data=sent(old_password="wrong", new_password_again="other"))
    page = Page(response)
    assert response.status_code == 400
    assert page.error("old_password") == "This is not your password."
    assert page.error("new_password_again") == "The two passwords are not the same."
    assert CHOSEN not in response.text
    assert find(database, "vera").password_hash == password_hash()


def test_the_rules_hold_and_stand_beside_the_field(vera: TestClient, database: Database) -> None:
    page = get(vera, PATH)
    assert "At least 15 characters" in page.root.find("div", id="new_password-help")[0].text
    page = Page(vera.post(PATH, data=sent(new_password="vera", new_password_again="vera")))
    assert page.error("new_password") == (
        "A password has at least 15 characters. "
        "This password is too much like the username or e-mail address. This is a common password."
    )
    assert find(database, "vera").password_hash == password_hash()


def test_the_old_one_is_no_new_one(vera: TestClient) -> None:
    again = sent(new_password=PASSWORD, new_password_again=PASSWORD)
    page = Page(vera.post(PATH, data=again))
    assert page.error("new_password") == "Choose another one than the old password."


@pytest.mark.parametrize("field", ["old_password", "new_password", "new_password_again"])
def test_no_field_may_be_empty(vera: TestClient, database: Database, field: str) -> None:
    page = Page(vera.post(PATH, data=sent(**{field: ""})))
    assert page.error(field) == "This field is required."
    assert find(database, "vera").password_hash == password_hash()


def test_guessing_the_old_password_gets_slow(vera: TestClient, database: Database) -> None:
    """Else whoever finds an open browser has the password soon, wherever else it is used."""
    for _ in range(ACCOUNT_HERE.every):
        assert vera.post(PATH, data=sent(old_password="wrong")).status_code == 400
    response = vera.post(PATH, data=sent())
    assert (response.status_code, "Retry-After" in response.headers) == (429, True)
    assert find(database, "vera").password_hash == password_hash()


def test_a_form_that_is_sent_twice_is_stored_once(vera: TestClient) -> None:
    typed = {**get(vera, PATH).fields(), **sent()}
    first, second = (vera.post(PATH, data=typed) for _ in range(2))
    assert first.headers["location"] == second.headers["location"] == "/admin/account"


def test_a_password_of_others_comes_first(
    app: Starlette, vera: TestClient, database: Database
) -> None:
    change(database, find(database, "vera"), must_change_password=True)
    for path in ("/admin/", "/admin/user/list", "/admin/account", "/admin/nothing"):
        assert vera.get(path).headers["location"] == PATH
    assert vera.post("/admin/user/views", data={}).headers["location"] == PATH
    program = vera.get("/admin/search?q=x", headers={"Accept": "application/json"})
    assert program.status_code == 403
    assert vera.get("/admin/statics/admin.css").status_code == 200
    vera.post(PATH, data=sent())
    assert vera.get("/admin/user/list").status_code == 200


def test_one_may_sign_out_instead(vera: TestClient, database: Database) -> None:
    change(database, find(database, "vera"), must_change_password=True)
    assert vera.post("/admin/logout").headers["location"] == "/admin/login"


def test_what_is_sent_too_late_is_kept_without_the_passwords(
    vera: TestClient, database: Database
) -> None:
    change(database, find(database, "vera"), is_active=False)
    response = vera.post(PATH, data=sent())
    assert response.status_code == 401
    assert CHOSEN not in response.text
    assert PASSWORD not in response.text


def test_the_account_leads_there(vera: TestClient) -> None:
    assert get(vera, "/admin/account").links()["Password"] == PATH


def test_everyone_has_the_page(app: Starlette, database: Database) -> None:
    nobody = sign_in(app, database, "nobody")
    assert nobody.get(PATH).status_code == 200
