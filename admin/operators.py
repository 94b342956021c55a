"""Adding, listing and disabling operators, and what they sign in with."""

import unicodedata

from sqlalchemy import delete, exists, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from admin.passwords import hash_password, random_password
from admin.settings import Settings
from models import Operator, OperatorSession
from models.database import Database

LONGEST_USERNAME = 150  # characters
LONGEST_PASSWORD = 1024  # characters
FIRST_USERNAME = "admin"


class OperatorError(Exception):
    """The message says what is wrong with the name or the password."""


class NameTakenError(OperatorError):
    """There is an operator of this name."""


def normalize_username(username: str) -> str:
    """Return the one spelling under which a username is kept, whatever the case it is typed in."""
    return unicodedata.normalize("NFKC", username).strip().casefold()


def add_operator(
    database: Database, username: str, password: str, *, is_superuser: bool = False
) -> str:
    """Store a new operator and return the name to sign in with; raise `OperatorError`."""
    name = checked_username(username)
    password_hash = hash_password(checked_password(password))
    try:
        database.write(
            lambda session: session.add(
                Operator(username=name, password_hash=password_hash, is_superuser=is_superuser)
            )
        )
    except IntegrityError:
        raise NameTakenError(f"There is already an operator called {name}.") from None
    return name


def set_password(database: Database, username: str, password: str) -> str:
    """Change an operator's password, end all sessions, return the name; raise `OperatorError`."""
    password_hash = hash_password(checked_password(password))

    def work(session: Session) -> str:
        operator = find_operator(session, username)
        operator.password_hash = password_hash
        end_sessions(session, operator)
        return operator.username

    return database.write(work)


def disable_operator(database: Database, username: str) -> str:
    """Keep an operator out, end all sessions, return the name; raise `OperatorError`."""

    def work(session: Session) -> str:
        operator = find_operator(session, username)
        operator.is_active = False
        end_sessions(session, operator)
        return operator.username

    return database.write(work)


def enable_operator(database: Database, username: str) -> str:
    """Let an operator in again and return the name; raise `OperatorError`."""

    def work(session: Session) -> str:
        operator = find_operator(session, username)
        operator.is_active = True
        return operator.username

    return database.write(work)


def list_operators(database: Database) -> list[Operator]:
    """Return all operators by name."""
    return database.read(
        lambda session: list(session.scalars(select(Operator).order_by(Operator.username)))
    )


def add_first_operator(database: Database, settings: Settings) -> tuple[str, str] | None:
    """Add the first operator, if there is none, and return a generated name and password.

    Without `ADMIN_PASSWORD` one is generated, in development only. Returns None when there was
    nothing to do or nothing to tell; raises `OperatorError` for a name or password that can't be.
    """
    if database.read(lambda session: session.scalar(select(exists(select(Operator.id))))):
        return None
    password = settings.admin_password or ("" if settings.is_production else random_password())
    if not password:
        return None
    username = settings.admin_username or FIRST_USERNAME
    try:
        name = add_operator(database, username, password, is_superuser=True)
    except NameTakenError:
        return None  # Another process was first.
    return None if settings.admin_password else (name, password)


def find_operator(session: Session, username: str) -> Operator:
    """Lock and return the operator of that name; raise `OperatorError` if there is none.

    The lock keeps a sign-in at the same moment from making the change fail.
    """
    name = checked_username(username)
    stmt = select(Operator).where(Operator.username == name)
    operator = session.scalar(stmt.with_for_update())
    if operator is None:
        raise OperatorError(f"There is no operator called {name}.")
    return operator


def end_sessions(session: Session, operator: Operator) -> None:
    """Sign an operator out everywhere."""
    session.execute(delete(OperatorSession).where(OperatorSession.operator_id == operator.id))


def checked_username(username: str) -> str:
    name = normalize_username(username)
    if not name or len(name) > LONGEST_USERNAME or not name.isprintable():
        raise OperatorError(f"A username has 1 to {LONGEST_USERNAME} printable characters.")
    return name


def checked_password(password: str) -> str:
    if not password:
        raise OperatorError("A password can't be empty.")
    if len(password) > LONGEST_PASSWORD:
        raise OperatorError(f"A password has at most {LONGEST_PASSWORD} characters.")
    # What the terminal's encoding can't read arrives as halves of surrogate pairs.
    if any(unicodedata.category(character) == "Cs" for character in password):
        raise OperatorError("A password must be text in the encoding of this terminal.")
    return password
