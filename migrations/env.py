"""How Alembic meets the database: on the command line, from `migrations.schema`, and in tests.

`config.attributes` may hand over "settings", or a "connection" that is used as it is.
"""

import logging
import re
from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from alembic.util import CommandError
from sqlalchemy import Connection, TypeDecorator

from admin.settings import Settings, SettingsError
from migrations.connection import with_connection
from migrations.trigrams import mend_copies
from models import Base

# What SQLAlchemy calls a default, and how a migration writes it for every database.
PORTABLE_DEFAULTS: dict[str, str | Literal[False]] = {
    "true": "sa.true()",
    "false": "sa.false()",
    "now()": "sa.func.now()",
}


def main() -> None:
    if context.config.cmd_opts is not None:
        _speak()
    connection = context.config.attributes.get("connection")
    if context.is_offline_mode():
        print_sql(settings())
    elif connection is not None:
        migrate(connection)
    else:
        with_connection(settings(), migrate)


def settings() -> Settings:
    """Return the settings handed over, else those of the environment."""
    try:
        return context.config.attributes.get("settings") or Settings.from_env()
    except SettingsError as error:
        raise CommandError(str(error)) from error


def migrate(connection: Connection) -> None:
    configure(connection=connection, render_as_batch=connection.dialect.name == "sqlite")
    with context.begin_transaction():
        context.run_migrations()
    if connection.dialect.name == "sqlite":
        mend_copies(connection, Base.metadata)


def print_sql(settings: Settings) -> None:
    """Write the statements of the migrations to standard output."""
    configure(url=settings.database_url_unpooled, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()


def configure(**options: Any) -> None:
    context.configure(
        target_metadata=Base.metadata,
        transaction_per_migration=True,
        compare_type=True,
        compare_server_default=True,
        render_item=render_item,
        include_name=is_ours,
        include_object=must_be_there,
        **options,
    )


def is_ours(name: str | None, kind: str, _parents: Any) -> bool:
    """Leave out the tables in which SQLite keeps trigrams; no model describes them."""
    return kind != "table" or not re.search(r"_trigrams(_[a-z]+)?$", name or "")


def must_be_there(_item: Any, name: str | None, kind: str, _found: bool, _other: Any) -> bool:
    """Leave out indexes over trigrams, which a database may have to do without."""
    return kind != "index" or not str(name).endswith("_trigrams")


def render_item(kind: str, item: Any, _context: AutogenContext) -> str | Literal[False]:
    """Write what the databases share: no types of our own, no default of one database alone."""
    if kind == "type" and isinstance(item, TypeDecorator):
        return f"sa.{item.impl_instance!r}"
    if kind == "server_default":
        return PORTABLE_DEFAULTS.get(str(getattr(item, "arg", item)), False)
    return False


def _speak() -> None:
    logging.basicConfig(format="%(message)s")
    logging.getLogger("alembic").setLevel(logging.INFO)
    logging.getLogger("alembic.runtime.plugins").setLevel(logging.WARNING)


main()
