"""Migrations: complete, reversible, safe to run by several processes, and whole or not at all."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import Script, ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import URL, Connection, Engine, exc, inspect, make_url, text

from migrations import connection as migrating
from migrations.schema import configuration, pending, upgrade, without_trigrams
from models.database import make_engine
from tests.databases import Postgresql, Sqlite, settings_for

ROOT = Path(__file__).parent.parent
SCRIPTS = ScriptDirectory.from_config(configuration())
REVISIONS = list(SCRIPTS.walk_revisions())[::-1]
UPGRADE = "import sys; from sqlalchemy import make_url; from migrations.schema import upgrade; "
UPGRADE += "from tests.databases import settings_for; upgrade(settings_for(make_url(sys.argv[1])))"
# A migration that creates a table and then fails.
HALF_WAY = '''"""Fail half-way."""
import sqlalchemy as sa
from alembic import op
revision, down_revision = "half", "{head}"
def upgrade() -> None:
    op.create_table("half", sa.Column("id", sa.Integer(), primary_key=True))
    op.execute("INSERT INTO nowhere VALUES (1)")
'''
# A migration for which SQLite has to copy the table of users.
COPIES_USERS = '''"""Copy the table of users."""
import sqlalchemy as sa
from alembic import op
revision, down_revision = "copies", "{head}"
def upgrade() -> None:
    with op.batch_alter_table("users", recreate="always") as batch:
        batch.alter_column("name", type_=sa.String(60))
'''


@pytest.fixture
def engine(empty_database_url: URL) -> Iterator[Engine]:
    engine = make_engine(empty_database_url)
    yield engine
    engine.dispose()


def config_for(url: URL) -> Config:
    config = configuration()
    config.attributes["settings"] = settings_for(url)
    return config


def with_extra(folder: Path, migration: str, url: URL) -> Config:
    """Return the configuration of a copy of the migrations, with one more."""
    copy = folder / "migrations"
    shutil.copytree(ROOT / "migrations", copy, ignore=shutil.ignore_patterns("__pycache__"))
    head = str(SCRIPTS.get_current_head())
    (copy / "versions" / "2099_01_01_0000_extra.py").write_text(migration.format(head=head))
    config = config_for(url)
    config.set_main_option("script_location", str(copy).replace("%", "%%"))
    return config


def tables(engine: Engine) -> set[str]:
    return set(inspect(engine).get_table_names()) - {"alembic_version"}


def test_each_migration_can_be_undone_and_done_again(engine: Engine) -> None:
    config = config_for(engine.url)
    for revision in REVISIONS:
        before = tables(engine)
        command.upgrade(config, revision.revision)
        after = tables(engine)
        command.downgrade(config, "-1")
        assert tables(engine) == before
        command.upgrade(config, revision.revision)
        assert tables(engine) == after


def test_the_migrations_make_what_the_models_describe(empty_database_url: URL) -> None:
    upgrade(settings_for(empty_database_url))
    command.check(config_for(empty_database_url))


def test_a_full_downgrade_leaves_no_table(engine: Engine) -> None:
    upgrade(settings_for(engine.url))
    assert "users" in tables(engine)
    command.downgrade(config_for(engine.url), "base")
    assert tables(engine) == set()


def test_there_is_one_head() -> None:
    assert len(SCRIPTS.get_heads()) == 1


@pytest.mark.parametrize("script", REVISIONS, ids=lambda script: Path(script.path).stem)
def test_each_file_is_dated_and_says_what_it_does(script: Script) -> None:
    assert re.fullmatch(r"\d{4}(_\d\d){2}_\d{4}_[a-z0-9_]+\.py", Path(script.path).name)
    assert re.match(r"[A-Z].+\.$", script.doc)


def test_files_sort_in_the_order_in_which_they_run() -> None:
    names = [Path(script.path).name for script in REVISIONS]
    assert names == sorted(names)


def test_a_new_migration_is_dated_and_bears_the_rules(tmp_path: Path) -> None:
    for name in ("admin", "models", "migrations", "pyproject.toml"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "migrations").unlink()
    shutil.copytree(ROOT / "migrations", tmp_path / "migrations")
    alembic = [sys.executable, "-m", "alembic", "revision", "-m", "add nicknames", "--rev-id=x"]
    subprocess.run(alembic, cwd=tmp_path, check=True, capture_output=True)
    (new,) = (tmp_path / "migrations" / "versions").glob("*_add_nicknames.py")
    assert re.match(r"\d{4}_\d\d_\d\d_\d{4}_add", new.name)
    assert new.read_text().startswith('"""Add nicknames."""\n')
    assert "Expand, deploy, contract" in new.read_text()


def test_an_empty_database_lacks_every_revision(engine: Engine) -> None:
    with engine.connect() as connection:
        assert pending(connection) == [script.revision for script in REVISIONS]


def test_a_migrated_database_lacks_nothing(engine: Engine) -> None:
    upgrade(settings_for(engine.url))
    with engine.connect() as connection:
        assert pending(connection) == []


def test_a_database_ahead_of_the_code_lacks_nothing(engine: Engine) -> None:
    upgrade(settings_for(engine.url))
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'of a later release'"))
        assert pending(connection) == []


def test_a_connection_can_be_handed_over(engine: Engine) -> None:
    config = configuration()
    with engine.connect() as connection, connection.begin() as transaction:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        assert pending(connection) == []
        transaction.rollback()
    assert tables(engine) == set()


def test_four_processes_migrate_one_database_at_once(engine: Engine) -> None:
    url = engine.url.render_as_string(hide_password=False)
    arguments = [sys.executable, "-c", UPGRADE, url]
    processes = [subprocess.Popen(arguments, cwd=ROOT, stderr=subprocess.PIPE) for _ in range(4)]
    errors = [process.communicate(timeout=60)[1].decode() for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0, 0], errors
    with engine.connect() as connection:
        assert pending(connection) == []


def test_a_migration_that_fails_leaves_nothing_behind(engine: Engine, tmp_path: Path) -> None:
    upgrade(settings_for(engine.url))
    before = tables(engine)
    with pytest.raises(exc.DBAPIError, match="nowhere"):
        command.upgrade(with_extra(tmp_path, HALF_WAY, engine.url), "head")
    assert tables(engine) == before
    with engine.connect() as connection:
        assert pending(connection) == []


def test_copying_a_table_keeps_the_rows_that_refer_to_it(sqlite: Sqlite, tmp_path: Path) -> None:
    engine = make_engine(sqlite.migrated())
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO users (id, name, email) VALUES (1, 'Ed', 'e@x')"))
        connection.execute(text("INSERT INTO posts (title, content, user_id) VALUES ('', '', 1)"))
    command.upgrade(with_extra(tmp_path, COPIES_USERS, engine.url), "head")
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM posts")) == 1
    engine.dispose()
    sqlite.drop(engine.url)


BEFORE_SEARCH = "7d20c1f4a9e3"
ADD_USER = text("INSERT INTO users (id, name, email) VALUES (1, 'Edward', 'e@x')")
HITS = text("SELECT rowid FROM users_trigrams WHERE users_trigrams MATCH :word")


def test_rows_that_were_there_before_are_found(sqlite: Sqlite) -> None:
    engine = make_engine(sqlite.empty())
    upgrade(settings_for(engine.url), BEFORE_SEARCH)
    with engine.begin() as connection:
        connection.execute(ADD_USER)
    upgrade(settings_for(engine.url))
    with engine.connect() as connection:
        assert connection.scalar(HITS, {"word": "war"}) == 1
    engine.dispose()
    sqlite.drop(engine.url)


def test_a_table_that_was_copied_is_searched_as_before(sqlite: Sqlite, tmp_path: Path) -> None:
    """The copy has lost its triggers; they are made anew."""
    engine = make_engine(sqlite.migrated())
    command.upgrade(with_extra(tmp_path, COPIES_USERS, engine.url), "head")
    with engine.begin() as connection:
        connection.execute(ADD_USER)
        assert connection.scalar(HITS, {"word": "war"}) == 1
        connection.execute(text("UPDATE users SET name = 'Edwin'"))
        assert connection.scalar(HITS, {"word": "war"}) is None
        assert connection.scalar(HITS, {"word": "dwi"}) == 1
    engine.dispose()
    sqlite.drop(engine.url)


def test_without_the_extension_the_rest_is_migrated(
    postgresql: Postgresql, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Once it can be had, the next run builds the indexes."""
    engine = make_engine(postgresql.empty())
    with monkeypatch.context() as patch:
        patch.setattr("migrations.trigrams.EXTENSION", "CREATE EXTENSION nobody_has_this")
        upgrade(settings_for(engine.url))
    assert "Searches stay slow, because pg_trgm can't be installed" in caplog.text
    with engine.connect() as connection:
        assert pending(connection) == []
        assert without_trigrams(connection) == ["posts", "users"]
    upgrade(settings_for(engine.url))
    with engine.connect() as connection:
        assert without_trigrams(connection) == []
    engine.dispose()
    postgresql.drop(engine.url)


def test_who_may_not_install_the_extension_migrates_all_the_same(
    postgresql: Postgresql, caplog: pytest.LogCaptureFixture
) -> None:
    engine = make_engine(postgresql.empty())
    role = f"{postgresql.run}_poor"
    with engine.begin() as connection:
        connection.execute(text(f"CREATE ROLE {role} LOGIN"))
        connection.execute(text(f"GRANT ALL ON SCHEMA public TO {role}"))
    upgrade(settings_for(engine.url.set(username=role)))
    assert "permission denied" in caplog.text
    with engine.connect() as connection:
        assert pending(connection) == []
        assert connection.scalar(text("SELECT count(*) FROM users")) == 0
    with engine.begin() as connection:
        connection.execute(text(f"DROP OWNED BY {role}"))
        connection.execute(text(f"DROP ROLE {role}"))
    engine.dispose()
    postgresql.drop(engine.url)


def test_a_build_that_failed_is_made_anew(postgresql: Postgresql) -> None:
    engine = make_engine(postgresql.migrated())
    with engine.begin() as connection:
        invalid = "UPDATE pg_index SET indisvalid = false WHERE indexrelid = to_regclass(:name)"
        connection.execute(text(invalid), {"name": "ix_posts_title_trigrams"})
        assert without_trigrams(connection) == ["posts"]
    upgrade(settings_for(engine.url))
    with engine.connect() as connection:
        assert without_trigrams(connection) == []
    engine.dispose()
    postgresql.drop(engine.url)


def test_a_pooled_neon_host_is_refused() -> None:
    url = make_url("postgresql+psycopg://olga@ep-cool-1-pooler.eu.aws.neon.tech/app")
    with pytest.raises(CommandError, match="DATABASE_URL_UNPOOLED must name the direct host"):
        upgrade(settings_for(url))


def test_a_locked_table_is_tried_again(
    postgresql: Postgresql, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reader who holds the table is through before the third try."""
    monkeypatch.setitem(migrating.LIMITS, "lock_timeout", "50ms")
    url = postgresql.migrated()
    engine = make_engine(url)
    tries = []

    def drop_users(connection: Connection) -> None:
        tries.append(connection)
        if len(tries) == 3:
            reader.rollback()
        with connection.begin():
            connection.execute(text("DROP TABLE users CASCADE"))

    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    with engine.connect() as reader:
        reader.execute(text("SELECT * FROM users"))
        migrating.with_connection(settings_for(url), drop_users)
    assert len(tries) == 3
    assert "users" not in tables(engine)
    engine.dispose()
    postgresql.drop(url)


def test_a_lost_connection_is_tried_again(
    postgresql: Postgresql, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = postgresql.empty()
    tries = []

    def migrate(connection: Connection) -> None:
        tries.append(connection)
        if len(tries) == 1:
            postgresql.disconnect_all(url)
        connection.execute(text("SELECT 1"))

    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    migrating.with_connection(settings_for(url), migrate)
    assert len(tries) == 2
    postgresql.drop(url)


def test_a_busy_lock_is_reported_in_the_end(
    postgresql: Postgresql, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrating, "LOCK_WAIT", 0.0)
    settings = settings_for(postgresql.shared.url)

    def refused(_connection: Connection) -> None:
        with pytest.raises(CommandError, match="Another process has been migrating"):
            migrating.with_connection(settings, lambda _connection: None)

    migrating.with_connection(settings, refused)


def test_limits_hold_while_migrating(postgresql: Postgresql) -> None:
    def check(connection: Connection) -> None:
        for name, value in migrating.LIMITS.items():
            assert connection.scalar(text(f"SHOW {name}")) == value

    migrating.with_connection(settings_for(postgresql.shared.url), check)


def test_rows_that_would_refer_to_nothing_are_refused(sqlite: Sqlite) -> None:
    url = sqlite.migrated()

    def orphan(connection: Connection) -> None:
        sql = "INSERT INTO posts (title, content, user_id) VALUES ('', '', 7)"
        connection.execute(text(sql))

    with pytest.raises(CommandError, match="Rows of posts would refer to users in vain"):
        migrating.with_connection(settings_for(url), orphan)
    sqlite.drop(url)


@pytest.mark.parametrize("url", ["postgresql+psycopg://db/app", "sqlite:///app.db"])
def test_the_statements_can_be_written_instead_of_run(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command.upgrade(config_for(make_url(url)), "head", sql=True)
    written = capsys.readouterr().out
    assert "CREATE TABLE users" in written
    assert "INSERT INTO alembic_version" in written


def test_the_command_line_says_what_it_ran(sqlite: Sqlite) -> None:
    url = sqlite.empty()
    done = subprocess.run(
        [sys.executable, "-m", "alembic", "upgrade", "head"],
        cwd=ROOT,
        env={"DATABASE_URL": str(url)},
        check=True,
        capture_output=True,
        text=True,
    )
    assert "Create users, posts and operators." in done.stderr
    sqlite.drop(url)
