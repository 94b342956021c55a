"""The rows that are measured: the same each time, dated up to today."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import md5
from typing import Any

RARE_NAME = "quillon"  # in 7 names
COMMON_NAME = "berg"  # in one name of 16
RARE_TITLE = "xylograph"  # in 9 titles
COMMON_TITLE = "rivers"  # in one title of 7
# A few authors write most, as in life; user 1 writes more than anybody else.
BUSIEST_AUTHOR = 1

FIRST_NAMES = ("Ann", "Bob", "Chloé", "Dai", "Eve", "Finn", "Gül", "Hana")
LAST_NAMES = (
    "Adams", "Berg", "Costa", "Dubois", "Evans", "Fischer", "García", "Hansen", "Ito", "Jones",
    "Kaya", "López", "Moreau", "Novak", "Olsen", "Park",
)  # fmt: skip
BEGINNINGS = ("How to", "Why we", "Notes on", "A year of")
SUBJECTS = ("bread", "bicycles", "gardens", "letters", "maps", "rivers", "songs")
YEAR = timedelta(days=365)
SCATTER, PRIME = 1_103_515_245, 2**31 - 1

USER_COLUMNS = ("id", "name", "email", "is_active", "created_at")
POST_COLUMNS = ("id", "title", "content", "user_id", "published_at")


def users(count: int) -> Iterator[tuple[Any, ...]]:
    """Yield the users in the order of their keys, which is that of their dates."""
    start, step, rare = today() - 2 * YEAR, 2 * YEAR / count, max(1, count // 7)
    for n in range(1, count + 1):
        mark = digest(n)
        last_name = "Quillon" if n % rare == 0 else LAST_NAMES[n // 8 % 16]
        name = f"{FIRST_NAMES[n % 8]} {last_name} {mark[:6]}"
        yield n, name, f"{mark[:8]}{n}@example.org", n % 7 != 0, written(start + n * step)


def posts(count: int, authors: int) -> Iterator[tuple[Any, ...]]:
    """Yield the posts; each tenth is a draft."""
    start, step, rare = today() - YEAR, YEAR / max(1, count), max(1, count // 9)
    for n in range(1, count + 1):
        mark = digest(n)
        subject = RARE_TITLE if n % rare == 0 else SUBJECTS[n % 7]
        title = f"{BEGINNINGS[n % 4]} {subject} {mark}"
        author = 1 + int(authors * (n * SCATTER % PRIME / PRIME) ** 3)
        published_at = written(start + n * step) if n % 10 else None
        yield n, title, f"{mark} " * (4 + n % 20), author, published_at


def digest(n: int) -> str:
    return md5(b"%d" % n, usedforsecurity=False).hexdigest()


def today() -> datetime:
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)


def written(moment: datetime) -> str:
    """Return the moment as the models store it on SQLite; PostgreSQL reads it too."""
    return moment.isoformat(" ", "microseconds")
