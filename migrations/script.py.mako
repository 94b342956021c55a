"""${message[:1].upper() + message[1:].rstrip(".")}."""

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
${imports if imports else ""}
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
% if branch_labels:
branch_labels = ${repr(branch_labels)}
% endif
% if depends_on:
depends_on = ${repr(depends_on)}
% endif


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    ${downgrades if downgrades else "pass"}
