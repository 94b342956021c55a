"""Indexes of filled tables, built while people work."""

from alembic import op


def build_indexes(new: dict[str, list[list[str]]], old: dict[str, list[list[str]]]) -> None:
    """Create the new indexes, then drop the old ones, each named by its table and columns.

    On PostgreSQL nobody waits for it, and what a build that failed left behind goes first. Inside
    somebody else's transaction, and on SQLite, it is done the plain way.
    """
    if may_commit():
        with op.get_context().autocommit_block():
            _build(new, old, concurrently=True)
    else:
        _build(new, old, concurrently=False)


def may_commit() -> bool:
    """Say whether a migration may leave its transaction for a while."""
    context = op.get_context()
    is_own = context.config is None or "connection" not in context.config.attributes
    return is_own and context.dialect.name == "postgresql"


def _build(
    new: dict[str, list[list[str]]], old: dict[str, list[list[str]]], *, concurrently: bool
) -> None:
    for table, indexes in new.items():
        for columns in indexes:
            _drop(table, columns, concurrently=concurrently)
            name = index_name(table, columns)
            op.create_index(name, table, columns, postgresql_concurrently=concurrently)
    for table, indexes in old.items():
        for columns in indexes:
            _drop(table, columns, concurrently=concurrently)


def _drop(table: str, columns: list[str], *, concurrently: bool) -> None:
    name = index_name(table, columns)
    op.drop_index(name, table, if_exists=True, postgresql_concurrently=concurrently)


def index_name(table: str, columns: list[str]) -> str:
    return f"ix_{table}_{'_'.join(columns)}"
