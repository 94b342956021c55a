"""Create saved views and operators' choices of lists."""

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

import sqlalchemy as sa
from alembic import op

revision = "9c1f7a2e60b4"
down_revision = "8b4e6f13d5a2"


def upgrade() -> None:
    op.create_table(
        "saved_views",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("list_name", sa.String(100), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Integer()),
        sa.Column("private_to", sa.Integer()),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("CURRENT_TIMESTAMP"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_views")),
        sa.UniqueConstraint(
            "owner_id", "list_name", "name", name=op.f("uq_saved_views_owner_id_list_name_name")
        ),
        sa.ForeignKeyConstraint(
            ["owner_id"],
            ["operators.id"],
            name=op.f("fk_saved_views_owner_id_operators"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["private_to"],
            ["operators.id"],
            name=op.f("fk_saved_views_private_to_operators"),
            ondelete="CASCADE",
        ),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_saved_views_list_name_private_to"), "saved_views", ["list_name", "private_to"]
    )
    op.create_index(op.f("ix_saved_views_private_to"), "saved_views", ["private_to"])
    op.create_table(
        "list_choices",
        sa.Column("operator_id", sa.Integer(), nullable=False),
        sa.Column("list_name", sa.String(100), nullable=False),
        sa.Column("columns", sa.JSON()),
        sa.Column("page_size", sa.Integer()),
        sa.Column("default_view", sa.String(100), nullable=False),
        sa.Column("seen", sa.JSON()),
        sa.PrimaryKeyConstraint("operator_id", "list_name", name=op.f("pk_list_choices")),
        sa.ForeignKeyConstraint(
            ["operator_id"],
            ["operators.id"],
            name=op.f("fk_list_choices_operator_id_operators"),
            ondelete="CASCADE",
        ),
    )


def downgrade() -> None:
    op.drop_table("list_choices")
    op.drop_table("saved_views")
