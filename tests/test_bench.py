"""The measurement itself works; what it says on a busy machine is no test's business."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import URL

from tests.bench import __main__ as command
from tests.bench.cases import cases
from tests.databases import Postgresql

NAMES = [case.name for case in cases(users=200)]
LISTS = [case.name for case in cases(users=200) if "/list" in case.path]


def run(url: URL, *options: str) -> Result:
    """Run the command on this database instead of one that is thrown away."""

    @contextmanager
    def given() -> Iterator[URL]:
        yield url

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(command, "throw_away_database", given)
        return CliRunner().invoke(
            command.bench, ["--users=200", "--posts=400", *options], catch_exceptions=False
        )


@pytest.fixture(scope="module")
def figures(postgresql: Postgresql, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Measure once, in a tiny setting."""
    path = tmp_path_factory.mktemp("bench") / "bench.json"
    printed = run(postgresql.migrated(), "--rounds=2", "--json", str(path)).output
    return {"printed": printed, **json.loads(path.read_text())}


@pytest.mark.parametrize("name", NAMES)
def test_each_request_has_a_line(figures: dict[str, Any], name: str) -> None:
    assert re.search(rf"^{name} +[\d.]+ ", figures["printed"], re.MULTILINE)


@pytest.mark.parametrize("name", LISTS)
def test_a_list_takes_four_statements_at_most(figures: dict[str, Any], name: str) -> None:
    (row,) = [row for row in figures["rows"] if row["request"] == name]
    assert 1 <= row["statements"] <= 4


def test_it_says_what_the_history_costs(figures: dict[str, Any]) -> None:
    assert figures["history"]["rows"] == 200
    assert re.search(
        r"^200 rows updated at once: .* undone in [\d.]+ s", figures["printed"], re.MULTILINE
    )


def test_a_profile_names_the_functions_that_cost(postgresql: Postgresql) -> None:
    assert "list.html" in run(postgresql.migrated(), "--profile=/admin/user/list").output
