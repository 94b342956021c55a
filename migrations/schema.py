"""What the application asks about its schema: bring it up to date, and say what it lacks."""

from functools import partial
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from admin.settings import Settings
from migrations.connection import with_connection
from migrations.trigrams import build_missing, missing
from models import Base


def upgrade(settings: Settings, revision: str = "head") -> None:
    """Run the migrations up to `revision`; several processes may do so at once."""
    config = configuration()
    config.attributes["settings"] = settings
    command.upgrade(config, revision)
    if revision == "head":
        # What could not be had when its migration ran may be possible by now.
        with_connection(settings, partial(build_missing, metadata=Base.metadata))


def pending(connection: Connection) -> list[str]:
    """Return the revisions the database lacks, in the order in which they run.

    A database that is ahead, as in a rolling deploy, bears a revision unknown here; it lacks none.
    """
    script = ScriptDirectory.from_config(configuration())
    known = {revision.revision for revision in script.walk_revisions()}
    current = MigrationContext.configure(connection).get_current_heads()
    if not known.issuperset(current):
        return []
    lacking = script.iterate_revisions("heads", current or "base")
    return [revision.revision for revision in lacking][::-1]


def without_trigrams(connection: Connection) -> list[str]:
    """Return the tables that PostgreSQL could not index for searches."""
    is_postgresql = connection.dialect.name == "postgresql"
    return sorted(missing(connection, Base.metadata)) if is_postgresql else []


def configuration() -> Config:
    """Return Alembic's configuration, which holds from any working directory."""
    config = Config()
    # Alembic interpolates its options, so a percent sign in the path is doubled.
    here = str(Path(__file__).parent).replace("%", "%%")
    config.set_main_option("script_location", here)
    return config
