"""The measurement itself works; what it says on a busy machine is no test's business."""

import json
import re
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import URL, create_engine, text

from models import User
from models.database import connect
from tests import postgres
from tests.bench.__main__ import bench
from tests.bench.cases import Case, address, cases
from tests.bench.filling import fill
from tests.bench.places import databases
from tests.databases import Backend, Postgresql

NAMES = [case.name for case in cases(posts=400)]
LISTS = [case.name for case in cases(posts=400) if "/list" in case.path]
SQLITE = "SELECT type, name, sql FROM sqlite_master"
POSTGRESQL = """
SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
UNION ALL SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
"""
QUICK = ("--users=200", "--posts=400", "--rounds=1", "--load-seconds=0.1")


@pytest.fixture(scope="module", autouse=True)
def server(postgresql: Postgresql) -> Iterator[None]:
    """Take the server of the tests instead of starting another one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(postgres, "server", lambda *_: nullcontext(postgresql.server))
        yield


def run(*options: str) -> str:
    return CliRunner().invoke(bench, [*QUICK, *options], catch_exceptions=False).output


@pytest.fixture(scope="module")
def figures(server: None, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Measure once, in a tiny setting."""
    path = tmp_path_factory.mktemp("bench") / "bench.json"
    return {"printed": run("--json", str(path)), "path": path, **json.loads(path.read_text())}


@pytest.mark.parametrize("name", NAMES)
def test_each_request_has_a_line(figures: dict[str, Any], name: str) -> None:
    assert re.search(rf"^\| {re.escape(name)} +\| +[\d.]+ ", figures["printed"], re.MULTILINE)


@pytest.mark.parametrize("name", LISTS)
def test_a_list_takes_six_statements_at_most(figures: dict[str, Any], name: str) -> None:
    (row,) = [row for row in figures["rows"] if row["request"] == name]
    assert 1 <= row["statements"] <= 6


def test_it_says_how_many_pages_a_worker_serves(figures: dict[str, Any]) -> None:
    assert [line["request"] for line in figures["served"]] == [
        "users, first page",
        "posts, first page",
    ]
    assert all(line["per_second"] > 0 and line["cpu"] > 0 for line in figures["served"])


def test_it_says_what_the_history_costs(figures: dict[str, Any]) -> None:
    assert figures["history"]["rows"] == 200
    assert re.search(
        r"^200 rows updated at once: .* undone in [\d.]+ s", figures["printed"], re.MULTILINE
    )


def test_two_runs_can_be_compared(figures: dict[str, Any]) -> None:
    printed = run("--compare", str(figures["path"]), str(figures["path"]))
    pages = len(NAMES) - 1
    assert f"{pages} of {pages} pages take at most 1.2 times as long" in printed


def test_a_profile_names_the_functions_that_cost() -> None:
    printed = run("--profile=/admin/user/list")
    assert "tottime" in printed
    assert re.search(r"ms +\d+%  sqlalchemy$", printed, re.MULTILINE)


def test_sqlite_is_measured_as_well() -> None:
    printed = run("--sqlite", "--only=rare term")
    assert re.search(r"^200 users, 400 posts, SQLite", printed)
    assert re.search(r"^\| posts, rare term +\|", printed, re.MULTILINE)


@pytest.mark.parametrize("sqlite", [True, False])
def test_a_kept_database_is_used_again(
    tmp_path: Path, postgresql: Postgresql, sqlite: bool
) -> None:
    with databases([(20, 40)], sqlite=sqlite, folder=tmp_path) as (url,):
        insert(url, User(name="Ada", email="ada@example.org"))
    with databases([(20, 40)], sqlite=sqlite, folder=tmp_path) as (url,):
        assert insert(url, User(name="Bea", email="bea@example.org")) == 22
    if not sqlite:
        postgresql.drop(url)


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        (
            '<a class="btn" rel="last" href="?sort=id&amp;last=1">',
            "/admin/user/list?sort=id&last=1",
        ),
        ('<a href="/admin/user/list?after=x" rel="last">', "/admin/user/list?after=x"),
        ('<a rel="prev" href="?page=1">', "/admin/user/list?sort=id"),
    ],
)
def test_a_page_is_reached_by_its_link(link: str, expected: str) -> None:
    case = Case("last", "/user/list?sort=id", "", follow="last")
    assert address(case, lambda _: link) == expected


def test_filling_leaves_the_schema_as_it_was(backend: Backend) -> None:
    empty, filled = backend.migrated(), backend.migrated()
    fill(filled, 20, 40)
    assert schema(filled) == schema(empty)
    backend.drop(empty)
    backend.drop(filled)


def test_the_next_row_gets_the_next_key(backend: Backend) -> None:
    url = backend.migrated()
    fill(url, 20, 40)
    assert insert(url, User(name="Ada", email="ada@example.org")) == 21
    backend.drop(url)


def insert(url: URL, user: User) -> int:
    """Store a user, and return the key that the database gave."""
    database = connect(url)
    database.write(lambda session: session.add(user))
    database.dispose()
    return user.id


def schema(url: URL) -> list[tuple[str, ...]]:
    """Return the indexes, constraints and triggers."""
    engine = create_engine(url)
    sql = SQLITE if url.get_backend_name() == "sqlite" else POSTGRESQL
    with engine.connect() as connection:
        found = sorted(tuple(map(str, row)) for row in connection.execute(text(sql)))
    engine.dispose()
    return found
