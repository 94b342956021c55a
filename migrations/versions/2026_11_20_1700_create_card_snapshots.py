"""Create card snapshots."""

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

revision = "c3a1d0b7e942"
down_revision = "5bfb5c071f0c"


def upgrade() -> None:
    op.create_table(
        "card_snapshots",
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("data", sa.JSON()),
        sa.Column("computed_at", sa.DateTime(timezone=True)),
        sa.Column("claimed_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_card_snapshots")),
    )


def downgrade() -> None:
    op.drop_table("card_snapshots")
