"""The second step of signing in: nobody gets past it, around it, or through it twice."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from httpx2 import Response
from sqlalchemy import select, update
from sqlalchemy.orm import Session
from starlette.applications import Starlette
from starlette.testclient import TestClient

from admin.auth.factors import Codes, codes
from admin.auth.factors.sealing import Sealer
from admin.auth.sessions import end_sessions
from admin.history import JOURNAL
from admin.settings import Settings
from main import create_app
from models import BackupCode, Change, Operator, OperatorSession
from models.base import utc_now
from models.database import Database
from tests.factors import (
    SECRET,
    STEP,
    add_app,
    add_codes,
    add_passkey,
    code_now,
    enter,
    is_signed_in,
)
from tests.pages import Page, get
from tests.personas import add_operator, visit
from tests.test_permissions import TABLE
from tests.test_sign_in import content

WRONG = "This code is wrong, or was used before."
# Where the database makes no difference.
one_database = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)


@pytest.fixture
def olga(database: Database, settings: Settings) -> Operator:
    """Add Olga, who has an authenticator app."""
    operator = add_operator(database, "olga", is_superuser=True)
    add_app(database, settings, "olga")
    return operator


@pytest.fixture
def half(app: Starlette, olga: Operator) -> TestClient:
    """Open a browser in which Olga's password was right."""
    client = visit(app)
    enter(client, "olga")
    return client


def send(client: TestClient, code: str, **more: str) -> Response:
    return client.post(STEP, data={"code": code, **more})


def the_session(database: Database) -> OperatorSession:
    return database.read(lambda session: session.scalars(select(OperatorSession)).one())


def events(database: Database) -> list[str]:
    stmt = select(Change.action).where(Change.table_name == "").order_by(Change.operation)
    return database.read(lambda session: sorted(session.scalars(stmt)))


def test_a_right_password_is_not_enough(app: Starlette, olga: Operator) -> None:
    client = visit(app)
    assert enter(client, "olga").headers["location"] == STEP
    assert not is_signed_in(client)
    assert get(client, STEP).heading == "Second step"


def test_a_code_opens_the_admin(half: TestClient) -> None:
    response = send(half, code_now())
    assert (response.status_code, response.headers["location"]) == (302, "/admin/")
    assert is_signed_in(half)


def test_who_has_no_factor_is_not_asked(app: Starlette, database: Database) -> None:
    add_operator(database, "vera", "Viewer")
    assert enter(visit(app), "vera").headers["location"] == "/admin/"


def test_it_leads_on_to_what_was_asked_for(app: Starlette, olga: Operator) -> None:
    client, target = visit(app), "/admin/user/list?page=2"
    step = enter(client, "olga", next=target).headers["location"]
    fields = get(client, step).fields()
    assert fields["next"] == target
    assert client.post(STEP, data={**fields, "code": code_now()}).headers["location"] == target


def test_it_leads_to_no_other_site(half: TestClient) -> None:
    response = send(half, code_now(), next="https://mallory.example")
    assert response.headers["location"] == "/admin/"


@one_database
@pytest.mark.parametrize("code", ["", "000000", "abc", "12345", "1234567", "\0", "x" * 5000, "١٢"])
def test_another_code_is_refused_at_its_field(half: TestClient, code: str) -> None:
    response = send(half, code)
    assert response.status_code == 400
    assert Page(response).error("code") == WRONG
    assert not is_signed_in(half)


@one_database
@pytest.mark.parametrize("shape", ["{0} {1}", " {0}-{1} ", "{0}\u00a0{1}"])
def test_blanks_and_dashes_in_a_code_do_not_matter(half: TestClient, shape: str) -> None:
    code = code_now()
    assert send(half, shape.format(code[:3], code[3:])).status_code == 302


@one_database
def test_digits_of_another_keyboard_are_digits(half: TestClient) -> None:
    arabic = code_now().translate({48 + digit: 0x660 + digit for digit in range(10)})
    assert send(half, arabic).status_code == 302


@one_database
@pytest.mark.parametrize(("later", "status"), [(-2, 400), (-1, 302), (0, 302), (1, 302), (2, 400)])
def test_clocks_may_differ_by_a_step(
    half: TestClient, monkeypatch: pytest.MonkeyPatch, later: int, status: int
) -> None:
    now = utc_now().replace(second=15)
    monkeypatch.setattr(codes, "utc_now", lambda: now)
    monkeypatch.setattr("tests.factors.utc_now", lambda: now)
    assert send(half, code_now(later=later)).status_code == status


def test_a_code_works_once(app: Starlette, half: TestClient) -> None:
    code = code_now(later=1)
    assert send(half, code).status_code == 302
    again = visit(app)
    enter(again, "olga")
    assert send(again, code).status_code == 400
    assert send(again, code_now()).status_code == 400
    assert not is_signed_in(again)


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_of_the_same_code_sent_at_once_one_wins(
    real_database: Database, real_settings: Settings
) -> None:
    operator = add_operator(real_database, "olga")
    add_app(real_database, real_settings, "olga")
    known, code = Codes(real_settings.secret_keys), code_now()

    def verify(_number: int) -> bool:
        return real_database.write(lambda session: known.verify(session, operator.id, code))

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(verify, range(4))) == [False, False, False, True]


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_even_without_the_lock_one_wins(real_database: Database, real_settings: Settings) -> None:
    """Two that both read the operator before either of them wrote."""
    operator = add_operator(real_database, "olga")
    add_app(real_database, real_settings, "olga")
    known, code = Codes(real_settings.secret_keys), code_now()
    with real_database.sessions() as first, real_database.sessions() as second:
        read = [session.get_one(Operator, operator.id) for session in (first, second)]
        assert known.use_app(first, read[0], code)
        first.commit()
        assert not known.use_app(second, read[1], code)


def test_a_backup_code_works_once(
    app: Starlette, half: TestClient, olga: Operator, database: Database
) -> None:
    code, *others = add_codes(database, olga)
    assert send(half, code.upper()).status_code == 302
    again = visit(app)
    enter(again, "olga")
    assert send(again, code).status_code == 400
    assert send(again, others[0]).status_code == 302


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_of_the_same_backup_code_sent_at_once_one_wins(
    real_database: Database, real_settings: Settings
) -> None:
    operator = add_operator(real_database, "olga")
    code, *_ = add_codes(real_database, operator)
    known = Codes(real_settings.secret_keys)

    def verify(_number: int) -> bool:
        return real_database.write(lambda session: known.verify(session, operator.id, code))

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(verify, range(4))) == [False, False, False, True]


def test_the_backup_code_of_somebody_else_is_none(half: TestClient, database: Database) -> None:
    vera = add_operator(database, "vera")
    assert send(half, add_codes(database, vera)[0]).status_code == 400


def test_backup_codes_are_stored_as_hashes(olga: Operator, database: Database) -> None:
    made = [code.replace(" ", "") for code in add_codes(database, olga)]
    stored = database.read(lambda session: session.scalars(select(BackupCode.code_hash)).all())
    assert len(set(stored)) == len(set(made)) == 10
    assert not set(stored) & set(made)


def test_codes_can_not_be_guessed_for_long(half: TestClient, app: Starlette) -> None:
    for _ in range(5):
        assert send(half, "000000").status_code == 400
    refused = send(half, code_now())
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) > 0


def test_neither_a_right_password_nor_another_address_forgets_wrong_codes(
    half: TestClient, app: Starlette
) -> None:
    for number in range(5):
        client = visit(app, client=(f"192.0.2.{number}", 50000))
        enter(client, "olga")
        send(client, "000000")
    client = visit(app, client=("192.0.2.99", 50000))
    assert enter(client, "olga").status_code == 302
    assert send(client, code_now()).status_code == 429


def test_a_right_code_forgets_wrong_ones(half: TestClient, app: Starlette) -> None:
    for _ in range(4):
        send(half, "000000")
    assert send(half, code_now()).status_code == 302
    enter(half, "olga")
    assert send(half, "000000").status_code == 400


def test_codes_sent_at_once_are_counted(real_database: Database, real_settings: Settings) -> None:
    operator = add_operator(real_database, "olga")
    known = Codes(real_settings.secret_keys)

    def guess(_number: int) -> str:
        try:
            real_database.write(lambda session: known.verify(session, operator.id, "000000"))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is compared
            return str(getattr(error, "status_code", error))
        return "wrong"

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(guess, range(12))) == ["429"] * 7 + ["wrong"] * 5


def test_a_half_open_session_ends_after_ten_minutes(half: TestClient, database: Database) -> None:
    left = the_session(database).expires_at - utc_now()
    assert timedelta(minutes=9) < left <= timedelta(minutes=10)
    past = update(OperatorSession).values(expires_at=utc_now())
    database.write(lambda session: session.execute(past))
    response = send(half, code_now(), next="/admin/user/list")
    assert response.headers["location"] == "/admin/login?next=%2Fadmin%2Fuser%2Flist"
    assert Page(half.get("/admin/login")).alerts == [
        "This took too long. Enter your username and password again."
    ]
    assert not is_signed_in(half)


@pytest.mark.parametrize("change", [{"is_active": False}, {"totp_secret": None}], ids=str)
def test_what_changed_meanwhile_counts(
    half: TestClient, database: Database, change: dict[str, object]
) -> None:
    database.write(lambda session: session.execute(update(Operator).values(**change)))
    assert send(half, code_now()).status_code in (302, 400)
    assert not is_signed_in(half)


@one_database
@pytest.mark.parametrize(
    ("method", "path"),
    [at for at in TABLE if TABLE[at][2] == 302 and "{" not in at[1] and at[1] != STEP],
)
def test_no_address_leads_around_it(half: TestClient, method: str, path: str) -> None:
    """Every route answers as if nobody were signed in."""
    response = half.request(method, path)
    assert response.status_code in (302, 401)
    if method == "GET" and path.startswith("/admin/"):
        assert response.headers["location"].startswith("/admin/login")


def test_a_session_that_ends_while_a_code_is_checked_lets_nobody_in(
    half: TestClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    verify = Codes.verify

    def verify_slowly(known: Codes, session: Session, operator_id: int, code: str) -> bool:
        end_sessions(session, operator_id)
        return verify(known, session, operator_id, code)

    monkeypatch.setattr(Codes, "verify", verify_slowly)
    assert send(half, code_now()).status_code == 400
    assert not is_signed_in(half)


def test_the_token_is_a_new_one(half: TestClient, app: Starlette, database: Database) -> None:
    old = half.cookies["admin"]
    send(half, code_now())
    assert content(old)["token"] != content(half.cookies["admin"])["token"]
    assert not is_signed_in(visit(app, cookies={"admin": old}))
    assert not the_session(database).awaits_factor


def test_signing_in_again_ends_a_half_open_session(half: TestClient, database: Database) -> None:
    first = the_session(database).token_hash
    enter(half, "olga")
    assert the_session(database).token_hash != first


def test_signing_out_ends_a_half_open_session(half: TestClient, database: Database) -> None:
    half.post("/admin/logout")
    assert database.read(lambda s: s.scalars(select(OperatorSession)).all()) == []


def test_it_is_no_sign_in_before_it_is_done(half: TestClient, database: Database) -> None:
    seen = select(Operator.last_sign_in_at)
    assert database.read(lambda session: session.scalar(seen)) is None
    send(half, code_now())
    assert database.read(lambda session: session.scalar(seen)) is not None


def test_the_history_tells_of_wrong_codes_and_used_ones(
    settings: Settings, database: Database
) -> None:
    recorded = database.recorded_by(JOURNAL)
    client = visit(create_app(settings, recorded))
    operator = add_operator(recorded, "olga")
    code, *_ = add_codes(recorded, operator)
    add_passkey(recorded, operator)
    enter(client, "olga")
    send(client, "000000")
    send(client, code)
    assert events(database) == ["refuse second factor", "sign in", "use backup code"]


def test_secrets_are_stored_sealed(olga: Operator, database: Database) -> None:
    stored = database.read(lambda session: session.get_one(Operator, olga.id)).totp_secret
    assert stored is not None
    assert SECRET not in stored
    assert len(stored) <= 255


@one_database
def test_a_secret_opens_for_its_operator_alone(settings: Settings) -> None:
    sealer = Sealer(settings.secret_keys)
    sealed = sealer.seal(1, SECRET)
    assert sealer.open(1, sealed) == SECRET
    assert sealer.open(2, sealed) is None
    assert Sealer(("another secret",)).open(1, sealed) is None
    assert sealer.open(1, "nonsense") is None


def test_a_new_secret_key_keeps_old_secrets_and_seals_them_anew(
    olga: Operator, settings: Settings, database: Database
) -> None:
    rotated = Codes(("the new one", *settings.secret_keys))
    assert database.write(lambda session: rotated.verify(session, olga.id, code_now()))
    stored = database.read(lambda session: session.get_one(Operator, olga.id)).totp_secret
    assert Sealer(("the new one",)).open(olga.id, stored or "") == SECRET


def test_without_its_key_no_code_works(olga: Operator, database: Database) -> None:
    lost = Codes(("the new one",))
    assert not database.write(lambda session: lost.verify(session, olga.id, code_now()))
