"""What must hold after any request, whoever sent it and whatever it was."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Table, select

from admin.history import JOURNAL
from models import Base, Change, ChangeSet
from tests.asking import Answer, Sent

# What shows how the server is made, and never may: errors, statements, hashes.
LEAKS = re.compile(
    rb"Traceback \(most recent|File \"/|\[SQL: |\bSELECT\b.{1,300}?\bFROM\b|INSERT INTO|DELETE FROM"
    rb"|sqlalche\.me|psycopg\.|sqlite3\.|\$argon2|a secret of the tests",
    re.DOTALL,
)
HEADERS = {
    b"content-security-policy": b"default-src 'none'",
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"same-origin",
    b"cross-origin-opener-policy": b"same-origin",
    b"permissions-policy": b"camera=()",
}
KEPT = (b"no-store", b"no-cache", b"public, max-age=31536000, immutable")
SHORTEST_SECRET = 16  # characters; what is shorter is found in any text

# What requests leave behind that change nothing: the history of refusals, counters, caches.
FLEETING = {
    *("change_sets", "changes", "history_heads", "card_snapshots"),
    *("sign_in_counters", "operator_sessions"),
}
CONTENT = {"users", "posts"}
RIGHTS = {"roles", "operator_roles"}
PRIVILEGES = ("id", "username", "is_active", "is_superuser")

Rows = Mapping[tuple[Any, ...], Mapping[str, Any]]
Tables = dict[str, Rows]


@dataclass(frozen=True)
class Problem:
    sentence: str
    sent: Sent | None = None

    def __str__(self) -> str:
        return f"{self.sentence}\n    {self.sent}" if self.sent else self.sentence


def wrong_with(sent: Sent, answer: Answer) -> list[Problem]:
    """Judge an answer by itself."""
    if answer.error is not None:
        return [Problem(f"{answer.error!r} escaped", sent)]
    if answer.status == 0:
        return [] if sent.is_cut else [Problem("There was no answer", sent)]
    found = [f"It was answered {answer.status}"] if answer.status >= 500 else []
    found += [
        f"The header {name.decode()} is missing from a {answer.status}"
        for name, value in HEADERS.items()
        if value not in answer.header(name)
    ]
    location, cookies = answer.header(b"location"), answer.header(b"set-cookie")
    if answer.header(b"cache-control") not in KEPT:
        found.append(f"A {answer.status} may be cached")
    if location and not re.match(rb"/(?![/\\])|\?", location):
        found.append(f"It leads to {location!r}")
    if cookies and b"httponly" not in cookies.lower():
        found.append(f"A script may read {cookies!r}")
    if leak := LEAKS.search(answer.body):
        found.append(f"It shows {leak[0][:100]!r}")
    return [Problem(sentence, sent) for sentence in found]


def tables(connection: Connection) -> Tables:
    """Read all rows, without the columns that no history keeps."""
    return {
        table.name: {tuple(row[: len(key)]): kept(row) for row in rows(connection, table)}
        for table in Base.metadata.sorted_tables
        if table.name not in FLEETING
        for key in [list(table.primary_key.columns)]
    }


def rows(connection: Connection, table: Table) -> Sequence[Any]:
    key = list(table.primary_key.columns)
    others = [c for c in table.columns if c not in key and c.info.get("recorded", True)]
    return connection.execute(select(*key, *others)).all()


def kept(row: Any) -> dict[str, Any]:
    return dict(row._mapping)


def changed(before: Tables, after: Tables) -> set[tuple[str, tuple[Any, ...]]]:
    """Return the table and the key of each row that is not what it was."""
    return {
        (name, key)
        for name in before
        for key in before[name].keys() | after[name].keys()
        if before[name].get(key) != after[name].get(key)
    }


def unrecorded(connection: Connection, since: int, rows_changed: Iterable[Any]) -> list[str]:
    """Return the rows that changed without an entry in the history after change set `since`."""
    stmt = select(Change.table_name, Change.key).join(
        ChangeSet, ChangeSet.operation == Change.operation
    )
    entries = {tuple(row) for row in connection.execute(stmt.where(ChangeSet.id > since))}
    return [
        f"{name} {key}"
        for name, key in rows_changed
        if name in JOURNAL.schema.tables and len(key) == 1 and (name, str(key[0])) not in entries
    ]


def newest(connection: Connection) -> int:
    stmt = select(ChangeSet.id).order_by(ChangeSet.id.desc()).limit(1)
    return connection.scalar(stmt) or 0


def forbidden(sent: Iterable[Sent], before: Tables, after: Tables) -> list[str]:
    """Return what these requests must not have changed, judged by who may do least to it."""
    requests = list(sent)
    found = changed(before, after)
    if all(one.is_safe for one in requests):
        return [f"{name} {key}" for name, key in found]
    spared = RIGHTS if any(one.who == "editor" for one in requests) else RIGHTS | CONTENT
    wrong = [f"{name} {key}" for name, key in found if name in spared]
    return wrong + [
        f"{name} {key}"
        for name, key in found
        if name == "operators" and privileges(before, key) != privileges(after, key)
    ]


def privileges(state: Tables, key: tuple[Any, ...]) -> list[Any]:
    return [state["operators"].get(key, {}).get(name) for name in PRIVILEGES]


def secrets(connection: Connection) -> set[bytes]:
    """Return every stored text that no answer may hold."""
    columns = [
        column
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if column.info.get("secret") or column.name in ("token_hash", "public_key", "code_hash")
    ]
    values = (value for column in columns for value in connection.scalars(select(column)))
    texts = {value.encode() if isinstance(value, str) else value for value in values if value}
    return {text for text in texts if len(text) >= SHORTEST_SECRET}
