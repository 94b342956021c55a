"""Index what lists are sorted by together with the key."""

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

from migrations.online import build_indexes

revision = "7d20c1f4a9e3"
down_revision = "8e2f6c91d0a4"

# The new ones serve all that the old ones did, and ties by key as well.
NEW = {
    "users": [["name", "id"], ["created_at", "id"], ["is_active", "created_at", "id"]],
    "posts": [["title", "id"], ["published_at", "id"], ["user_id", "id"]],
}
OLD = {"users": [["name"], ["created_at"]], "posts": [["title"], ["published_at"], ["user_id"]]}


def upgrade() -> None:
    build_indexes(NEW, OLD)


def downgrade() -> None:
    build_indexes(OLD, NEW)
