"""Every environment variable, read once."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from dotenv import dotenv_values
from sqlalchemy import URL, make_url

DEVELOPMENT_SECRET = "development-only-not-a-secret"  # noqa: S105 - refused in production
SHORTEST_SECRET = 32  # characters
DRIVERS = ("postgresql+psycopg", "sqlite", "sqlite+pysqlite")
SQLITE_FILE = make_url("sqlite:///data/app.db")


class SettingsError(Exception):
    """A variable is missing or wrong; the message names it and says how to mend it."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the environment decides. The defaults run a development server on a SQLite file."""

    env: str = "development"
    title: str = "Admin"
    secret_key: str = DEVELOPMENT_SECRET
    secret_key_fallbacks: tuple[str, ...] = ()
    allowed_hosts: tuple[str, ...] = ("localhost", "127.0.0.1", "[::1]")
    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    database_url: URL = SQLITE_FILE
    database_url_unpooled: URL = SQLITE_FILE
    db_pool_size: int = 10
    db_max_overflow: int = 5
    db_prepared: bool = False
    db_wait: float = 20.0
    db_statement_seconds: int = 30
    session_idle_minutes: int = 60
    session_hours: int = 12
    confirm_minutes: int = 15
    admin_username: str = ""
    admin_password: str = ""
    public_url: str = ""
    require_second_factor: bool = False
    smtp_url: str = ""
    mail_from: str = ""

    @property
    def public_address(self) -> str:
        """Where links in messages lead; "" in production, unless it is set."""
        return self.public_url or ("" if self.is_production else f"http://{self.host}:{self.port}")

    @property
    def is_production(self) -> bool:
        return self.env == "production"

    @property
    def secret_keys(self) -> tuple[str, ...]:
        """The secrets that are accepted; the first one is used for what is new."""
        return (self.secret_key, *self.secret_key_fallbacks)

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Read the environment, and `.env` beneath it; raise `SettingsError` for a bad value."""
        if environ is None:
            environ = {**_dotenv(), **os.environ}
        read = Reader(environ)
        database_url = database_address(read.text("DATABASE_URL", str(SQLITE_FILE)))
        unpooled = read.text("DATABASE_URL_UNPOOLED", "")
        settings = cls(
            env=read.choice("ENV", ("development", "production")),
            title=read.text("ADMIN_TITLE", cls.title),
            secret_key=read.text("SECRET_KEY", DEVELOPMENT_SECRET),
            secret_key_fallbacks=read.items("SECRET_KEY_FALLBACKS"),
            allowed_hosts=read.words("ALLOWED_HOSTS", cls.allowed_hosts),
            host=read.text("HOST", cls.host),
            port=read.number("PORT", cls.port, 1, 65535),
            workers=read.number("WEB_CONCURRENCY", cls.workers, 1),
            database_url=database_url,
            database_url_unpooled=database_address(unpooled, "DATABASE_URL_UNPOOLED")
            if unpooled
            else without_pooler(database_url),
            db_pool_size=read.number("DB_POOL_SIZE", cls.db_pool_size, 1),
            db_max_overflow=read.number("DB_MAX_OVERFLOW", cls.db_max_overflow),
            db_prepared=read.flag("DB_PREPARED"),
            db_wait=read.number("DB_WAIT", int(cls.db_wait)),
            db_statement_seconds=read.number("DB_STATEMENT_SECONDS", cls.db_statement_seconds),
            session_idle_minutes=read.number(
                "SESSION_IDLE_MINUTES", cls.session_idle_minutes, 2, 1440
            ),
            session_hours=read.number("SESSION_HOURS", cls.session_hours, 1, 168),
            confirm_minutes=read.number("CONFIRM_MINUTES", cls.confirm_minutes, 1, 1440),
            admin_username=read.text("ADMIN_USERNAME", ""),
            admin_password=read.text("ADMIN_PASSWORD", ""),
            public_url=read.address("PUBLIC_URL", ("http", "https")).rstrip("/"),
            require_second_factor=read.flag("REQUIRE_SECOND_FACTOR"),
            smtp_url=read.address("SMTP_URL", ("smtp", "smtps")),
            mail_from=read.text("MAIL_FROM", ""),
        )
        if settings.smtp_url:
            _refuse_nameless_mail(settings)
        if settings.is_production:
            _refuse_unsafe_production(read, settings)
        return settings


class Reader:
    """Reads variables from a mapping; an empty variable counts as one that is not set."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ

    def text(self, name: str, default: str) -> str:
        return self.environ.get(name, "").strip() or default

    def words(self, name: str, default: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(self.text(name, "").replace(",", " ").split()) or default

    def items(self, name: str) -> tuple[str, ...]:
        """Return what commas separate: a secret may hold blanks."""
        return tuple(filter(None, map(str.strip, self.text(name, "").split(","))))

    def choice(self, name: str, choices: tuple[str, ...]) -> str:
        value = self.text(name, choices[0])
        if value not in choices:
            raise SettingsError(f"{name} must be one of: {', '.join(choices)}.")
        return value

    def number(self, name: str, default: int, least: int = 0, most: int = 10_000) -> int:
        value = self.text(name, str(default))
        if not re.fullmatch("[0-9]{1,5}", value) or not least <= int(value) <= most:
            raise SettingsError(f"{name} must be a whole number from {least} to {most}.")
        return int(value)

    def address(self, name: str, schemes: tuple[str, ...]) -> str:
        value = self.text(name, "")
        if value and not is_address(value, schemes):
            example = f"{schemes[-1]}://host"
            raise SettingsError(f"{name} must be an address, such as {example}.")
        return value

    def flag(self, name: str) -> bool:
        return self.choice(name, ("0", "1")) == "1"


def is_address(value: str, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(value)
        has_port = parts.port is None or parts.port > 0
    except ValueError:
        return False
    has_more = parts.query or parts.fragment or not value.isprintable() or " " in value
    return parts.scheme in schemes and bool(parts.hostname) and has_port and not has_more


def database_address(url: str, name: str = "DATABASE_URL") -> URL:
    """Parse a database URL, with psycopg as the driver of `postgres://` and `postgresql://`."""
    try:
        address = make_url(url)
    except Exception as error:
        raise SettingsError(f"{name} is not a database URL.") from error
    if address.drivername in ("postgres", "postgresql"):
        return address.set(drivername="postgresql+psycopg")
    if address.drivername not in DRIVERS:
        raise SettingsError(f"{name} must name a PostgreSQL or SQLite database.")
    return address


def without_pooler(url: URL) -> URL:
    """Return Neon's direct address for its pooled one; any other address is returned as it is."""
    host = url.host or ""
    if not host.endswith(".neon.tech"):
        return url
    return url.set(host=host.replace("-pooler.", ".", 1))


def is_unsafe(secret: str) -> bool:
    return secret == DEVELOPMENT_SECRET or len(secret) < SHORTEST_SECRET


def _dotenv() -> dict[str, str]:
    return {name: value for name, value in dotenv_values(".env").items() if value is not None}


def _refuse_nameless_mail(settings: Settings) -> None:
    """Refuse messages without a sender, or with links whose address a request could choose."""
    if "@" not in settings.mail_from:
        raise SettingsError("MAIL_FROM must be the sender's address where SMTP_URL is set.")
    if not settings.public_address:
        raise SettingsError("PUBLIC_URL must be set in production where SMTP_URL is.")


def _refuse_unsafe_production(read: Reader, settings: Settings) -> None:
    if is_unsafe(settings.secret_key):
        raise SettingsError(
            f"SECRET_KEY must be set to at least {SHORTEST_SECRET} random characters in production."
        )
    if any(is_unsafe(secret) for secret in settings.secret_key_fallbacks):
        raise SettingsError(
            f"SECRET_KEY_FALLBACKS must each have at least {SHORTEST_SECRET} random characters in "
            "production: what they sign is trusted."
        )
    if not read.text("ALLOWED_HOSTS", ""):
        raise SettingsError(
            "ALLOWED_HOSTS must name the hosts this admin answers to in production."
        )
    if settings.database_url.get_backend_name() == "sqlite" and not read.flag("ALLOW_SQLITE"):
        raise SettingsError(
            "DATABASE_URL must name a PostgreSQL database in production, or set ALLOW_SQLITE=1."
        )
