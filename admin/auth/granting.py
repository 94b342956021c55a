"""Nobody gives what they lack: what every change of roles and operators is held against.

The guard of the history sees all that a unit of work has written, so no page, action, undo or
restore gets past it. It compares who may do what before with who may do what after.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import or_, select, update

from admin.auth.access import CHANGES, TABLES, Access
from admin.auth.effects import agreed, mark_of
from admin.kit.errors import Refused
from admin.kit.formats import join_words
from admin.kit.history import note
from admin.kit.history.images import row_of
from admin.kit.history.origin import current_origin
from admin.kit.languages import gettext
from admin.kit.permissions import Lack, Permissions
from admin.kit.roles.naming import say_lack
from admin.kit.seen import ChangedSinceShown
from models import OperatorSession, Passkey

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from sqlalchemy import Table
    from sqlalchemy.orm import Session

    from admin.kit.history import Written

# In a sentence; whoever lacks more is told the first.
MOST_SAID = 5
# Whoever runs commands has the database itself.
TRUSTED = "command"
PASSKEYS: Table = Passkey.__table__  # type: ignore[assignment]
WATCHED = {*TABLES, PASSKEYS.name}
# What is done to an account in tables that have no history; see `note_touch`.
TOUCHES = frozenset(
    {
        "end session",
        "make backup codes",
        "make link",
        "reset second factors",
        "send link",
        "set password",
        "unlock",
    }
)


def note_touch(session: Session, event: str, operator_id: int, label: str) -> None:
    """Record what is done to an operator's account, for the guard to see it as well."""
    note(session, event, label, table_name="operators", key=str(operator_id))


def guard(session: Session, written: Written) -> None:
    """Refuse a unit of work by which somebody gets more than who asks for it may give."""
    entries = written.entries(WATCHED) if written.tables & WATCHED else []
    entries = [entry for entry in entries if entry.action in CHANGES or entry.action in TOUCHES]
    if not entries:
        return
    origin = current_origin()
    # So that of two who remove the last two owners, the second one sees it.
    written.lock()
    after = Access.read(session)
    before = after.before(entries)
    if agreed.get() not in (None, mark_of(before, after)):
        raise ChangedSinceShown(
            [
                gettext(
                    "Others changed who may do what meanwhile. Save again to see what it does now."
                )
            ]
        )
    require_owner_left(before, after)
    if origin.source != TRUSTED:
        touched = touched_by(session, entries)
        refuse_escalation(origin.operator_id, before, after, touched)
    end_viewing(session, before, after)


def touched_by(session: Session, entries: Iterable[Any]) -> set[int]:
    """Return the operators whose rows, passkeys or accounts these entries are about."""
    keys = {int(entry.key) for entry in entries if entry.table_name == "operators" and entry.key}
    passkeys = [entry for entry in entries if entry.table_name == PASSKEYS.name]
    if not passkeys:
        return keys
    ids = [int(entry.key) for entry in passkeys]
    kept = session.scalars(select(Passkey.operator_id).where(Passkey.id.in_(ids)))
    images = [row_of(PASSKEYS, image) for e in passkeys for image in (e.before, e.after)]
    held = {image["operator_id"] for image in images if "operator_id" in image}
    return keys | held | set(kept)


def require_owner_left(before: Access, after: Access) -> None:
    """Refuse to lose the last owner, whoever asks for it: nobody could make another one."""
    if before.owners() and not after.owners():
        refuse(
            gettext(
                "Nobody would be left who may do everything. Make somebody else an owner first."
            )
        )


def refuse_escalation(
    actor: int | None, before: Access, after: Access, touched: Iterable[int] = ()
) -> None:
    """Raise `Refused` if `actor` may not turn one into the other.

    `touched` are operators of whom something else is changed, such as their password. Nobody is
    signed in when `actor` is None, as at a reset by a link.
    """
    refuse_own(actor, before, after)
    mine = before.permissions(actor) if actor is not None else Permissions()
    refuse_superusers(mine, before, after)
    linked = {operator for operator, _ in before.links ^ after.links}
    if actor is not None:
        for operator in sorted({*touched, *linked} - {actor}):
            name = before.operators.get(operator, {}).get("username", "")
            require_no_more(mine, before.permissions(operator), name)
    refuse_lacks(mine, before, after)


def refuse_own(actor: int | None, before: Access, after: Access) -> None:
    """Refuse that somebody changes what they may do themselves, be it to less."""
    if actor is None:
        return
    was, now = before.operators.get(actor, {}), after.operators.get(actor, {})
    if was and not now:
        refuse(gettext("You can't delete yourself."))
    if any(operator == actor for operator, _ in before.links ^ after.links):
        refuse(gettext("You can't change which roles you have yourself."), "roles")
    if was.get("is_active") and not now["is_active"]:
        refuse(gettext("You can't deactivate yourself."), "is_active")
    if was.get("is_superuser") != now.get("is_superuser"):
        sentence = gettext("You can't change whether you are a superuser yourself.")
        refuse(sentence, "is_superuser")
    if any(before.roles[key] != after.roles.get(key) for key in before.roles_of(actor)):
        refuse(gettext("You have this role yourself, so somebody else has to change it."))


def refuse_superusers(mine: Permissions, before: Access, after: Access) -> None:
    """Refuse that anybody but a superuser makes one, or takes that from one."""
    for key, now in after.operators.items():
        was = before.operators.get(key, {}).get("is_superuser", False)
        if was != now["is_superuser"] and not mine.is_superuser:
            refuse(gettext("Only a superuser can say who is a superuser."), "is_superuser")


def require_no_more(mine: Permissions, theirs: Permissions, name: str) -> None:
    """Refuse to touch an operator who may do more: their account would be a way to it.

    Pages that ask something first call it, so that nobody fills them in for nothing.
    """
    lacks = mine.lacks(theirs)
    if theirs.is_superuser and lacks:
        refuse(gettext("%(name)s is a superuser, so only a superuser can do this.", name=name))
    if lacks:
        rights = say_all(lacks)
        refuse(gettext("%(name)s may do what you may not: %(rights)s.", name=name, rights=rights))


def refuse_lacks(mine: Permissions, before: Access, after: Access) -> None:
    """Refuse to give what the giver lacks; what a role had already is not given.

    A role that asks for no second factor any more gives all of it more easily.
    """
    given = [after.rights(role) for _, role in sorted(after.links - before.links)]
    refuse_giving([lack for rights in given for lack in mine.lacks(rights)], "roles")
    found: list[Lack] = []
    for key in after.roles:
        is_eased = asks_for_factor(before, key) and not asks_for_factor(after, key)
        had = set() if is_eased else set(mine.lacks(before.rights(key)))
        found += [lack for lack in mine.lacks(after.rights(key)) if lack not in had]
    for key, now in after.operators.items():
        was = before.operators.get(key)
        if was and now["is_active"] and not was["is_active"]:
            found += mine.lacks(after.permissions(key))
    refuse_giving(found)


def asks_for_factor(access: Access, key: int) -> bool:
    return bool(access.roles.get(key, {}).get("requires_second_factor"))


def refuse_giving(lacks: Sequence[Lack], field: str | None = None) -> None:
    if lacks:
        sentence = gettext("You can't give what you may not do yourself: %(rights)s.")
        refuse(sentence % {"rights": say_all(list(dict.fromkeys(lacks)))}, field)


def say_all(lacks: Sequence[Lack]) -> str:
    said = [say_lack(lack) for lack in lacks[:MOST_SAID]]
    return join_words([*said, gettext("and more")] if len(lacks) > MOST_SAID else said)


def refuse(sentence: str, field: str | None = None) -> None:
    raise Refused(sentence, field=field, status=403)


def end_viewing(session: Session, before: Access, after: Access) -> None:
    """Let nobody look on with another's rights once either of the two may do something else."""
    keys = [
        key
        for key in before.operators
        if before.operators[key] != after.operators.get(key)
        or before.permissions(key) != after.permissions(key)
    ]
    if keys:
        ours = or_(OperatorSession.operator_id.in_(keys), OperatorSession.viewing_as_id.in_(keys))
        stmt = update(OperatorSession).where(ours, OperatorSession.viewing_as_id.is_not(None))
        session.execute(stmt.values(viewing_as_id=None))
