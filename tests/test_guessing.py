"""Guessing passwords: it gets slow soon, for the guesser more than for anyone else."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import pytest
from httpx2 import Response
from sqlalchemy import event, func, select, update
from starlette.applications import Starlette
from starlette.testclient import TestClient

from admin.auth import guessing, signing_in
from admin.auth.guessing import ACCOUNT, ADDRESS, FORGOTTEN_AFTER
from admin.auth.visitors import device_words, network_of
from admin.history import JOURNAL
from admin.settings import Settings
from main import create_app
from models import Operator, SignInCounter
from models.base import utc_now
from models.database import Database
from models.operator import UNUSABLE
from tests.clock import Clock, stop
from tests.history.conftest import change_sets
from tests.pages import Page
from tests.personas import PASSWORD, add_operator, visit

Enter = Callable[..., Response]
WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
BROWSERS = {
    f"Mozilla/5.0 (Windows NT 10.0) {WEBKIT} Chrome/140 Safari/537.36 Edg/140": "Edge, Windows",
    f"Mozilla/5.0 (Macintosh; Intel Mac OS X) {WEBKIT} Version/18 Safari/605": "Safari, macOS",
    f"Mozilla/5.0 (Linux; Android 14) {WEBKIT} Chrome/140 Safari/537": "Chrome, Android",
    f"Mozilla/5.0 (iPhone; like Mac OS X) {WEBKIT} FxiOS/143 Safari/605": "Firefox, iPhone",
    "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0": "Firefox, Linux",
    "curl/8.5.0": "curl",
    "": "",
}
HERE, THERE = "192.0.2.1", "192.0.2.2"


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return stop(monkeypatch, guessing)


@pytest.fixture(autouse=True)
def _quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        signing_in, "verify_password", lambda hash_, password: bool(hash_) and password == PASSWORD
    )


@pytest.fixture
def enter(app: Starlette, database: Database) -> Enter:
    """Try to sign in as Olga, or another, from an address, in a browser nobody knows."""
    add_operator(database, "olga")
    add_operator(database, "vera", "Viewer")

    def from_address(username: str, password: str, address: str = HERE) -> Response:
        return post(visit(app, client=(address, 50000)), username, password)

    return from_address


def post(client: TestClient, username: str, password: str) -> Response:
    return client.post("/admin/login", data={"username": username, "password": password})


def guess(enter: Enter, times: int, username: str = "olga", address: str = HERE) -> None:
    for number in range(times):
        assert enter(username.format(number), "wrong", address.format(number)).status_code == 400


def fail(database: Database, key: str, failures: int) -> None:
    """Let a counter have so many failures."""
    row = SignInCounter(key=key, failures=failures, counted_at=utc_now())
    database.write(lambda session: session.merge(row))


def counters(database: Database) -> dict[str, int]:
    rows = database.read(lambda session: session.scalars(select(SignInCounter)).all())
    return {re.sub(r"[0-9]+|[0-9a-f]{32}", "…", row.key, count=1): row.failures for row in rows}


def refused(response: Response) -> tuple[int, str]:
    """Return for how many seconds an attempt is refused, and what the page says."""
    assert response.status_code == 429
    return int(response.headers["retry-after"]), Page(response).alerts[0]


def test_after_five_failures_even_the_right_password_waits(enter: Enter) -> None:
    guess(enter, 5)
    said = "Too many attempts. Try again in 60 seconds."
    assert refused(enter("olga", PASSWORD)) == (60, said)


def test_the_name_is_not_lost_while_one_waits(enter: Enter) -> None:
    guess(enter, 5)
    assert Page(enter("olga", PASSWORD)).fields()["username"] == "olga"


def test_the_wait_is_true_to_the_second(enter: Enter, clock: Clock) -> None:
    guess(enter, 5)
    clock.pass_(seconds=59.5)
    assert refused(enter("olga", PASSWORD)) == (1, "Too many attempts. Try again in 1 second.")
    clock.pass_(seconds=0.5)
    assert enter("olga", PASSWORD).status_code == 302


def test_each_five_failures_wait_longer(enter: Enter, clock: Clock) -> None:
    waits = []
    for _ in range(5):
        guess(enter, 5)
        waits.append(refused(enter("olga", PASSWORD))[0])
        clock.pass_(seconds=waits[-1])
    assert waits == [60, 900, 900, 3600, 3600]


def test_long_waits_are_told_in_minutes(enter: Enter, clock: Clock, database: Database) -> None:
    guess(enter, 5)
    clock.pass_(seconds=60)
    guess(enter, 5)
    assert refused(enter("olga", PASSWORD))[1] == "Too many attempts. Try again in 15 minutes."


def test_the_fifth_attempt_may_still_be_right(enter: Enter) -> None:
    guess(enter, 4)
    assert enter("olga", PASSWORD).status_code == 302


def test_attempts_while_waiting_do_not_prolong_it(enter: Enter, clock: Clock) -> None:
    guess(enter, 5)
    clock.pass_(seconds=30)
    assert refused(enter("olga", "wrong"))[0] == 30


def test_the_operator_may_still_sign_in_from_elsewhere(enter: Enter) -> None:
    guess(enter, 5)
    assert enter("olga", PASSWORD, THERE).status_code == 302


def test_others_at_the_same_address_may_still_sign_in(enter: Enter) -> None:
    guess(enter, 5)
    assert enter("vera", PASSWORD).status_code == 302


def test_another_spelling_of_the_name_is_the_same_name(enter: Enter) -> None:
    guess(enter, 5)
    assert enter("ＯＬＧＡ ", "wrong").status_code == 429


@pytest.mark.parametrize("name", ["nobody", "dora", "uma"])
def test_whoever_it_is_the_answers_are_the_same(
    enter: Enter, database: Database, name: str
) -> None:
    """Unknown, deactivated and without a password: each waits as those who exist."""
    add_operator(database, "dora", is_active=False)
    uma = add_operator(database, "uma")
    without = update(Operator).where(Operator.id == uma.id).values(password_hash=UNUSABLE)
    database.write(lambda session: session.execute(without))
    for number in range(6):
        mine, theirs = enter("olga", "wrong", HERE), enter(name, "wrong", THERE)
        assert mine.status_code == theirs.status_code == (400 if number < 5 else 429)
        assert theirs.text.replace(name, "olga") == mine.text
        assert mine.headers.get("retry-after") == theirs.headers.get("retry-after")


def test_an_address_has_twenty_failures_whatever_the_names(enter: Enter) -> None:
    guess(enter, ADDRESS.every, username="name{}")
    assert refused(enter("vera", PASSWORD))[0] == 60
    assert enter("vera", PASSWORD, THERE).status_code == 302


def test_a_network_of_ipv6_is_one_address(enter: Enter) -> None:
    guess(enter, ADDRESS.every, username="name{}", address="2001:db8::{}")
    assert enter("vera", PASSWORD, "2001:db8::ffff:1").status_code == 429
    assert enter("vera", PASSWORD, "2001:db8:0:1::1").status_code == 302


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("testclient", "testclient"),
        ("", ""),
    ],
)
def test_what_counts_as_one_address(address: str, network: str) -> None:
    assert network_of(address) == network


def test_a_name_has_a_hundred_failures_whatever_the_addresses(
    enter: Enter, database: Database
) -> None:
    olga = add_operator(database, "olaf")
    fail(database, f"operator {olga.id}", ACCOUNT.every - 1)
    assert enter("olaf", "wrong", THERE).status_code == 400
    assert refused(enter("olaf", PASSWORD, HERE))[0] == 60


def test_who_signed_in_lately_is_not_locked_out_by_who_guesses_elsewhere(
    app: Starlette, enter: Enter, database: Database, clock: Clock
) -> None:
    browser = visit(app, client=(HERE, 50000))
    assert post(browser, "olga", PASSWORD).status_code == 302
    guess(enter, 5)
    guess(enter, ADDRESS.every - 5, username="name{}")
    assert enter("olga", PASSWORD).status_code == 429
    assert post(browser, "olga", PASSWORD).status_code == 302


def test_a_known_browser_guesses_no_more_than_others(app: Starlette, enter: Enter) -> None:
    browser = visit(app)
    post(browser, "olga", PASSWORD)
    for _ in range(5):
        assert post(browser, "olga", "wrong").status_code == 400
    assert refused(post(browser, "olga", PASSWORD))[0] == 60


def test_a_browser_is_known_for_who_signed_in_there(app: Starlette, enter: Enter) -> None:
    browser = visit(app, client=(HERE, 50000))
    post(browser, "vera", PASSWORD)
    guess(enter, 5)
    assert post(browser, "olga", PASSWORD).status_code == 429


@pytest.mark.parametrize("forged", ["", "1-x", "1-x.abc.def", "\x00", "ä"])
def test_a_forged_mark_of_a_browser_is_none(app: Starlette, enter: Enter, forged: str) -> None:
    guess(enter, 5)
    headers = {"Cookie": f"admin-device={forged}".encode()}
    browser = visit(app, client=(HERE, 50000), headers=headers)
    assert post(browser, "olga", PASSWORD).status_code == 429


def test_the_mark_of_a_browser_outlives_signing_out(app: Starlette, enter: Enter) -> None:
    browser = visit(app)
    (mark,) = [
        text
        for text in post(browser, "olga", PASSWORD).headers.get_list("set-cookie")
        if text.startswith("admin-device=")
    ]
    assert "HttpOnly" in mark
    assert "SameSite=strict" in mark
    assert "Max-Age=2592000" in mark
    browser.post("/admin/logout")
    assert "admin-device" in browser.cookies


def test_success_forgets_the_failures(enter: Enter, database: Database) -> None:
    guess(enter, 4)
    enter("olga", PASSWORD)
    assert counters(database) == {f"address …{HERE[3:]}": 4, "operator …": 4}
    guess(enter, 5)


def test_success_forgets_no_failures_of_another_address(enter: Enter, database: Database) -> None:
    guess(enter, 4, address=THERE)
    enter("olga", PASSWORD)
    guess(enter, 1, address=THERE)
    assert enter("olga", PASSWORD, THERE).status_code == 429


def test_an_account_of_one_s_own_does_not_wash_an_address_clean(enter: Enter) -> None:
    for number in range(ADDRESS.every):
        guess(enter, 1, username=f"name{number}")
        if number < ADDRESS.every - 1:
            assert enter("vera", PASSWORD).status_code == 302
    assert enter("vera", PASSWORD).status_code == 429


def test_old_failures_count_no_more_and_are_removed(
    enter: Enter, database: Database, clock: Clock
) -> None:
    guess(enter, 4)
    guess(enter, 3, username="name{}", address=THERE)
    clock.pass_(seconds=FORGOTTEN_AFTER.total_seconds())
    guess(enter, 4)
    assert set(counters(database).values()) == {4}
    assert len(counters(database)) == 3


def test_what_is_typed_for_a_name_is_kept_nowhere(enter: Enter, database: Database) -> None:
    guess(enter, 5, username="hunter2")
    texts = [row.key for row in database.read(lambda s: s.scalars(select(SignInCounter)).all())]
    texts += [f"{found.operator_name} {found.label}" for found in change_sets(database)]
    assert texts
    assert not [text for text in texts if "hunter2" in text]


def test_lock_outs_are_in_the_history_once(enter: Enter, database: Database) -> None:
    guess(enter, 5)
    enter("olga", "wrong")
    told = [(found.operator_name, "lock out" in found.summary) for found in change_sets(database)]
    assert told[-5:] == [("olga", False)] * 4 + [("olga", True)]


@pytest.mark.parametrize("how", ["name", "address", "all"])
def test_an_owner_can_unlock(enter: Enter, database: Database, how: str) -> None:
    guess(enter, 5)
    unlock = {
        "name": lambda session: guessing.unlock(session, "OLGA"),
        "address": lambda session: guessing.unlock_address(session, HERE),
        "all": guessing.unlock_all,
    }
    database.recorded_by(JOURNAL).write(unlock[how])
    assert enter("olga", PASSWORD).status_code == 302
    assert "unlock" in change_sets(database)[-2].summary


def test_it_is_known_until_when_an_operator_waits(
    enter: Enter, database: Database, clock: Clock
) -> None:
    zoe = add_operator(database, "zoe").id
    assert database.read(lambda session: guessing.locked_until(session, zoe)) is None
    guess(enter, 5, username="zoe")
    until = database.read(lambda session: guessing.locked_until(session, zoe))
    assert until == clock.now + timedelta(minutes=1)


def test_a_counter_that_is_removed_meanwhile_is_made_again(
    enter: Enter, database: Database
) -> None:
    removed: list[str] = []

    def remove(connection: Any, _cursor: Any, sql: str, *_rest: object) -> None:
        if sql.startswith("INSERT INTO sign_in_counters") and not removed:
            removed.append(sql)
            connection.exec_driver_sql("DELETE FROM sign_in_counters")

    engine = database.writer.engine
    event.listen(engine, "after_cursor_execute", remove)
    try:
        guess(enter, 1)
    finally:
        event.remove(engine, "after_cursor_execute", remove)
    assert set(counters(database).values()) == {1}


@pytest.mark.parametrize("username", ["olga", "nobody"])
def test_guesses_sent_all_at_once_are_counted_one_by_one(
    real_database: Database, real_settings: Settings, username: str
) -> None:
    """By two workers, which know nothing of each other but the database."""
    add_operator(real_database, "olga")
    with ThreadPoolExecutor(12) as pool, ExitStack() as workers:
        apps = [create_app(real_settings, real_database) for _ in range(2)]
        clients = [workers.enter_context(visit(app)) for app in apps]
        answers = [pool.submit(post, clients[n % 2], username, "wrong") for n in range(12)]
        codes = [answer.result().status_code for answer in answers]
    assert (codes.count(400), codes.count(429)) == (5, 7)
    count = select(func.max(SignInCounter.failures))
    assert real_database.read(lambda session: session.scalar(count)) == 5


@pytest.mark.parametrize(("user_agent", "words"), BROWSERS.items())
def test_a_device_in_words(user_agent: str, words: str) -> None:
    assert device_words(user_agent) == words
