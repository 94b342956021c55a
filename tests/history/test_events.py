"""Sign-ins, refusals and exports are in the history as well."""

import json
from unittest.mock import Mock

import pytest
from sqlalchemy.exc import OperationalError
from starlette.applications import Starlette
from starlette.testclient import TestClient

from admin.kit.history import note
from admin.kit.refused import Refusals
from models.database import Database
from tests.history.conftest import change_sets, changes
from tests.pages import get
from tests.personas import PASSWORD, add_operator, visit


def events(database: Database) -> list[tuple[str, str, str]]:
    """Return who did what with what, for all that changed no row."""
    return [
        (found.operator_name, change.action, change.label)
        for found in change_sets(database)
        for change in changes(database, found)
        if change.action not in ("create", "update", "delete")
    ]


def test_a_sign_in_is_recorded_with_address_and_device(app: Starlette, database: Database) -> None:
    add_operator(database, "olga")
    client = visit(app, headers={"User-Agent": "Firefox/143.0 (X11; Linux)"})
    for password in ("wrong", PASSWORD):
        client.post("/admin/login", data={"username": "olga", "password": password})
    assert events(database) == [
        ("olga", "refuse sign-in", "Firefox, Linux"),
        ("olga", "sign in", "Firefox, Linux"),
    ]
    assert {found.address for found in change_sets(database)} == {"testclient"}


def test_an_export_is_recorded(olga: TestClient, database: Database) -> None:
    olga.get("/admin/user/export/csv")
    assert events(database)[-1] == ("olga", "export", "csv")


def test_a_refusal_is_recorded(vera: TestClient, database: Database) -> None:
    vera.get("/admin/user/create")
    vera.get("/admin/user/create%00")
    assert events(database)[-1] == ("vera", "refuse", "GET /admin/user/create")


def test_only_who_may_do_everything_sees_them(
    olga: TestClient, vera: TestClient, database: Database
) -> None:
    """Whoever may only look sees no sign-in but their own."""
    for client, names in ((olga, {"olga", "vera"}), (vera, {"vera"})):
        page = get(client, "/admin/history?action=sign+in")
        assert {cell for row in page.table for cell in row} & {"olga", "vera"} == names


def test_a_text_that_no_database_holds_is_made_readable(recorded: Database) -> None:
    recorded.write(lambda session: note(session, "refuse", "GET /\0"))
    assert events(recorded) == [("", "refuse", "GET /\ufffd")]


def test_the_reference_of_a_request_is_in_its_change_set(
    olga: TestClient, database: Database
) -> None:
    olga.post("/admin/user/create", data={"name": "Ann", "email": "ann@example.org"})
    last = change_sets(database)[-1]
    assert (last.operator_name, last.source, last.label) == ("olga", "form", "Ann")
    assert len(last.request_id) == 8
    assert json.loads(last.summary) == [["users", "create", 1]]


ELSEWHERE = {"Sec-Fetch-Site": "cross-site"}


def refusals(database: Database) -> list[str]:
    return [label for _, action, label in events(database) if action.startswith("refuse")]


def test_what_another_site_started_is_recorded(olga: TestClient, database: Database) -> None:
    """Nobody has looked yet who is asking, so it is known by its address."""
    olga.post("/admin/user/delete", data={"pks": "1"}, headers=ELSEWHERE)
    assert events(database)[-1] == ("", "refuse other site", "POST /admin/user/delete")
    last = change_sets(database)[-1]
    assert (last.address, len(last.request_id)) == ("testclient", 8)


def test_an_owner_reads_what_was_refused(olga: TestClient, vera: TestClient) -> None:
    vera.get("/admin/user/create")
    visit(olga.app).post("/admin/login", headers=ELSEWHERE)
    page = olga.get("/admin/history").text
    assert "Refused: GET /admin/user/create" in page
    assert "Refused from another site: POST /admin/login" in page
    assert "POST /admin/login" not in vera.get("/admin/history").text


def test_nobody_fills_the_history_with_refusals(vera: TestClient, database: Database) -> None:
    """Of one address ten a minute are kept; the rest is counted."""
    for _ in range(25):
        vera.get("/admin/user/create")
        visit(vera.app).post("/admin/logout", headers=ELSEWHERE)
    assert len(refusals(database)) == 10


def test_refusals_that_were_not_kept_are_told_with_the_next() -> None:
    now = [0.0]
    refusals = Refusals(lambda: now[0])
    assert [refusals.admits("192.0.2.1") for _ in range(12)] == [True] * 10 + [False] * 2
    assert refusals.admits("192.0.2.2")
    assert refusals.take_left_out() == 2
    now[0] = 60.0
    assert refusals.admits("192.0.2.1")
    assert refusals.take_left_out() == 0


def test_many_addresses_do_not_fill_it_either() -> None:
    refusals = Refusals(lambda: 0.0)
    assert sum(refusals.admits(str(number)) for number in range(500)) == 100


def test_a_refusal_is_answered_though_it_can_not_be_recorded(
    vera: TestClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = OperationalError("INSERT", {}, Exception())
    monkeypatch.setattr(Database, "write", Mock(side_effect=lost))
    assert vera.get("/admin/user/create").status_code == 403


def test_an_address_that_is_none_breaks_nothing(app: Starlette, database: Database) -> None:
    """A proxy may hand on anything as the address of its client."""
    add_operator(database, "olga", is_superuser=True)
    client = visit(app, client=("\0" + "x" * 500, 0))
    client.post("/admin/login", data={"username": "olga", "password": PASSWORD})
    sent = {"name": "Ann", "email": "ann@example.org"}
    assert client.post("/admin/user/create", data=sent).status_code == 302
    assert change_sets(database)[-1].address == "x" * 45
