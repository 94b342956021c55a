"""Create users, posts and operators."""

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

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "5bfb5c071f0c"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(50), nullable=False),
        sa.Column("email", sa.String(100), nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default=sa.true(), nullable=False),
        _created_at(),
        _version(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("email", name=op.f("uq_users_email")),
    )
    op.create_index(op.f("ix_users_created_at"), "users", ["created_at"])
    op.create_index(op.f("ix_users_name"), "users", ["name"])
    op.create_table(
        "posts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True)),
        _version(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_posts")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_posts_user_id_users"), ondelete="CASCADE"
        ),
    )
    op.create_index(op.f("ix_posts_published_at"), "posts", ["published_at"])
    op.create_index(op.f("ix_posts_title"), "posts", ["title"])
    op.create_index(op.f("ix_posts_user_id"), "posts", ["user_id"])
    _create_operators()


def downgrade() -> None:
    for table in ("sign_in_failures", "operator_sessions", "operators", "posts", "users"):
        op.drop_table(table)


def _create_operators() -> None:
    op.create_table(
        "operators",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("username", sa.String(150), nullable=False),
        sa.Column("password_hash", sa.String(255), nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("is_superuser", sa.Boolean(), server_default=sa.false(), nullable=False),
        _created_at(),
        sa.Column("last_sign_in_at", sa.DateTime(timezone=True)),
        _version(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operators")),
        sa.UniqueConstraint("username", name=op.f("uq_operators_username")),
    )
    op.create_table(
        "operator_sessions",
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("operator_id", sa.Integer(), nullable=False),
        _created_at(),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_operator_sessions")),
        sa.ForeignKeyConstraint(
            ["operator_id"],
            ["operators.id"],
            name=op.f("fk_operator_sessions_operator_id_operators"),
            ondelete="CASCADE",
        ),
    )
    op.create_index(op.f("ix_operator_sessions_expires_at"), "operator_sessions", ["expires_at"])
    op.create_index(op.f("ix_operator_sessions_operator_id"), "operator_sessions", ["operator_id"])
    op.create_table(
        "sign_in_failures",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("username", sa.String(150), nullable=False),
        sa.Column("address", sa.String(45), nullable=False),
        _created_at(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_failures")),
    )
    for columns in (["created_at"], ["username", "created_at"], ["address", "created_at"]):
        name = op.f(f"ix_sign_in_failures_{'_'.join(columns)}")
        op.create_index(name, "sign_in_failures", columns)


def _created_at() -> sa.Column[datetime]:
    return sa.Column(
        "created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
    )


def _version() -> sa.Column[int]:
    return sa.Column("version", sa.Integer(), server_default="1", nullable=False)
