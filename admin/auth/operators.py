"""Adding, listing and disabling operators, and what they sign in with."""

import logging
import re
import unicodedata
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from admin.auth.granting import note_touch
from admin.auth.links import make_link
from admin.auth.passwords import LONGEST_PASSWORD, hash_password, problems, random_password
from admin.kit.fields import EMAIL
from admin.kit.languages import gettext
from admin.settings import Settings
from models import Operator, Role
from models.base import utc_now
from models.database import Database
from models.operator import UNUSABLE

log = logging.getLogger("admin")

LONGEST_USERNAME = 150  # characters
LONGEST_EMAIL = 100
USERNAME = re.compile(r"[\w.@+-]+")
FIRST_USERNAME = "admin"


class OperatorError(Exception):
    """The message says what is wrong, with the name or the password mostly."""


class NameTakenError(OperatorError):
    """There is an operator of this name, or with this address."""


def normalize_username(username: str) -> str:
    """Return the one spelling under which a username is kept, whatever the case it is typed in."""
    return unicodedata.normalize("NFKC", username).strip().casefold()


def normalize_email(email: str) -> str:
    """Return the one spelling under which an address is kept, so that no two differ in case."""
    return unicodedata.normalize("NFKC", email).strip().casefold()


# Adding


def add_operator(
    database: Database,
    username: str,
    password: str,
    *,
    email: str = "",
    is_superuser: bool = False,
    roles: Sequence[str] = (),
) -> str:
    """Store a new operator and return the name to sign in with; raise `OperatorError`."""
    name, address = checked_username(username), checked_email(email)
    checked_password(password, name, address)
    values = {"username": name, "email": address, "is_superuser": is_superuser}
    store(database, roles, **values, **with_password(password))
    return name


def invite_operator(
    database: Database,
    username: str,
    *,
    email: str = "",
    is_superuser: bool = False,
    roles: Sequence[str] = (),
) -> tuple[str, str]:
    """Store an operator who has yet to choose a password; return name and token of the link."""
    name, address = checked_username(username), checked_email(email)
    values = {"username": name, "email": address, "is_superuser": is_superuser}
    return name, store(database, roles, **values, password_hash=UNUSABLE)


def store(database: Database, roles: Sequence[str], **values: Any) -> str:
    """Store an operator; return the token of a link if they have yet to choose a password."""

    def work(session: Session) -> str:
        operator = Operator(**values, roles=find_roles(session, roles))
        session.add(operator)
        session.flush()
        return make_link(session, operator) if operator.password_hash == UNUSABLE else ""

    try:
        return database.write(work)
    except IntegrityError as error:
        if "email" in str(error.orig):
            raise NameTakenError("There is already an operator with this address.") from None
        taken = f"There is already an operator called {values['username']}."
        raise NameTakenError(taken) from None


def with_password(password: str) -> dict[str, Any]:
    """Return what is stored of a password that has just been set."""
    return {"password_hash": hash_password(password), "password_changed_at": utc_now()}


def find_roles(session: Session, names: Sequence[str]) -> list[Role]:
    """Return the roles of these names; raise `OperatorError` if there is none of a name."""
    stored = {role.name: role for role in session.scalars(select(Role))}
    for name in names:
        if name not in stored:
            known = ", ".join(sorted(stored))
            raise OperatorError(f"There is no role called {name}; there are: {known}.")
    return [stored[name] for name in names]


def add_first_operator(database: Database, settings: Settings) -> tuple[str, str] | None:
    """Add the first operator, if there is none, and return a generated name and password.

    Without `ADMIN_PASSWORD` one is generated, in development only. Returns None when there was
    nothing to do or nothing to tell; raises `OperatorError` for a name or password that can't be.
    In development a password that is easy to guess is only complained of.
    """
    if database.read(lambda session: session.scalar(select(exists(select(Operator.id))))):
        return None
    password = settings.admin_password or ("" if settings.is_production else random_password())
    if not password:
        return None
    name = checked_username(settings.admin_username or FIRST_USERNAME)
    try:
        checked_password(password, name)
    except OperatorError as error:
        if settings.is_production or len(password) > LONGEST_PASSWORD:
            raise OperatorError(f"ADMIN_PASSWORD is refused. {error}") from None
        log.warning("ADMIN_PASSWORD would be refused in production. %s", error)
    try:
        store(database, [], username=name, is_superuser=True, **with_password(password))
    except NameTakenError:
        return None  # Another process was first.
    return None if settings.admin_password else (name, password)


# Changing


def change_password(
    session: Session,
    operator: Operator,
    password_hash: str,
    *,
    must_change: bool = False,
) -> None:
    """Give an operator another password; by it all links end, and all other sessions."""
    operator.password_hash = password_hash
    operator.must_change_password = must_change
    operator.password_changed_at = utc_now()
    note_touch(session, "set password", operator.id, operator.username)


def set_password(database: Database, username: str, password: str) -> str:
    """Change an operator's password, end all sessions, return the name; raise `OperatorError`."""
    found = database.read(lambda session: find_operator(session, username))
    checked_password(password, found.username, found.email)
    password_hash = hash_password(password)

    def work(session: Session, operator: Operator) -> None:
        change_password(session, operator, password_hash)

    return change_operator(database, username, work)


def disable_operator(database: Database, username: str) -> str:
    """Keep an operator out, end all sessions, return the name; raise `OperatorError`, `Refused`."""

    def work(_session: Session, operator: Operator) -> None:
        operator.is_active = False

    return change_operator(database, username, work)


def enable_operator(database: Database, username: str) -> str:
    """Let an operator in again and return the name; raise `OperatorError`."""

    def work(_session: Session, operator: Operator) -> None:
        operator.is_active = True

    return change_operator(database, username, work)


def grant(
    database: Database, username: str, roles: Sequence[str], *, is_superuser: bool = False
) -> str:
    """Give an operator roles, or all rights, besides what they have; return the name."""

    def work(session: Session, operator: Operator) -> None:
        added = find_roles(session, roles)
        operator.roles += [role for role in added if role not in operator.roles]
        operator.is_superuser = operator.is_superuser or is_superuser

    return change_operator(database, username, work)


def revoke(
    database: Database, username: str, roles: Sequence[str], *, is_superuser: bool = False
) -> str:
    """Take roles, or all rights, from an operator, end all sessions, and return the name."""

    def work(session: Session, operator: Operator) -> None:
        taken = find_roles(session, roles)
        operator.roles = [role for role in operator.roles if role not in taken]
        operator.is_superuser = operator.is_superuser and not is_superuser

    return change_operator(database, username, work)


def link_operator(database: Database, username: str) -> tuple[str, str]:
    """Return an operator's name, and the token of a new link to choose a password."""
    tokens = []

    def work(session: Session, operator: Operator) -> None:
        tokens.append(make_link(session, operator))

    return change_operator(database, username, work), tokens[-1]


def change_operator(
    database: Database, username: str, change: Callable[[Session, Operator], None]
) -> str:
    """Change one operator and return the name; the guard raises `Refused` for the last owner."""

    def work(session: Session) -> str:
        operator = find_operator(session, username)
        change(session, operator)
        return operator.username

    return database.write(work)


# Finding


def list_operators(database: Database) -> list[Operator]:
    """Return all operators by name, with their roles."""
    stmt = select(Operator).order_by(Operator.username)
    return database.read(lambda session: list(session.scalars(stmt)))


def find_operator(session: Session, username: str) -> Operator:
    """Lock and return the operator of that name; raise `OperatorError` if there is none.

    The lock keeps a sign-in at the same moment from making the change fail.
    """
    name = normalize_username(username)
    if not name.isprintable() or len(name) > LONGEST_USERNAME:
        name = checked_username(username)  # It says what is wrong: no database holds such a name.
    stmt = select(Operator).where(Operator.username == name)
    operator = session.scalar(stmt.with_for_update())
    if operator is None:
        raise OperatorError(f"There is no operator called {name}.")
    return operator


def lock_operator(session: Session, operator_id: int) -> Operator:
    """Return the operator as they are stored; who changes the same one meanwhile waits."""
    stmt = select(Operator).where(Operator.id == operator_id).with_for_update()
    return session.scalars(stmt, execution_options={"populate_existing": True}).one()


# Checking


def checked_username(username: str) -> str:
    """Return the name as it is kept; raise `OperatorError` for one that nobody can have."""
    name = normalize_username(username)
    if not USERNAME.fullmatch(name) or len(name) > LONGEST_USERNAME:
        sentence = gettext("A username has 1 to %(most)s letters, digits, and signs of @ . + - _")
        raise OperatorError(sentence % {"most": LONGEST_USERNAME})
    return name


def checked_email(email: str) -> str | None:
    """Return the address as it is kept, None for no address; raise `OperatorError`."""
    address = normalize_email(email)
    if address and (not EMAIL.fullmatch(address) or len(address) > LONGEST_EMAIL):
        raise OperatorError(gettext("Enter an e-mail address, such as ann@example.org."))
    return address or None


def checked_password(password: str, *names: str | None) -> str:
    """Return the password; raise `OperatorError` with all that is wrong with it."""
    found = problems(password, *names)
    if found:
        raise OperatorError(" ".join(found))
    return password
