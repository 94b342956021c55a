"""What the HTML of a full list weighs, before it is compressed."""

import pytest
from starlette.testclient import TestClient

from models.database import Database
from seed import seed
from tests.databases import Sqlite

MOST = 45_000  # bytes, with 100 rows


@pytest.fixture
def backend(sqlite: Sqlite) -> Sqlite:
    """Choose one kind of database: here they make no difference."""
    return sqlite


@pytest.mark.parametrize("name", ["user", "post"])
def test_a_list_of_100_rows_is_light(olga: TestClient, database: Database, name: str) -> None:
    seed(database, users=200, posts=200)
    page = olga.get(f"/admin/{name}/list?pageSize=100")
    assert page.text.count("name=pks") == 100
    print(f"{name}: {len(page.content):,} bytes")  # noqa: T201 - see the docs
    assert len(page.content) <= MOST
