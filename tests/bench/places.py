"""Where the measured databases are: thrown away after the run, or kept for the next one."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryDirectory
from typing import Protocol

from sqlalchemy import URL, delete

from migrations.schema import upgrade
from models import Operator
from models.database import connect
from tests import postgres
from tests.bench import filling
from tests.databases import Postgresql, Sqlite, settings_for

# What a server has that is meant for tables of this size, and what makes filling them quick.
OPTIONS = {
    "shared_buffers": "1GB",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "1h",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    # As the README has it for large tables in production.
    "jit": "off",
    "max_parallel_workers_per_gather": "0",
}
# So many users, and so many posts.
Size = tuple[int, int]


class Place(Protocol):
    def migrated(self) -> URL:
        """Create a database with the newest schema, which ends with the run."""

    def find(self, name: str) -> URL | None:
        """Return a database that an earlier run kept."""

    def keep(self, url: URL, name: str) -> URL:
        """Take a database out of what ends with the run."""


@contextmanager
def databases(
    sizes: Sequence[Size], *, sqlite: bool = False, folder: Path | None = None
) -> Iterator[list[URL]]:
    """Lend a filled database of each size; in a `folder` they are kept, and found there again."""
    opened = on_sqlite(folder) if sqlite else on_postgresql(folder)
    with opened as place:
        yield [filled(place, size, is_kept=folder is not None) for size in sizes]


def filled(place: Place, size: Size, *, is_kept: bool) -> URL:
    users, posts = size
    name = f"bench_{users}_{posts}"
    if is_kept and (found := place.find(name)):
        upgrade(settings_for(found))
        forget_operators(found)
        return found
    url = place.migrated()
    filling.fill(url, users, posts)
    return place.keep(url, name) if is_kept else url


def forget_operators(url: URL) -> None:
    """Delete those of earlier runs, whose names are wanted again."""
    database = connect(url)
    database.write(lambda session: session.execute(delete(Operator)))
    database.dispose()


@contextmanager
def on_postgresql(folder: Path | None) -> Iterator[Place]:
    with ExitStack() as cleanup:
        server = cleanup.enter_context(postgres.server(folder, OPTIONS))
        place = PostgresqlPlace(server, f"admin_bench_{token_hex(4)}")
        cleanup.callback(place.drop_all)
        yield place


class PostgresqlPlace(Postgresql):
    """A server; what bears the name of the run is dropped after it."""

    def find(self, name: str) -> URL | None:
        url = self.server.set(database=name)
        with filling.connect(self.server) as connection:
            stmt = "SELECT FROM pg_database WHERE datname = %s"
            return url if connection.execute(stmt, [name]).fetchone() is not None else None

    def keep(self, url: URL, name: str) -> URL:
        with filling.connect(self.server) as connection:
            connection.execute(f'ALTER DATABASE "{url.database}" RENAME TO "{name}"'.encode())
        return self.server.set(database=name)


@contextmanager
def on_sqlite(folder: Path | None) -> Iterator[Place]:
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="sqlite-", dir=folder) as work:
        yield SqlitePlace(Path(work), folder or Path(work))


class SqlitePlace(Sqlite):
    """A folder that ends with the run, within one that stays."""

    def __init__(self, work: Path, kept: Path) -> None:
        super().__init__(work)
        self.kept = kept

    def find(self, name: str) -> URL | None:
        path = self.kept / f"{name}.db"
        return URL.create("sqlite", database=str(path)) if path.exists() else None

    def keep(self, url: URL, name: str) -> URL:
        path = self.kept / f"{name}.db"
        Path(str(url.database)).rename(path)
        return URL.create("sqlite", database=str(path))
