"""Create roles, second factors and one-time links, and tell more of operators and sessions."""

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

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "2c8d5e7b91f3"
down_revision = "9c1f7a2e60b4"

LOOK = ["list", "details"]
WRITE = ["create", "edit", "delete", "export"]
USERS = ["action:activate", "action:deactivate", "action:change"]
POSTS = ["action:publish", "action:unpublish", "action:change"]
OWNER = {"*": {"may": ["*"]}}
VIEWER = {name: {"may": LOOK} for name in ("user", "post")}
EDITOR = {
    "user": {"may": [*LOOK, *WRITE, *USERS]},
    "post": {"may": [*LOOK, *WRITE, *POSTS]},
}
ROLES = [
    ("Owner", "May do everything.", OWNER),
    ("Editor", "Manages users and posts.", EDITOR),
    ("Viewer", "Looks at users and posts.", VIEWER),
]


def upgrade() -> None:
    create_roles()
    create_ways_in()
    count_failures()
    for table, columns in new_columns().items():
        for column in columns:
            op.add_column(table, column)
    op.create_index(op.f("ix_operators_email"), "operators", ["email"], unique=True)


def downgrade() -> None:
    op.drop_index(op.f("ix_operators_email"), "operators")
    for table, columns in new_columns().items():
        for column in columns:
            op.drop_column(table, column.name)
    op.drop_table("sign_in_counters")
    create_failures()
    for name in ("backup_codes", "passkeys", "one_time_links", "operator_roles", "roles"):
        op.drop_table(name)


def new_columns() -> dict[str, list[sa.Column[Any]]]:
    return {
        "operators": [
            sa.Column("email", sa.String(100)),
            flag("must_change_password"),
            time("password_changed_at"),
            sa.Column("totp_secret", sa.String(255)),
            sa.Column("totp_step", sa.BigInteger()),
        ],
        "operator_sessions": [
            time("used_at"),
            time("confirmed_at"),
            flag("awaits_factor"),
            text("address", 45),
            text("user_agent", 300),
            sa.Column("viewing_as_id", sa.Integer()),
        ],
        "users": [sa.Column("phone", sa.String(30))],
    }


def create_roles() -> None:
    """Create roles, and let everybody keep what they may: to look, unless they may do all."""
    op.create_table(
        "roles",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(50), nullable=False),
        text("description", 200),
        sa.Column("rights", sa.JSON(), nullable=False),
        flag("requires_second_factor"),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_roles")),
        sa.UniqueConstraint("name", name=op.f("uq_roles_name")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "operator_roles",
        sa.Column("operator_id", sa.Integer(), nullable=False),
        sa.Column("role_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("operator_id", "role_id", name=op.f("pk_operator_roles")),
        of_operator("operator_roles"),
        sa.ForeignKeyConstraint(
            ["role_id"],
            ["roles.id"],
            name=op.f("fk_operator_roles_role_id_roles"),
            ondelete="CASCADE",
        ),
    )
    op.create_index(op.f("ix_operator_roles_role_id"), "operator_roles", ["role_id"])
    for name, description, rights in ROLES:
        # A colon would begin a parameter.
        document = json.dumps(rights).replace(":", r"\:")
        op.execute(
            "INSERT INTO roles (name, description, rights) "  # noqa: S608 - all of it is above
            f"VALUES ('{name}', '{description}', '{document}')"
        )
    op.execute(
        "INSERT INTO operator_roles (operator_id, role_id) "
        "SELECT operators.id, roles.id FROM operators JOIN roles "
        "ON roles.name = CASE WHEN operators.is_superuser THEN 'Owner' ELSE 'Viewer' END"
    )


def create_ways_in() -> None:
    op.create_table(
        "one_time_links",
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("operator_id", sa.Integer(), nullable=False),
        created_at(),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_one_time_links")),
        of_operator("one_time_links"),
    )
    op.create_index(op.f("ix_one_time_links_operator_id"), "one_time_links", ["operator_id"])
    op.create_index(op.f("ix_one_time_links_expires_at"), "one_time_links", ["expires_at"])
    op.create_table(
        "passkeys",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("operator_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("credential_id", sa.String(1364), nullable=False),
        sa.Column("public_key", sa.Text(), nullable=False),
        text("transports", 100),
        sa.Column("sign_count", sa.BigInteger(), server_default="0", nullable=False),
        created_at(),
        time("used_at"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passkeys")),
        sa.UniqueConstraint("credential_id", name=op.f("uq_passkeys_credential_id")),
        of_operator("passkeys"),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_passkeys_operator_id"), "passkeys", ["operator_id"])
    op.create_table(
        "backup_codes",
        sa.Column("operator_id", sa.Integer(), nullable=False),
        sa.Column("code_hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("operator_id", "code_hash", name=op.f("pk_backup_codes")),
        of_operator("backup_codes"),
    )


def count_failures() -> None:
    """Count failed sign-ins instead of listing them.

    The list goes at once, not in a later release: it holds what was typed for names, which may be
    passwords. The last release lets nobody sign in until it is replaced; who is in, stays in.
    """
    op.create_table(
        "sign_in_counters",
        sa.Column("key", sa.String(150), nullable=False),
        sa.Column("operator_id", sa.Integer()),
        text("network", 45),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=False),
        time("locked_until"),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_sign_in_counters")),
    )
    for name in ("operator_id", "network", "counted_at"):
        op.create_index(op.f(f"ix_sign_in_counters_{name}"), "sign_in_counters", [name])
    op.drop_table("sign_in_failures")


def create_failures() -> None:
    op.create_table(
        "sign_in_failures",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("username", sa.String(150), nullable=False),
        sa.Column("address", sa.String(45), nullable=False),
        created_at(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_failures")),
    )
    for columns in (["username", "created_at"], ["address", "created_at"], ["created_at"]):
        name = op.f(f"ix_sign_in_failures_{'_'.join(columns)}")
        op.create_index(name, "sign_in_failures", columns)


def of_operator(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_operator_id_operators")
    return sa.ForeignKeyConstraint(["operator_id"], ["operators.id"], name=name, ondelete="CASCADE")


def flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), server_default=sa.false(), nullable=False)


def text(name: str, length: int) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), server_default=sa.text("''"), nullable=False)


def time(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True))


def created_at() -> sa.Column[Any]:
    now = sa.text("CURRENT_TIMESTAMP")
    return sa.Column("created_at", sa.DateTime(timezone=True), server_default=now, nullable=False)
