"""Index what searches look through, by trigrams."""

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

from migrations.trigrams import build_trigrams, drop_trigrams

revision = "8b4e6f13d5a2"
down_revision = "7d20c1f4a9e3"

SEARCHED = {"users": ["name", "email"], "posts": ["title"]}


def upgrade() -> None:
    build_trigrams(SEARCHED)


def downgrade() -> None:
    drop_trigrams(SEARCHED)
