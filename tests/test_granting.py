"""Escalation: nobody gives what they lack, or serves themselves, whichever way they try."""

from collections.abc import Callable
from datetime import timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response
from starlette.testclient import TestClient

from admin.account.factors import new_codes
from admin.auth.access import Access
from admin.auth.effects import agreed
from admin.auth.factors import reset_factors
from admin.auth.guessing import unlock
from admin.auth.links import make_link
from admin.auth.operators import change_password, find_roles
from admin.auth.sessions import end_sessions
from admin.history import JOURNAL
from admin.kit import AdminSite, Refused
from admin.kit.history import current_origin, origin, recorded_delete, recorded_update, undo
from admin.settings import Settings
from main import create_app
from models import ChangeSet, Operator, OperatorRole, OperatorSession, Passkey, Role, User
from models.base import utc_now
from models.database import Database
from tests.factors import add_passkey
from tests.personas import add_operator, visit

# May do what is needed to edit roles and operators, and otherwise only look at posts.
CLERK: dict[str, dict[str, Any]] = {
    "role": {"may": ["create", "edit", "delete"]},
    "operator": {"may": ["create", "edit", "delete"]},
    "post": {"may": ["details"], "scope": "published", "hidden": ["content"]},
}


@pytest.fixture
def database(database: Database) -> Database:
    return database.recorded_by(JOURNAL)


@pytest.fixture
def clerk(database: Database) -> Operator:
    """Add Cleo, who edits roles and operators, beside Olga, who may do everything."""
    add_operator(database, "olga", is_superuser=True)
    add_role(database, "Clerk", CLERK)
    return add_operator(database, "cleo", "Clerk")


def add_role(database: Database, name: str, rights: dict[str, Any]) -> Role:
    role = Role(name=name, rights=rights)
    database.write(lambda session: session.add(role))
    return role


def role(session: Session, name: str) -> Role:
    return session.scalars(select(Role).where(Role.name == name)).one()


def operator(session: Session, name: str) -> Operator:
    return session.scalars(select(Operator).where(Operator.username == name)).one()


def refused(
    database: Database, actor: Operator, work: Callable[[Session], Any], source: str = "form"
) -> str:
    """Return the sentence by which work in somebody's name is refused; "" if it is done."""
    access = database.read(Access.read)
    try:
        with origin(operator_id=actor.id, operator_name=actor.username, source=source):
            database.write(work)
    except Refused as refusal:
        assert database.read(Access.read) == access
        return refusal.sentence
    return ""


def give(name: str, *roles: str) -> Callable[[Session], None]:
    def work(session: Session) -> None:
        operator(session, name).roles = find_roles(session, roles)

    return work


def change(model: type, name: str, **values: Any) -> Callable[[Session], None]:
    def work(session: Session) -> None:
        found = role(session, name) if model is Role else operator(session, name)
        for key, value in values.items():
            setattr(found, key, value)

    return work


def set_based(model: type, **values: Any) -> Callable[[Session], Any]:
    return lambda session: recorded_update(session, model, model.id > 0, values)  # type: ignore[attr-defined]


def add(**values: Any) -> Callable[[Session], None]:
    return lambda session: session.add(Operator(password_hash="!", **values))


def rights(**more: Any) -> dict[str, Any]:
    return {"post": {**CLERK["post"], **more}}


BEYOND = [
    give("vera", "Owner"),
    give("vera", "Editor"),
    lambda session: session.add(OperatorRole(operator_id=operator(session, "vera").id, role_id=1)),
    lambda session: session.add(Role(name="New", rights={"*": {"may": ["*"]}})),
    lambda session: session.add(Role(name="New", rights={"post": {"may": ["*"]}})),
    lambda session: session.add(Role(name="New", rights=rights(may=["edit"]))),
    lambda session: session.add(Role(name="New", rights=rights(scope=""))),
    lambda session: session.add(Role(name="New", rights=rights(scope="mine"))),
    lambda session: session.add(Role(name="New", rights=rights(hidden=[]))),
    change(Role, "Empty", rights={"user": {"may": ["list"]}}),
    change(Role, "Empty", rights={"post": {"may": ["list"]}}),
    change(Role, "Editor", rights={"*": {"may": ["*"]}}),
    set_based(Role, rights={"*": {"may": ["*"]}}),
    change(Operator, "vera", is_superuser=True),
    add(username="zoe", is_superuser=True),
    set_based(Operator, is_superuser=True),
    change(Operator, "vera", password_hash="hers no more"),
    change(Operator, "olga", email="mine@example.org"),
    change(Operator, "olga", is_superuser=False),
    change(Operator, "olga", is_active=False),
    change(Operator, "gone", is_active=True),
    lambda session: session.delete(operator(session, "olga")),
]
OWN = [
    give("cleo"),
    give("cleo", "Clerk", "Empty"),
    give("cleo", "Clerk", "Owner"),
    change(Operator, "cleo", is_superuser=True),
    change(Operator, "cleo", is_active=False),
    lambda session: session.delete(operator(session, "cleo")),
    change(Role, "Clerk", rights={**CLERK, "post": {"may": ["edit"]}}),
    change(Role, "Clerk", rights={}),
    change(Role, "Clerk", requires_second_factor=True),
    lambda session: session.delete(role(session, "Clerk")),
    lambda session: recorded_delete(session, Role, Role.name == "Clerk"),
]


Touch = Callable[[Session, Operator], object]


def passkey_of(session: Session, other: Operator) -> Passkey:
    return session.scalars(select(Passkey).where(Passkey.operator_id == other.id)).one()


def session_of(other: Operator) -> OperatorSession:
    later = utc_now() + timedelta(hours=1)
    return OperatorSession(token_hash=str(other.id), operator_id=other.id, expires_at=later)


def more_keys(session: Session, other: Operator) -> None:
    session.add(Passkey(operator_id=other.id, name="Mine", credential_id="x", public_key="y"))


def rename_key(session: Session, other: Operator) -> None:
    passkey_of(session, other).name = "Mine"


def other_app(_session: Session, other: Operator) -> None:
    other.totp_secret = "mine"


TOUCHES: list[Touch] = [
    make_link,
    lambda session, other: change_password(session, other, "hers no more"),
    lambda session, other: reset_factors(session, other.id),
    lambda session, other: unlock(session, other.username),
    lambda session, other: end_sessions(session, other.id),
    new_codes,  # type: ignore[list-item]
    other_app,
    lambda session, other: session.delete(passkey_of(session, other)),
    more_keys,
    rename_key,
]


@pytest.fixture
def others(database: Database, clerk: Operator) -> None:
    add_role(database, "Empty", {})
    add_operator(database, "vera", "Viewer")
    add_operator(database, "gone", "Owner", is_active=False)


@pytest.mark.usefixtures("others")
@pytest.mark.parametrize("source", ["form", "cell", "action", "undo", "restore", "import"])
def test_no_source_of_changes_is_exempt(database: Database, clerk: Operator, source: str) -> None:
    assert refused(database, clerk, change(Operator, "vera", is_superuser=True), source)


@pytest.mark.usefixtures("others")
@pytest.mark.parametrize("work", BEYOND)
def test_nobody_gives_what_they_lack(
    database: Database, clerk: Operator, work: Callable[[Session], Any]
) -> None:
    assert refused(database, clerk, work)


@pytest.mark.usefixtures("others")
@pytest.mark.parametrize("work", OWN)
def test_nobody_serves_themselves(
    database: Database, clerk: Operator, work: Callable[[Session], Any]
) -> None:
    assert "yourself" in refused(database, clerk, work)


@pytest.mark.usefixtures("others")
@pytest.mark.parametrize(
    "work",
    [
        lambda session: session.add(Role(name="New", rights=rights())),
        lambda session: session.add(Role(name="New", rights=rights(may=["list"]))),
        lambda session: session.add(Role(name="New", rights=rights(hidden=["content", "id"]))),
        change(Role, "Empty", rights=rights()),
        change(Role, "Editor", rights={"post": {"may": ["edit"]}}),
        change(Role, "Editor", description="Edits."),
        change(Operator, "cleo", password_hash="new", email="cleo@example.org"),
        add(username="zoe"),
    ],
)
def test_what_one_has_may_be_given(
    database: Database, clerk: Operator, work: Callable[[Session], Any]
) -> None:
    assert refused(database, clerk, work) == ""


def test_the_sentence_says_what_is_missing(database: Database, clerk: Operator) -> None:
    new = Role(name="New", rights={"post": {"may": ["edit"], "scope": "published"}})
    said = refused(database, clerk, lambda session: session.add(new))
    assert "Edit on “post”" in said
    assert "column: content" in said


def test_nobody_eases_a_role_that_may_do_more(database: Database, clerk: Operator) -> None:
    for name, may in (("Guarded", "edit"), ("Small", "details")):
        said = {**CLERK["post"], "may": [may]}
        add_role(database, name, {"post": said})
        assert not refused(database, clerk, change(Role, name, requires_second_factor=True))
    assert refused(database, clerk, change(Role, "Guarded", requires_second_factor=False))
    assert not refused(database, clerk, change(Role, "Guarded", description="Strict"))
    assert not refused(database, clerk, change(Role, "Small", requires_second_factor=False))


@pytest.mark.usefixtures("others")
def test_a_crowd_hides_nothing(database: Database, clerk: Operator) -> None:
    """Of many changes, most are sent to the database before the guard looks."""

    def work(session: Session) -> None:
        change(Operator, "vera", is_superuser=True)(session)
        session.flush()
        session.add_all([User(name=f"User {n}", email=f"{n}@example.org") for n in range(1100)])

    assert "Only a superuser" in refused(database, clerk, work)


def test_what_a_stranger_asks_for_is_no_command(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    show = AdminSite.login

    async def login(site: AdminSite, request: Request) -> Response:
        seen.append(current_origin().source)
        return await show(site, request)

    monkeypatch.setattr(AdminSite, "login", login)
    visit(create_app(settings, database)).get("/admin/login")
    assert seen == ["form"]


@pytest.fixture
def touched(database: Database, clerk: Operator) -> Callable[[str, Touch], str]:
    """Return what does something to an account in Cleo's name, and says how it is refused."""

    def touch(name: str, work: Touch) -> str:
        other = add_operator(database, name, *(["Viewer"] if name == "vera" else []))
        add_passkey(database, other)
        database.write(lambda session: session.add(session_of(other)))
        return refused(database, clerk, lambda s: work(s, s.get_one(Operator, other.id)))

    return touch


@pytest.mark.parametrize("work", TOUCHES)
def test_no_account_of_who_may_do_more_is_a_way_in(
    touched: Callable[[str, Touch], str], work: Touch
) -> None:
    assert touched("vera", work).startswith("vera may do what you may not")


def test_nobody_makes_another_s_passkey_their_own(touched: Callable[[str, Touch], str]) -> None:
    def take(session: Session, other: Operator) -> None:
        passkey_of(session, other).operator_id = operator(session, "cleo").id

    assert touched("vera", take).startswith("vera may do what you may not")


@pytest.mark.parametrize("work", TOUCHES)
def test_accounts_of_who_may_do_no_more_are_looked_after(
    touched: Callable[[str, Touch], str], work: Touch
) -> None:
    assert touched("zoe", work) == ""


@pytest.mark.parametrize("work", TOUCHES)
def test_nobody_but_superusers_touches_one(database: Database, work: Touch) -> None:
    """Else an owner would become one by signing in as one."""
    boss, owner = add_operator(database, "boss", is_superuser=True), add_operator(database, "o")
    database.write(give("o", "Owner"))
    add_passkey(database, boss)
    database.write(lambda session: session.add(session_of(boss)))
    said = refused(database, owner, lambda s: work(s, s.get_one(Operator, boss.id)))
    assert said == "boss is a superuser, so only a superuser can do this."


def test_a_superuser_serves_others_but_not_themselves(database: Database, clerk: Operator) -> None:
    olga = database.read(lambda session: operator(session, "olga"))
    assert refused(database, olga, give("cleo", "Owner")) == ""
    assert refused(database, olga, change(Operator, "cleo", is_superuser=True)) == ""
    assert "yourself" in refused(database, olga, give("olga", "Owner"))
    assert "yourself" in refused(database, olga, change(Operator, "olga", is_superuser=False))


def test_an_owner_makes_no_superuser(database: Database, clerk: Operator) -> None:
    owner = add_operator(database, "otto", "Owner")
    assert "superuser" in refused(database, owner, change(Operator, "cleo", is_superuser=True))
    assert refused(database, owner, give("cleo", "Owner")) == ""


@pytest.mark.usefixtures("others")
def test_an_undo_brings_back_no_right_that_one_lacks(database: Database, clerk: Operator) -> None:
    database.write(give("vera"))
    done = database.read(newest)
    assert refused(database, clerk, lambda s: undo(JOURNAL, s, done), "undo")


@pytest.mark.usefixtures("others")
def test_a_restored_role_gives_what_it_gave(database: Database, clerk: Operator) -> None:
    database.write(lambda session: session.delete(role(session, "Editor")))
    done = database.read(newest)
    assert refused(database, clerk, lambda s: undo(JOURNAL, s, done), "restore")


def newest(session: Session) -> Any:
    return session.scalars(select(ChangeSet.operation).order_by(ChangeSet.id.desc())).first()


def test_a_demotion_counts_from_the_moment_it_is_stored(
    database: Database, clerk: Operator
) -> None:
    """The rights are those of the transaction, not those of the request that began earlier."""
    database.write(change(Role, "Clerk", rights={}))
    new = Role(name="New", rights=rights())
    assert refused(database, clerk, lambda session: session.add(new))


def test_nobody_in_particular_gives_nothing(database: Database, clerk: Operator) -> None:
    nobody = Operator(id=None, username="")
    assert refused(database, nobody, give("cleo", "Clerk", "Viewer"))
    assert refused(database, nobody, change(Operator, "cleo", password_hash="new")) == ""


# The last owner


@pytest.fixture
def last(database: Database) -> Operator:
    """Add Otto, the only owner, and Rita, who may do as much but not sign in."""
    add_operator(database, "rita", is_superuser=True, is_active=False)
    return add_operator(database, "otto", "Owner")


@pytest.mark.parametrize(
    "work",
    [
        change(Operator, "otto", is_active=False),
        lambda session: session.delete(operator(session, "otto")),
        lambda session: recorded_delete(session, Operator, Operator.username == "otto"),
        set_based(Operator, is_active=False),
    ],
)
def test_the_last_owner_stays(
    database: Database, last: Operator, work: Callable[[Session], Any]
) -> None:
    assert "Nobody would be left" in refused(database, last, work)


@pytest.mark.parametrize(
    "work",
    [
        give("otto"),
        change(Role, "Owner", rights={"*": {"may": ["list"]}}),
        change(Role, "Owner", rights={"*": {"may": ["*"], "scope": "mine"}}),
        change(Role, "Owner", rights={"*": {"may": ["*"], "hidden": ["email"]}}),
        lambda session: session.delete(role(session, "Owner")),
        lambda session: recorded_delete(session, Role, Role.name == "Owner"),
    ],
)
def test_the_last_owner_is_not_demoted(
    database: Database, last: Operator, work: Callable[[Session], Any]
) -> None:
    """Not even by a superuser whose account has been disabled since."""
    rita = database.read(lambda session: operator(session, "rita"))
    assert "Nobody would be left" in refused(database, rita, work)


def test_commands_give_what_they_like_but_keep_the_last_owner(
    database: Database, last: Operator
) -> None:
    add_operator(database, "vera")
    nobody = Operator(id=None, username="")
    assert refused(database, nobody, give("otto"), "command").startswith("Nobody would be left")
    assert refused(database, nobody, give("vera", "Owner"), "command") == ""
    assert refused(database, nobody, give("otto"), "command") == ""


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_two_owners_do_not_remove_each_other(real_database: Database) -> None:
    """Both requests begin while there are two owners; the second one waits, then looks."""
    database = real_database.recorded_by(JOURNAL)
    ann, bob = (add_operator(database, name, "Owner") for name in ("ann", "bob"))
    barrier, said = Barrier(2, timeout=20), []

    def disable(actor: Operator, other: Operator) -> None:
        is_first = True

        def work(session: Session) -> None:
            nonlocal is_first
            session.get_one(Operator, other.id).is_active = False
            session.flush()
            if is_first:
                is_first = False
                barrier.wait()

        said.append(refused_once(database, actor, work))

    threads = [Thread(target=disable, args=pair) for pair in ((ann, bob), (bob, ann))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(map(bool, said)) == [False, True]
    assert len(database.read(Access.read).owners()) == 1


def refused_once(database: Database, actor: Operator, work: Callable[[Session], Any]) -> str:
    try:
        with origin(operator_id=actor.id, operator_name=actor.username, source="form"):
            database.write(work)
    except Refused as refusal:
        return refusal.sentence
    return ""


def test_what_was_agreed_to_is_what_is_stored(database: Database, clerk: Operator) -> None:
    """Between the page that says who gains what and the change, nobody comes in unseen."""
    add_role(database, "Empty", {})
    token = agreed.set("another mark")
    try:
        said = refused(database, clerk, change(Role, "Empty", rights=rights()))
    finally:
        agreed.reset(token)
    assert said.startswith("Others changed who may do what meanwhile")


def test_whoever_changes_is_looked_at_no_more(database: Database, clerk: Operator) -> None:
    """Who looks on with another's rights stops when these change."""
    olga = database.read(lambda session: operator(session, "olga"))
    looking = OperatorSession(
        token_hash="0" * 64, operator_id=olga.id, viewing_as_id=clerk.id, expires_at=utc_now()
    )
    database.write(lambda session: session.add(looking))
    database.write(give("cleo", "Owner"))
    stmt = select(OperatorSession.viewing_as_id)
    assert database.read(lambda session: session.scalars(stmt).all()) == [None]


def test_what_changes_no_row_is_no_grant(olga: TestClient) -> None:
    """A file of all operators is told in the history under their table."""
    assert olga.get("/admin/operator/export/csv").status_code == 200
