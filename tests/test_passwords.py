"""Which passwords are refused, and what the check of one costs."""

from unittest.mock import Mock

import pytest

from admin.auth import passwords
from admin.auth.passwords import (
    common_passwords,
    hash_password,
    problems,
    random_password,
    verify_password,
)
from models.operator import UNUSABLE
from tests.personas import PASSWORD

SHORT = "A password has at least 15 characters."
LONG = "A password has at most 1024 characters."
SIMILAR = "This password is too much like the username or e-mail address."
COMMON = "This is a common password."
DIGITS = "A password can't be digits alone."


@pytest.mark.parametrize(
    "password",
    [PASSWORD, "naïve café, 北京烤鸭!", "x9-" + "lorem ipsum dolor", "🐘🐧🐳 and their friends"],
)
def test_it_may_be_any_text_that_is_long_enough(password: str) -> None:
    assert problems(password, "olga", "olga@example.org") == []


def test_one_that_is_made_keeps_the_rules() -> None:
    assert not any(problems(random_password(), "olga", None) for _ in range(200))


@pytest.mark.parametrize(
    ("password", "expected"),
    [
        ("", [SHORT]),
        ("short", [SHORT, COMMON]),
        ("12345", [SHORT, DIGITS]),
        ("password", [SHORT, COMMON]),
        ("olga", [SHORT, SIMILAR, COMMON]),
        ("847261930583726", [DIGITS]),
        ("correct horse " * 100, [LONG]),
    ],
)
def test_all_that_is_wrong_is_said_at_once(password: str, expected: list[str]) -> None:
    assert problems(password, "olga", "olga@example.org") == expected


@pytest.mark.parametrize(
    "password",
    [
        "Password1234567",
        "!!!iloveyou2026",
        "passwordpassword",
        "QwertyQwerty1!!",
        "abcabcabcabcabc",
    ],
)
def test_a_common_one_is_not_hidden_by_what_surrounds_or_repeats_it(password: str) -> None:
    assert problems(password) == [COMMON]


@pytest.mark.parametrize(
    "password",
    ["olgamueller1964", "1964-OLGAMUELLER", "mueller@example.org", "olga.mueller-olga.mueller"],
)
def test_it_is_not_like_a_name(password: str) -> None:
    assert SIMILAR in problems(password, "olgamueller", "mueller@example.org")


def test_names_that_are_missing_or_tiny_are_like_nothing() -> None:
    assert problems("an abbot ate a bun", "a", None, "", "ab") == []


def test_a_long_one_is_compared_in_no_time() -> None:
    """What costs the square of its length is done to nothing long."""
    assert LONG in problems("ab" * 500_000, "ab" * 75, "x" * 100)


def test_the_list_says_whose_it_is() -> None:
    assert len(common_passwords()) > 20_000
    assert passwords.COMMON_PASSWORDS.stat().st_size < 150_000
    assert not {"licence", "copyright"} & common_passwords()


def test_the_length_that_counts_is_of_what_is_hashed() -> None:
    """Fifteen ligatures become eighteen letters each, and nobody types so many."""
    assert problems("ﷺ" * 60) == [LONG]


@pytest.mark.parametrize("stored", [None, UNUSABLE, ""])
def test_where_there_is_no_password_the_check_costs_the_same(
    monkeypatch: pytest.MonkeyPatch, stored: str | None
) -> None:
    hasher = Mock(wraps=passwords.hasher)
    monkeypatch.setattr(passwords, "hasher", hasher)
    assert not verify_password(stored, PASSWORD)
    (used, _), _ = hasher.verify.call_args
    assert not passwords.needs_rehash(used)


def test_a_password_is_right_in_any_composition() -> None:
    stored = hash_password("cafe\u0301 au lait, please")
    assert verify_password(stored, "caf\u00e9 au lait, please")
    assert not verify_password(stored, "cafe au lait, please")
