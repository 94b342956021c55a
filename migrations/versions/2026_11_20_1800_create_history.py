"""Create the history, which only grows, and never give a key to two rows."""

# While this runs, the code of the last release does too, and people work:
# - Expand, deploy, contract: add in one release, use in the next, drop in a third.
# - On PostgreSQL, index a filled table alone in a migration, with
#   `with op.get_context().autocommit_block():`, first DROP INDEX CONCURRENTLY IF EXISTS (a build
#   that failed leaves an invalid index), then CREATE INDEX CONCURRENTLY.
# - NOT NULL: add CHECK (... IS NOT NULL) NOT VALID; in the next migration VALIDATE CONSTRAINT,
#   SET NOT NULL, and drop the check. Foreign keys and checks: NOT VALID, then VALIDATE likewise.
# - A new column has a constant server default or none; fill it in batches, not in one UPDATE.
# - SQLite alters tables by `op.batch_alter_table`; what only one database has asks the dialect.
# - Import nothing from `models`: they go on changing, and this file doesn't.

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "8e2f6c91d0a4"
down_revision = "c3a1d0b7e942"

# A change set may go once a checkpoint says so, and takes its changes with it.
POSTGRESQL = """
CREATE FUNCTION keep_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    IF TG_TABLE_NAME = 'change_sets' THEN
      IF OLD.id <= (SELECT max(pruned_through) FROM history_heads) THEN RETURN OLD; END IF;
    ELSIF NOT EXISTS (SELECT FROM change_sets WHERE operation = OLD.operation) THEN
      RETURN OLD;
    END IF;
  END IF;
  RAISE EXCEPTION 'The history only grows.' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER keep_rows BEFORE UPDATE OR DELETE ON change_sets
  FOR EACH ROW EXECUTE FUNCTION keep_history();
CREATE TRIGGER keep_rows BEFORE UPDATE OR DELETE ON changes
  FOR EACH ROW EXECUTE FUNCTION keep_history();
CREATE TRIGGER keep_table BEFORE TRUNCATE ON change_sets EXECUTE FUNCTION keep_history();
CREATE TRIGGER keep_table BEFORE TRUNCATE ON changes EXECUTE FUNCTION keep_history();
"""
SQLITE = """
CREATE TRIGGER keep_change_sets BEFORE UPDATE ON change_sets
BEGIN SELECT RAISE(ABORT, 'The history only grows.'); END;
CREATE TRIGGER keep_changes BEFORE UPDATE ON changes
BEGIN SELECT RAISE(ABORT, 'The history only grows.'); END;
CREATE TRIGGER keep_all_change_sets BEFORE DELETE ON change_sets
WHEN OLD.id > (SELECT max(pruned_through) FROM history_heads)
BEGIN SELECT RAISE(ABORT, 'The history only grows.'); END;
CREATE TRIGGER keep_all_changes BEFORE DELETE ON changes
WHEN EXISTS (SELECT 1 FROM change_sets WHERE operation = OLD.operation)
BEGIN SELECT RAISE(ABORT, 'The history only grows.'); END
"""


def upgrade() -> None:
    create_change_sets()
    create_changes()
    heads = create_heads()
    op.bulk_insert(
        heads, [{"id": 1, "position": 0, "previous_hash": "", "hash": "", "pruned_through": 0}]
    )
    if op.get_context().dialect.name == "postgresql":
        op.execute(POSTGRESQL)
        return
    for statement in SQLITE.split("END;"):
        op.execute(statement.removesuffix("END\n") + "END")
    set_autoincrement(True)


def downgrade() -> None:
    for table in ("changes", "change_sets", "history_heads"):
        op.drop_table(table)
    if op.get_context().dialect.name == "postgresql":
        op.execute("DROP FUNCTION keep_history")
    else:
        set_autoincrement(False)


def set_autoincrement(is_on: bool) -> None:
    """Keep SQLite from giving a new row the key of the last one that was deleted."""
    for table in numbered_tables():
        options = {"sqlite_autoincrement": is_on}
        with op.batch_alter_table(
            table.name, copy_from=table, recreate="always", table_kwargs=options
        ):
            pass


def numbered_tables() -> list[sa.Table]:
    """Return the tables as they are, because statements that are only written can't look."""
    metadata = sa.MetaData()
    users = sa.Table(
        "users",
        metadata,
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(50), nullable=False),
        sa.Column("email", sa.String(100), nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default=sa.true(), nullable=False),
        created_at(),
        version(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("email", name=op.f("uq_users_email")),
        sa.Index(op.f("ix_users_created_at"), "created_at"),
        sa.Index(op.f("ix_users_name"), "name"),
    )
    posts = sa.Table(
        "posts",
        metadata,
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True)),
        version(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_posts")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_posts_user_id_users"), ondelete="CASCADE"
        ),
        sa.Index(op.f("ix_posts_published_at"), "published_at"),
        sa.Index(op.f("ix_posts_title"), "title"),
        sa.Index(op.f("ix_posts_user_id"), "user_id"),
    )
    operators = sa.Table(
        "operators",
        metadata,
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("username", sa.String(150), nullable=False),
        sa.Column("password_hash", sa.String(255), nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("is_superuser", sa.Boolean(), server_default=sa.false(), nullable=False),
        created_at(),
        sa.Column("last_sign_in_at", sa.DateTime(timezone=True)),
        version(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operators")),
        sa.UniqueConstraint("username", name=op.f("uq_operators_username")),
    )
    return [users, posts, operators]


def created_at() -> sa.Column[Any]:
    return sa.Column(
        "created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
    )


def version() -> sa.Column[Any]:
    return sa.Column("version", sa.Integer(), server_default="1", nullable=False)


def create_change_sets() -> None:
    op.create_table(
        "change_sets",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("operation", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("operator_id", sa.Integer()),
        sa.Column("operator_name", sa.String(150), nullable=False),
        sa.Column("source", sa.String(20), nullable=False),
        sa.Column("request_id", sa.String(32), nullable=False),
        sa.Column("address", sa.String(45), nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("undoes", sa.BigInteger()),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("label", sa.String(200), nullable=False),
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.Column("previous_hash", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_change_sets")),
        sa.UniqueConstraint("operation", name=op.f("uq_change_sets_operation")),
    )
    op.create_index(op.f("ix_change_sets_at"), "change_sets", ["at"])
    op.create_index(op.f("ix_change_sets_undoes"), "change_sets", ["undoes"])


def create_changes() -> None:
    op.create_table(
        "changes",
        sa.Column("operation", sa.Uuid(), nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("action", sa.String(20), nullable=False),
        sa.Column("table_name", sa.String(63), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("label", sa.String(200), nullable=False),
        sa.Column("before", sa.Text()),
        sa.Column("after", sa.Text()),
        sa.PrimaryKeyConstraint("operation", "position", name=op.f("pk_changes")),
        sa.ForeignKeyConstraint(
            ["operation"],
            ["change_sets.operation"],
            name=op.f("fk_changes_operation_change_sets"),
            ondelete="CASCADE",
            deferrable=True,
            initially="DEFERRED",
        ),
    )
    op.create_index("ix_changes_table_name_key", "changes", ["table_name", "key"])


def create_heads() -> sa.Table:
    return op.create_table(
        "history_heads",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("previous_hash", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("pruned_through", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_history_heads")),
    )
