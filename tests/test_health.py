"""What a load balancer asks, and where the first visit leads."""

from collections.abc import Iterator

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import URL, make_url, text
from starlette.applications import Starlette
from starlette.testclient import TestClient

from admin.settings import Settings
from main import create_app
from migrations import schema
from models.database import Database, connect
from tests.databases import Sqlite, settings_for, statements
from tests.personas import visit

CLOSED_PORT = make_url("postgresql+psycopg://nobody@127.0.0.1:9/none")


@pytest.fixture
def unreachable() -> Iterator[TestClient]:
    """Open a browser at a site whose database is gone."""
    database = connect(CLOSED_PORT, wait=0)
    yield visit(create_app(settings_for(CLOSED_PORT), database))
    database.dispose()


def test_alive_needs_no_database(unreachable: TestClient) -> None:
    response = unreachable.get("/healthz")
    assert (response.status_code, response.text) == (200, "ok")


def test_ready_means_reachable_and_migrated(mallory: TestClient) -> None:
    response = mallory.get("/readyz")
    assert (response.status_code, response.text) == (200, "ready")


def test_without_a_database_it_is_not_ready(unreachable: TestClient) -> None:
    response = unreachable.get("/readyz")
    assert (response.status_code, response.text) == (503, "the database can't be reached")


def test_behind_the_schema_it_is_not_ready(empty_database_url: URL) -> None:
    database = connect(empty_database_url)
    response = visit(create_app(settings_for(empty_database_url), database)).get("/readyz")
    database.dispose()
    assert (response.status_code, response.text) == (503, "the schema is not up to date")


def test_a_good_answer_holds_for_a_while(app: Starlette, database: Database) -> None:
    """Asking every second would keep a database that can sleep awake."""
    client = visit(app)
    with statements(database) as executed:
        assert client.get("/readyz").status_code == 200
        asked = len(executed)
        assert client.get("/readyz").status_code == 200
    assert len(executed) == asked > 0


def test_a_bad_answer_does_not_hold(database: Database, settings: Settings) -> None:
    client = visit(create_app(settings, database))
    database.write(lambda session: session.execute(text("DELETE FROM alembic_version")))
    assert client.get("/readyz").status_code == 503
    version = ScriptDirectory.from_config(schema.configuration()).get_current_head()
    again = text("INSERT INTO alembic_version VALUES (:version)")
    database.write(lambda session: session.execute(again, {"version": version}))
    assert client.get("/readyz").status_code == 200


def test_they_answer_to_any_host(mallory: TestClient) -> None:
    headers = {"Host": "10.0.0.7:8000"}
    assert mallory.get("/healthz", headers=headers).status_code == 200
    assert mallory.get("/readyz", headers=headers).status_code == 200
    assert mallory.get("/admin/login", headers=headers).status_code == 400


@pytest.mark.parametrize("path", ["/", "/admin"])
@pytest.mark.parametrize("host", ["testserver", "evil.example"])
def test_the_front_door_leads_to_the_admin_by_a_path(sqlite: Sqlite, path: str, host: str) -> None:
    database = sqlite.open(sqlite.shared.url)
    client = visit(create_app(settings_for(sqlite.shared.url), database))
    response = client.get(path, headers={"Host": host})
    assert (response.status_code, response.headers["location"]) == (302, "/admin/")
    database.dispose()


def test_a_prefix_of_the_proxy_is_kept(mallory: TestClient) -> None:
    client = visit(mallory.app, root_path="/backoffice")
    assert client.get("/backoffice/").headers["location"] == "/backoffice/admin/"
    asked = client.get("/backoffice/admin/user/list").headers["location"]
    assert asked == "/backoffice/admin/login?next=%2Fbackoffice%2Fadmin%2Fuser%2Flist"
    assert mallory.get("/admin/user/list").headers["location"].startswith("/admin/login")


def test_garbage_collection_spares_what_the_start_made(
    real_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    monkeypatch.setattr("gc.freeze", lambda: done.append("spared"))
    monkeypatch.setattr("gc.set_threshold", lambda *_: done.append("less often"))
    with visit(create_app(real_settings)):
        assert done == ["spared", "less often"]
