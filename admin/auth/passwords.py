"""Passwords: which ones are refused, and argon2id hashes, checked as slowly for nobody at all."""

import gzip
import re
import secrets
import unicodedata
from collections.abc import Iterator
from difflib import SequenceMatcher
from functools import cache
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from admin.kit.languages import gettext

# NIST SP 800-63B-4, 3.1.1.2, asks for 15 where a password may be all that is asked for.
SHORTEST_PASSWORD = 15  # characters
LONGEST_PASSWORD = 1024
# Django's measure: a password that shares as much with a name is one guess away from it.
TOO_SIMILAR = 0.7
# Of the common passwords; a shorter text that is repeated is as easy to guess.
SHORTEST_WORD = 5
COMMON_PASSWORDS = Path(__file__).with_name("common_passwords.txt.gz")

# OWASP, "Password Storage Cheat Sheet": 19 MiB, two passes, one lane.
hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
# The hash of a password nobody knows stands in for operators that don't exist, or have none.
NOBODY = hasher.hash(secrets.token_urlsafe())


def hash_password(password: str) -> str:
    return hasher.hash(normalize(password))


def verify_password(password_hash: str | None, password: str) -> bool:
    """Say whether the password is right; without a usable hash the answer, late as ever, is no."""
    usable = password_hash if password_hash and password_hash.startswith("$") else NOBODY
    try:
        is_right = hasher.verify(usable, normalize(password))
    except (VerificationError, InvalidHashError):
        return False
    return is_right and usable is not NOBODY


def needs_rehash(password_hash: str) -> bool:
    """Say whether the hash was made with other parameters than today's."""
    return hasher.check_needs_rehash(password_hash)


def random_password() -> str:
    """Return a password of 128 random bits."""
    return secrets.token_urlsafe(16)


def normalize(password: str) -> str:
    """Make the same password typed on two keyboards the same text (NIST SP 800-63B, 3.1.1.2)."""
    return unicodedata.normalize("NFKC", password)


# Rules


def rules() -> list[str]:
    """Return in sentences what a password has to be."""
    return [
        gettext("At least %(count)s characters: a few words do.", count=SHORTEST_PASSWORD),
        gettext("Not like the username or e-mail address."),
        gettext("Not a common password, also not with digits or signs around it."),
        gettext("Not digits alone."),
    ]


def problems(password: str, *names: str | None) -> list[str]:
    """Return everything that is wrong with a password; `names` are what it must not be like."""
    text = normalize(password)
    return [*length_problems(text), *guess_problems(text.casefold(), names)]


def length_problems(password: str) -> Iterator[str]:
    # What a terminal's encoding can't read arrives as halves of surrogate pairs.
    if any(unicodedata.category(character) == "Cs" for character in password):
        yield gettext("This password holds characters that can't be read.")
    if len(password) < SHORTEST_PASSWORD:
        least = gettext("A password has at least %(count)s characters.", count=SHORTEST_PASSWORD)
        yield least
    if len(password) > LONGEST_PASSWORD:
        yield gettext("A password has at most %(count)s characters.", count=LONGEST_PASSWORD)


def guess_problems(password: str, names: tuple[str | None, ...]) -> Iterator[str]:
    if not password:
        return
    # To compare what is longer than any password takes long and says nothing.
    password = password[:LONGEST_PASSWORD]
    if any(is_similar(password, part) for name in names for part in parts_of(name or "")):
        yield gettext("This password is too much like the username or e-mail address.")
    is_short = len(repeated(password)) < SHORTEST_WORD
    if is_short or not common_passwords().isdisjoint(cores(password)):
        yield gettext("This is a common password.")
    if password.isdigit():
        yield gettext("A password can't be digits alone.")


def is_similar(password: str, name: str) -> bool:
    """Say whether a password shares most of its letters with a name, or says little beside it."""
    rest = password.replace(name, "")
    if name in password and len(rest) < SHORTEST_PASSWORD // 2:
        return True
    # Texts of such different lengths can't be similar, and need no comparison.
    if len(name) < TOO_SIMILAR / 2 * len(password):
        return False
    return SequenceMatcher(a=password, b=name).quick_ratio() >= TOO_SIMILAR


def parts_of(name: str) -> set[str]:
    """Return a name and the words in it; those of one or two letters are in everything."""
    name = normalize(name).casefold()
    return {part for part in (name, *re.split(r"[\W_]+", name)) if len(part) > 2}  # noqa: PLR2004


def cores(password: str) -> set[str]:
    """Return a password, what is within digits and signs, what it repeats, and within that."""
    found = {password, bare(password)}
    found |= {repeated(text) for text in found}
    return found | {bare(text) for text in found}


def bare(text: str) -> str:
    return re.sub(r"^[\W\d_]+|[\W\d_]+$", "", text)


def repeated(text: str) -> str:
    """Return the shortest text that makes up this one when it is repeated."""
    # Every text is found in itself twice over; one that repeats, before its end.
    return text[: (text + text).find(text, 1)] if text else ""


@cache
def common_passwords() -> frozenset[str]:
    with gzip.open(COMMON_PASSWORDS, "rt", encoding="utf-8") as file:
        _licence, _, words = file.read().partition("\n---\n")
    return frozenset(words.split())
