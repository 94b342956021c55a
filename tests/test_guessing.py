"""Guessing passwords: it gets slow soon, for the guesser more than for anyone else."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from httpx2 import Response
from sqlalchemy import func, select, update
from starlette.applications import Starlette
from starlette.testclient import TestClient

from admin import auth
from admin.auth import (
    GUESSING_WINDOW,
    MOST_FAILURES_HERE,
    MOST_FAILURES_OF_ADDRESS,
    MOST_FAILURES_OF_USERNAME,
    MOST_HASHES_AT_ONCE,
)
from admin.settings import Settings
from main import create_app
from models import SignInFailure
from models.base import utc_now
from models.database import Database
from tests.personas import PASSWORD, add_operator, visit

Enter = Callable[..., Response]


@pytest.fixture
def enter(app: Starlette, database: Database) -> Enter:
    """Try to sign in as Olga, or another, from an address."""
    add_operator(database, "olga")
    add_operator(database, "vera")

    def from_address(username: str, password: str, address: str = "192.0.2.1") -> Response:
        return post(visit(app, client=(address, 50000)), username, password)

    return from_address


@pytest.fixture(autouse=True)
def _quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth, "verify_password", lambda _hash, password: password == PASSWORD)


def post(client: TestClient, username: str, password: str) -> Response:
    return client.post("/admin/login", data={"username": username, "password": password})


def guess(enter: Enter, times: int, username: str = "olga", address: str = "192.0.2.1") -> None:
    for number in range(times):
        name = username.format(number)
        assert enter(name, "wrong", address.format(number)).status_code == 400


def age(database: Database, by: timedelta) -> None:
    database.write(
        lambda session: session.execute(update(SignInFailure).values(created_at=utc_now() - by))
    )


def count(database: Database) -> int:
    stmt = select(func.count()).select_from(SignInFailure)
    return database.read(lambda session: session.scalar(stmt)) or 0


def test_after_five_failures_even_the_right_password_waits(enter: Enter) -> None:
    guess(enter, MOST_FAILURES_HERE)
    response = enter("olga", PASSWORD)
    assert response.status_code == 429
    assert response.headers["retry-after"] == "900"
    assert "Too many attempts" in response.text


def test_the_fifth_attempt_may_still_be_right(enter: Enter) -> None:
    guess(enter, MOST_FAILURES_HERE - 1)
    assert enter("olga", PASSWORD).status_code == 302


def test_the_operator_may_still_sign_in_from_elsewhere(enter: Enter) -> None:
    guess(enter, MOST_FAILURES_HERE)
    assert enter("olga", PASSWORD, "192.0.2.2").status_code == 302


def test_others_at_the_same_address_may_still_sign_in(enter: Enter) -> None:
    guess(enter, MOST_FAILURES_HERE)
    assert enter("vera", PASSWORD).status_code == 302


def test_another_spelling_of_the_name_is_the_same_name(enter: Enter) -> None:
    guess(enter, MOST_FAILURES_HERE)
    assert enter("ＯＬＧＡ ", "wrong").status_code == 429


def test_an_address_has_twenty_failures_whatever_the_names(enter: Enter) -> None:
    guess(enter, MOST_FAILURES_OF_ADDRESS, username="name{}")
    assert enter("vera", PASSWORD).status_code == 429
    assert enter("vera", PASSWORD, "192.0.2.2").status_code == 302


def test_a_name_has_a_hundred_failures_whatever_the_addresses(
    enter: Enter, database: Database
) -> None:
    spread = [
        SignInFailure(username="olga", address=f"2001:db8::{number}")
        for number in range(MOST_FAILURES_OF_USERNAME)
    ]
    database.write(lambda session: session.add_all(spread))
    assert enter("olga", PASSWORD).status_code == 429


def test_success_forgets_the_failures(enter: Enter, database: Database) -> None:
    guess(enter, MOST_FAILURES_HERE - 1)
    enter("olga", PASSWORD)
    assert count(database) == 0
    guess(enter, MOST_FAILURES_HERE)


def test_success_forgets_no_failures_of_another_address(enter: Enter, database: Database) -> None:
    guess(enter, 3, address="192.0.2.2")
    enter("olga", PASSWORD)
    assert count(database) == 3


def test_the_wait_ends(enter: Enter, database: Database) -> None:
    guess(enter, MOST_FAILURES_HERE)
    age(database, GUESSING_WINDOW - timedelta(seconds=30))
    assert enter("olga", PASSWORD).status_code == 429
    age(database, GUESSING_WINDOW)
    assert enter("olga", PASSWORD).status_code == 302


def test_attempts_while_waiting_do_not_prolong_it(enter: Enter, database: Database) -> None:
    guess(enter, MOST_FAILURES_HERE)
    enter("olga", "wrong")
    assert count(database) == MOST_FAILURES_HERE


def test_old_failures_are_removed(enter: Enter, database: Database) -> None:
    guess(enter, 3, username="name{}")
    age(database, GUESSING_WINDOW)
    guess(enter, 1)
    assert count(database) == 1


def test_guesses_sent_all_at_once_are_counted(
    real_database: Database, real_settings: Settings
) -> None:
    """Those that are counted at the same moment can't see each other: as many as may run."""
    add_operator(real_database, "olga")
    with visit(create_app(real_settings, real_database)) as client, ThreadPoolExecutor(20) as pool:
        answers = [pool.submit(post, client, "olga", "wrong") for _ in range(20)]
        refused = [answer.result().status_code for answer in answers].count(429)
    most = MOST_FAILURES_HERE + MOST_HASHES_AT_ONCE - 1
    assert 20 - most <= refused <= 20 - MOST_FAILURES_HERE
    assert MOST_FAILURES_HERE <= count(real_database) <= most
