"""Sessions: seen and ended by whose they are, and by what ends them."""

from collections.abc import Callable
from contextvars import copy_context
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from starlette.applications import Starlette
from starlette.testclient import TestClient

from admin.auth import backend, operators, sessions, visits
from admin.auth.sessions import USE_NOTED_EVERY, end_sessions, keep_sessions, renew_session
from admin.history import JOURNAL
from admin.settings import Settings
from main import create_app
from models import Operator, OperatorRole, OperatorSession, Role
from models.base import utc_now
from models.database import Database
from tests.clock import Clock, stop
from tests.databases import statements
from tests.history.conftest import change_sets
from tests.pages import follow, get
from tests.personas import PASSWORD, add_operator, sign_in, visit

SESSIONS = "/admin/account/sessions"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return stop(monkeypatch, sessions, visits)


def enter(app: Starlette, username: str = "olga", password: str = PASSWORD) -> TestClient:
    """Sign in somebody who is an operator already, in a browser of their own."""
    client = visit(app, headers={"User-Agent": FIREFOX}, client=("192.0.2.1", 50000))
    client.post("/admin/login", data={"username": username, "password": password})
    return client


def is_in(client: TestClient) -> bool:
    return client.get("/admin/account").status_code == 200


def stored(database: Database) -> list[OperatorSession]:
    return database.read(lambda session: list(session.scalars(select(OperatorSession))))


# The page


def test_the_page_lists_the_sessions_of_one_s_own(
    app: Starlette, olga: TestClient, vera: TestClient
) -> None:
    enter(app)
    rows = get(olga, SESSIONS).table[:2]
    assert [(row[0], row[1], row[4]) for row in rows] == [
        ("Unknown browser", "testclient", "This one"),
        ("Firefox, Linux", "192.0.2.1", "End Firefox, Linux, 192.0.2.1"),
    ]
    assert len(get(vera, SESSIONS).root.find("form", action=SESSIONS)[0].find("tr")) == 2


def test_one_of_them_can_be_ended(app: Starlette, olga: TestClient) -> None:
    first, second = enter(app), enter(app)
    (button, *_) = get(olga, SESSIONS).root.find("button", name="end")
    answer = olga.post(SESSIONS, data={"end": button.attributes["value"], "_operation": "1"})
    assert follow(olga, answer).alerts == ["1 session was ended."]
    assert [is_in(first), is_in(second), is_in(olga)].count(False) == 1
    assert is_in(olga)


def test_all_others_can_be_ended(app: Starlette, olga: TestClient, vera: TestClient) -> None:
    others = [enter(app), enter(app)]
    answer = olga.post(SESSIONS, data={"end": "others"})
    assert follow(olga, answer).alerts == ["2 sessions were ended."]
    assert [is_in(client) for client in (*others, olga, vera)] == [False, False, True, True]


def test_sent_twice_it_is_done_once(app: Starlette, olga: TestClient, database: Database) -> None:
    enter(app)
    sent = {"end": "others", "_operation": "key"}
    assert [olga.post(SESSIONS, data=sent).status_code for _ in range(2)] == [302, 302]
    assert sum("end session" in found.summary for found in change_sets(database)) == 1


@pytest.mark.parametrize("chosen", ["", "x", "others' "])
def test_no_session_of_somebody_else_can_be_ended(
    olga: TestClient, vera: TestClient, database: Database, chosen: str
) -> None:
    for mark in [chosen, *(found.token_hash[:16] for found in stored(database))]:
        vera.post(SESSIONS, data={"end": mark})
    assert is_in(olga)
    assert is_in(vera)


def test_a_get_ends_nothing(app: Starlette, olga: TestClient) -> None:
    other = enter(app)
    olga.get(f"{SESSIONS}?end=others")
    assert is_in(other)


def test_it_says_who_tried_to_sign_in(app: Starlette, vera: TestClient) -> None:
    enter(app, "vera", "wrong")
    recent = [tuple(row) for row in get(vera, SESSIONS).table[1:]]
    told = [(row[0], row[2], row[3]) for row in recent if len(row) == 4][1:]
    assert told == [
        ("Sign-in refused", "Firefox, Linux", "192.0.2.1"),
        ("Signed in", "Unknown browser", "testclient"),
    ]


def test_ends_of_sessions_and_sign_outs_are_in_the_history(
    app: Starlette, olga: TestClient
) -> None:
    enter(app).post("/admin/logout")
    enter(app)
    olga.post(SESSIONS, data={"end": "others"})
    table = get(olga, "/admin/history?action=sign-ins").table
    assert [row[0] for row in table] == [
        "Sessions ended",
        "Signed in (Firefox, Linux)",
        "Signed out (Firefox, Linux)",
        "Signed in (Firefox, Linux)",
        "Signed in",
    ]
    assert table[1][3] == "Form 192.0.2.1"


def test_only_owners_see_the_sign_ins_of_others(olga: TestClient, vera: TestClient) -> None:
    def whose(client: TestClient) -> set[str]:
        return {row[1] for row in get(client, "/admin/history?action=sign-ins").table}

    assert (whose(olga), whose(vera)) == ({"olga", "vera"}, {"vera"})


# Time


def test_a_session_ends_when_it_lies_idle(olga: TestClient, clock: Clock) -> None:
    clock.pass_(minutes=59)
    assert is_in(olga)
    clock.pass_(minutes=59)
    assert is_in(olga)
    clock.pass_(minutes=61)
    assert not is_in(olga)


def test_a_session_ends_after_half_a_day_of_work(olga: TestClient, clock: Clock) -> None:
    for _ in range(23):
        clock.pass_(minutes=30)
        assert is_in(olga)
    clock.pass_(minutes=30)
    assert not is_in(olga)


def test_settings_say_how_long(settings: Settings, database: Database, clock: Clock) -> None:
    changed = {**vars(settings), "session_idle_minutes": 5, "session_hours": 1}
    olga = sign_in(create_app(Settings(**changed), database), database, "olga")
    clock.pass_(minutes=6)
    assert not is_in(olga)
    assert stored(database)[0].expires_at < utc_now() + timedelta(hours=1)


def test_a_use_is_written_down_once_a_minute(
    olga: TestClient, database: Database, clock: Clock
) -> None:
    counts = []
    for seconds in (0, 30, 30, 30):
        clock.pass_(seconds=seconds)
        with statements(database) as seen:
            get(olga, "/admin/user/list")
        counts.append(sum("UPDATE operator_sessions" in sql for sql in seen))
    assert counts == [0, 0, 1, 0]
    assert stored(database)[0].used_at == clock.now - timedelta(seconds=30)


def test_a_use_leaves_no_trace_in_the_history(
    olga: TestClient, database: Database, clock: Clock
) -> None:
    before = len(change_sets(database))
    clock.pass_(minutes=2)
    get(olga, "/admin/user/list")
    assert len(change_sets(database)) == before


def test_a_use_that_can_not_be_written_down_fails_no_page(
    olga: TestClient, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_session: Session, _token_hash: str) -> None:
        raise OperationalError("UPDATE", {}, Exception("locked"))

    monkeypatch.setattr(visits, "note_use", fail)
    clock.pass_(seconds=USE_NOTED_EVERY.total_seconds())
    assert is_in(olga)


# What ends sessions


def change(database: Database, work: Callable[[Session, Operator], Any]) -> None:
    def found(session: Session) -> None:
        olga = session.scalars(select(Operator).where(Operator.username == "olga")).one()
        work(session, olga)

    database.recorded_by(JOURNAL).write(found)


def take_role(_session: Session, olga: Operator) -> None:
    olga.roles.remove(next(role for role in olga.roles if role.name == "Editor"))


def take_role_from_its_side(session: Session, olga: Operator) -> None:
    editor = session.scalars(select(Role).where(Role.name == "Editor")).one()
    editor.operators.remove(olga)


def take_link(session: Session, olga: Operator) -> None:
    for link in session.scalars(select(OperatorRole).where(OperatorRole.operator_id == olga.id)):
        session.delete(link)


def edit_role(rights: Any) -> Callable[[Session, Operator], None]:
    def work(session: Session, _olga: Operator) -> None:
        editor = session.scalars(select(Role).where(Role.name == "Editor")).one()
        editor.rights = rights

    return work


def delete_role(session: Session, _olga: Operator) -> None:
    session.delete(session.scalars(select(Role).where(Role.name == "Editor")).one())


def set_to(**values: Any) -> Callable[[Session, Operator], None]:
    def work(_session: Session, olga: Operator) -> None:
        for name, value in values.items():
            setattr(olga, name, value)

    return work


ENDS = {
    "a new password": set_to(password_hash="x"),
    "deactivation": set_to(is_active=False),
    "no superuser any more": set_to(is_superuser=False),
    "another second factor": set_to(totp_secret="other"),
    "no second factor any more": set_to(totp_secret=None),
    "a role less": take_role,
    "a role less, from its side": take_role_from_its_side,
    "a role less, by its link": take_link,
    "a role of less rights": edit_role({"user": {"may": ["list"]}}),
    "a role deleted": delete_role,
}


def widen_role(_session: Session, olga: Operator) -> None:
    olga.roles[0].rights = {**olga.roles[0].rights, "tag": {"may": ["list"]}}


def add_role(session: Session, olga: Operator) -> None:
    olga.roles.append(session.scalars(select(Role).where(Role.name == "Viewer")).one())


def upgrade_hash(session: Session, olga: Operator) -> None:
    keep_sessions(session)
    olga.password_hash = "x"


LEAVES = {
    "another e-mail": set_to(email="olga@example.org"),
    "a role more": add_role,
    "a role of more rights": widen_role,
    "the hash of the same password": upgrade_hash,
}


@pytest.fixture
def somebody(app: Starlette, database: Database) -> TestClient:
    """Sign in Olga, who has got a second factor since and is not the only owner."""
    add_operator(database, "owen", "Owner")
    olga = sign_in(app, database, "olga", "Editor", is_superuser=True)
    has_one = update(Operator).values(totp_secret="one")
    database.write(lambda session: session.execute(has_one))
    return olga


@pytest.mark.parametrize("how", ENDS)
def test_it_ends_all_sessions_of_the_operator(
    somebody: TestClient, vera: TestClient, database: Database, how: str
) -> None:
    """Whoever makes the change, and however: no page has to think of it."""
    copy = visit(somebody.app, cookies=dict(somebody.cookies))
    change(database, ENDS[how])
    assert [is_in(somebody), is_in(copy), is_in(vera)] == [False, False, True]
    assert len(stored(database)) == 1
    assert "end session" in change_sets(database)[-1].summary


@pytest.mark.parametrize("how", LEAVES)
def test_what_takes_nothing_away_ends_no_session(
    somebody: TestClient, database: Database, how: str
) -> None:
    change(database, LEAVES[how])
    assert is_in(somebody)


def test_deactivated_and_activated_again_one_has_to_sign_in(
    somebody: TestClient, database: Database
) -> None:
    add_operator(database, "sue", is_superuser=True)
    operators.disable_operator(database, "olga")
    operators.enable_operator(database, "olga")
    assert not is_in(somebody)


def test_a_new_password_of_one_s_own_leaves_the_session_where_it_was_set(
    app: Starlette, somebody: TestClient, database: Database
) -> None:
    (here,) = stored(database)
    other = enter(app)

    def work(_session: Session, olga: Operator) -> None:
        sessions.act_in(here.token_hash)
        olga.password_hash = "x"

    copy_context().run(change, database, work)
    assert (is_in(somebody), is_in(other)) == (True, False)


def test_a_request_acts_in_its_own_session(
    somebody: TestClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    acting: list[str] = []
    monkeypatch.setattr(backend, "act_in", acting.append)
    get(somebody, "/admin/account")
    assert acting == [found.token_hash for found in stored(database)]


def test_all_but_one_can_be_ended(app: Starlette, somebody: TestClient, database: Database) -> None:
    (here,) = stored(database)
    other = enter(app)
    change(database, lambda session, olga: end_sessions(session, olga.id, here.token_hash))
    assert (is_in(somebody), is_in(other)) == (True, False)


# Tokens


def test_a_sign_in_gets_a_token_of_its_own(app: Starlette, database: Database) -> None:
    """One that somebody else knows, or that was in use before, is worth nothing afterwards."""
    client = sign_in(app, database, "olga")
    copy = visit(app, cookies=dict(client.cookies))
    client.post("/admin/login", data={"username": "olga", "password": PASSWORD})
    assert (is_in(client), is_in(copy)) == (True, False)
    assert len(stored(database)) == 1


def test_a_renewed_session_leaves_copies_behind(
    app: Starlette, database: Database, olga: TestClient
) -> None:
    (here,) = stored(database)
    token = database.write(lambda session: renew_session(session, here.token_hash))
    assert token
    assert not is_in(olga)
    assert database.read(lambda session: sessions.find_signed_in(session, token)) is not None
    assert database.write(lambda session: renew_session(session, here.token_hash)) is None
