"""Sign-ins, refusals and exports are in the history as well."""

import json

from starlette.applications import Starlette
from starlette.testclient import TestClient

from admin.kit.history import note
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


def test_a_sign_in_is_recorded_with_its_address(app: Starlette, database: Database) -> None:
    add_operator(database, "olga")
    client = visit(app)
    for password in ("wrong", PASSWORD):
        client.post("/admin/login", data={"username": "olga", "password": password})
    assert events(database) == [("olga", "refuse sign-in", "olga"), ("olga", "sign in", "olga")]
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
