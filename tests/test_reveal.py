"""Sensitive values: masked, asked for by all of them, and revealed for a minute."""

import re
import time

import pytest
from sqlalchemy import select
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from admin.history import JOURNAL
from models import Change, ChangeSet, User
from models.database import Database
from tests.pages import get, submit
from tests.records import add_user, users
from tests.rights import LOOK, right, sign_in_with

PHONE = "+44 20 7946 0123"
MASK = "••••"


@pytest.fixture
def ann(database: Database) -> User:
    recorded = database.recorded_by(JOURNAL)
    ann = add_user(recorded, "Ann", phone="+44 20 7946 0999")

    def change(session: object) -> None:
        session.get(User, ann.id).phone = PHONE  # type: ignore[attr-defined]

    recorded.write(change)
    return ann


@pytest.mark.parametrize(
    "path",
    [
        "user/list?_columns=name,phone",
        "user/details/{}",
        "user/edit/{}",
        "user/export/csv",
        "user/export/json",
        "user/history/{}",
        "user/history/{}?at=2",
    ],
)
def test_it_is_masked_for_everyone(olga: TestClient, ann: User, path: str) -> None:
    page = olga.get(f"/admin/{path.format(ann.id)}")
    assert page.status_code == 200
    assert "7946" not in page.text
    assert MASK in page.text or "A value is stored" in page.text


def test_an_empty_input_keeps_it_a_text_replaces_it_and_the_box_clears_it(
    olga: TestClient, ann: User, database: Database
) -> None:
    path = f"/admin/user/edit/{ann.id}"
    assert submit(olga, path, name="Anna").status_code == 302
    assert users(database)[0].phone == PHONE
    submit(olga, path, phone="+44 20 7946 0001")
    assert users(database)[0].phone == "+44 20 7946 0001"
    fields = {name: [value] for name, value in get(olga, path).fields().items()}
    olga.post(path, data={**fields, "phone": ["", "clear"]})
    assert users(database)[0].phone is None


def test_undo_puts_it_back(olga: TestClient, ann: User, database: Database) -> None:
    submit(olga, f"/admin/user/edit/{ann.id}", phone="+1")
    change = re.findall(r'/admin/history/(\d+)">Changed', olga.get("/admin/history").text)[0]
    assert olga.post(f"/admin/history/{change}/undo").status_code == 302
    assert users(database)[0].phone == PHONE


@pytest.mark.parametrize("query", ["_where=phone__contains%3D7946", "sortBy=phone", "phone=x"])
def test_it_is_not_found_by_a_part(olga: TestClient, ann: User, query: str) -> None:
    assert olga.get(f"/admin/user/list?_columns=phone&{query}").status_code == 400


# Revealing


def ask(client: TestClient, ann: User, reason: str = "She called") -> int:
    path = f"/admin/user/reveal/{ann.id}"
    return submit(client, path, _reason=reason).status_code


def test_it_is_shown_for_a_minute(
    olga: TestClient, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"/admin/user/details/{ann.id}"
    assert ask(olga, ann) == 302
    page = olga.get(path)
    assert PHONE in page.text
    assert 0 < int(page.headers["refresh"]) <= 60
    assert page.headers["cache-control"] == "no-store"
    now = time.time()
    monkeypatch.setattr("admin.kit.revealed.time.time", lambda: now + 61)
    assert PHONE not in olga.get(path).text


def test_it_is_shown_on_no_other_page_and_in_no_other_session(
    app: Starlette, database: Database, olga: TestClient, ann: User
) -> None:
    bob = add_user(database, "Bob", phone="+44 20 7946 0555")
    other = sign_in_with(app, database, {"user": right("*")})
    ask(olga, ann)
    for path in ("user/list?_columns=phone", f"user/edit/{ann.id}", f"user/details/{bob.id}"):
        assert "7946" not in olga.get(f"/admin/{path}").text
    assert PHONE not in other.get(f"/admin/user/details/{ann.id}").text


def test_it_takes_a_reason(olga: TestClient, ann: User) -> None:
    assert ask(olga, ann, " ") == 400
    assert PHONE not in olga.get(f"/admin/user/details/{ann.id}").text


def test_it_takes_the_right_for_this_row(
    app: Starlette, database: Database, ann: User, vera: TestClient
) -> None:
    gus = add_user(database, "Gus", phone="+44 20 7946 0777", is_active=False)
    path = "/admin/user/reveal/{}"
    assert vera.get(path.format(ann.id)).status_code == 403
    rights = {"user": right(*LOOK)}, {"user": right("reveal", scope="active")}
    client = sign_in_with(app, database, *rights)
    assert client.get(path.format(ann.id)).status_code == 200
    assert client.get(path.format(gus.id)).status_code == 403
    assert "Reveal" not in client.get(f"/admin/user/details/{gus.id}").text


def test_the_history_tells_who_saw_what_and_why(
    olga: TestClient, ann: User, database: Database
) -> None:
    ask(olga, ann)
    history = get(olga, f"/admin/user/history/{ann.id}").root.text
    assert "Revealed" in history
    assert "She called" in history
    stmt = select(Change.key, Change.label, ChangeSet.operator_name)
    stmt = stmt.join(ChangeSet, ChangeSet.operation == Change.operation)
    stmt = stmt.where(Change.action == "reveal")
    row = database.read(lambda session: session.execute(stmt).one())
    assert tuple(row) == (str(ann.id), "phone", "olga")
    assert olga.get("/admin/history").status_code == 200


def test_a_form_sent_twice_does_not_show_it_for_longer(
    olga: TestClient, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"/admin/user/reveal/{ann.id}"
    sent = {**get(olga, path).fields(), "_reason": "Once"}
    olga.post(path, data=sent)
    now = time.time()
    monkeypatch.setattr("admin.kit.revealed.time.time", lambda: now + 61)
    assert olga.post(path, data=sent).status_code == 302
    assert PHONE not in olga.get(f"/admin/user/details/{ann.id}").text


# Files


def test_a_file_has_it_in_clear_for_a_reason(
    olga: TestClient, ann: User, database: Database
) -> None:
    path = "/admin/user/export/csv/clear"
    assert submit(olga, path, _reason="").status_code == 400
    file = submit(olga, path, _reason="An audit")
    assert file.status_code == 200
    assert PHONE in file.text.replace("'", "")
    actions = database.read(lambda session: session.scalars(select(Change.action)).all())
    assert {"export", "reveal"} <= set(actions)


def test_a_file_in_clear_takes_the_right_and_a_proof(
    app: Starlette, olga: TestClient, vera: TestClient, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = "/admin/user/export/csv/clear"
    assert vera.get(path).status_code == 403

    async def confirm(self: object, request: object) -> PlainTextResponse:
        return PlainTextResponse("prove it", 401)

    monkeypatch.setattr("admin.auth.backend.OperatorAuth.confirm", confirm, raising=False)
    answer = olga.post(path, data={"_reason": "An audit"})
    assert (answer.status_code, answer.text) == (401, "prove it")
