"""Settings: defaults that run, values that are understood, and refusals that name the variable."""

import pytest

from admin.settings import DEVELOPMENT_SECRET, Settings, SettingsError

PRODUCTION = {
    "ENV": "production",
    "SECRET_KEY": "k" * 32,
    "ALLOWED_HOSTS": "admin.example.org",
    "DATABASE_URL": "postgresql://olga:pw@db.example.org/app",
}
POOLED = "postgresql://olga:pw@ep-cool-1-pooler.eu-central-1.aws.neon.tech/app?sslmode=require"


def test_an_empty_environment_runs_a_development_server_on_a_file() -> None:
    settings = Settings.from_env({})
    assert settings == Settings()
    assert not settings.is_production
    assert settings.secret_key == DEVELOPMENT_SECRET
    assert str(settings.database_url) == "sqlite:///data/app.db"
    assert settings.database_url_unpooled == settings.database_url


def test_an_empty_variable_counts_as_unset() -> None:
    assert Settings.from_env({"PORT": "", "ENV": " ", "DATABASE_URL": ""}) == Settings()


def test_every_variable_arrives() -> None:
    settings = Settings.from_env(
        PRODUCTION | {"PORT": "80", "WEB_CONCURRENCY": "4", "DB_PREPARED": "1", "DB_WAIT": "7"}
    )
    assert settings.is_production
    assert (settings.port, settings.workers, settings.db_prepared, settings.db_wait) == (
        80,
        4,
        True,
        7.0,
    )


@pytest.mark.parametrize(
    "change",
    [
        {"SECRET_KEY": ""},
        {"SECRET_KEY": DEVELOPMENT_SECRET},
        {"SECRET_KEY": "k" * 31},
        {"SECRET_KEY_FALLBACKS": DEVELOPMENT_SECRET},
        {"SECRET_KEY_FALLBACKS": f"{'k' * 32},{'k' * 31}"},
        {"ALLOWED_HOSTS": ""},
        {"DATABASE_URL": ""},
        {"DATABASE_URL": "sqlite:///app.db"},
    ],
    ids=str,
)
def test_production_refuses_what_is_unsafe_and_names_it(change: dict[str, str]) -> None:
    (name,) = change
    with pytest.raises(SettingsError, match=f"^{name} "):
        Settings.from_env(PRODUCTION | change)


def test_the_first_of_the_secrets_is_the_newest() -> None:
    fallbacks = {"SECRET_KEY_FALLBACKS": f"{'a' * 32}, {'b' * 32},"}
    settings = Settings.from_env(PRODUCTION | fallbacks)
    assert settings.secret_keys == ("k" * 32, "a" * 32, "b" * 32)


def test_production_runs_on_sqlite_when_told_to() -> None:
    settings = Settings.from_env(PRODUCTION | {"DATABASE_URL": "", "ALLOW_SQLITE": "1"})
    assert settings.database_url.get_backend_name() == "sqlite"


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_postgresql_is_spoken_by_psycopg(scheme: str) -> None:
    settings = Settings.from_env({"DATABASE_URL": f"{scheme}://olga:p%40w@db/app"})
    assert settings.database_url.drivername == "postgresql+psycopg"
    assert settings.database_url.password == "p@w"


@pytest.mark.parametrize(
    ("url", "host"),
    [
        (POOLED, "ep-cool-1.eu-central-1.aws.neon.tech"),
        (POOLED.replace("-pooler", ""), "ep-cool-1.eu-central-1.aws.neon.tech"),
        ("postgresql://db-pooler.example.org/app", "db-pooler.example.org"),
    ],
)
def test_the_direct_address_is_derived_for_neon_alone(url: str, host: str) -> None:
    settings = Settings.from_env({"DATABASE_URL": url})
    assert settings.database_url_unpooled.host == host
    assert settings.database_url_unpooled == settings.database_url.set(host=host)


def test_the_direct_address_can_be_given() -> None:
    direct = "postgres://olga@direct/app"
    settings = Settings.from_env({"DATABASE_URL": POOLED, "DATABASE_URL_UNPOOLED": direct})
    assert settings.database_url_unpooled.host == "direct"
    assert settings.database_url_unpooled.drivername == "postgresql+psycopg"


@pytest.mark.parametrize(
    "name",
    [
        *("PORT", "WEB_CONCURRENCY", "DB_POOL_SIZE", "DB_MAX_OVERFLOW", "DB_WAIT"),
        "DB_STATEMENT_SECONDS",
        *("SESSION_IDLE_MINUTES", "SESSION_HOURS", "CONFIRM_MINUTES"),
    ],
)
@pytest.mark.parametrize("value", ["many", "-1", "1.5", "99999", "9" * 5000])
def test_a_bad_number_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"^{name} must be a whole number"):
        Settings.from_env({name: value})


@pytest.mark.parametrize("name", ["PORT", "WEB_CONCURRENCY", "DB_POOL_SIZE"])
def test_a_zero_that_would_serve_nobody_is_refused(name: str) -> None:
    """Without connections and threads to use them, each page would wait for ever."""
    with pytest.raises(SettingsError, match=f"^{name} must be a whole number from 1 to"):
        Settings.from_env({name: "0"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ENV", "staging"),
        ("DB_PREPARED", "yes"),
        ("DATABASE_URL", "localhost:5432"),
        ("DATABASE_URL", "mysql://db/app"),
        ("DATABASE_URL", "postgresql+asyncpg://db/app"),
    ],
)
def test_a_value_that_means_nothing_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"^{name} "):
        Settings.from_env({name: value})


def test_a_bad_direct_address_is_refused_by_its_own_name() -> None:
    with pytest.raises(SettingsError, match="DATABASE_URL_UNPOOLED"):
        Settings.from_env({"DATABASE_URL_UNPOOLED": "nonsense"})


def test_a_refused_address_is_not_shown() -> None:
    with pytest.raises(SettingsError) as refused:
        Settings.from_env({"DATABASE_URL": "olga:secret@db"})
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("value", ["a.example.org,b.example.org", " a.example.org  b.example.org"])
def test_hosts_are_separated_by_commas_or_spaces(value: str) -> None:
    settings = Settings.from_env({"ALLOWED_HOSTS": value})
    assert settings.allowed_hosts == ("a.example.org", "b.example.org")


def test_the_environment_wins_over_the_dotenv_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("dotenv")
    (folder / ".env").write_text("ADMIN_TITLE=From the file\nPORT=81\n")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PORT", "82")
    monkeypatch.delenv("ADMIN_TITLE", raising=False)
    settings = Settings.from_env()
    assert (settings.title, settings.port) == ("From the file", 82)


MAIL = {"SMTP_URL": "smtps://o:p%40@mail.example.org", "MAIL_FROM": "admin@example.org"}


def test_messages_need_a_sender_and_in_production_an_address() -> None:
    assert Settings.from_env(MAIL).public_address == "http://127.0.0.1:8000"
    with pytest.raises(SettingsError, match="MAIL_FROM must be"):
        Settings.from_env({"SMTP_URL": MAIL["SMTP_URL"]})
    with pytest.raises(SettingsError, match="PUBLIC_URL must be set in production"):
        Settings.from_env(PRODUCTION | MAIL)
    public = {"PUBLIC_URL": "https://admin.example.org/x/"}
    settings = Settings.from_env(PRODUCTION | MAIL | public)
    assert settings.public_address == "https://admin.example.org/x"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PUBLIC_URL", "admin.example.org"),
        ("PUBLIC_URL", "ftp://admin.example.org"),
        ("PUBLIC_URL", "https://admin.example.org?x"),
        ("PUBLIC_URL", "https://"),
        ("SMTP_URL", "https://mail.example.org"),
        ("SMTP_URL", "smtp://mail.example.org:port"),
        ("SMTP_URL", "smtp://mail example.org"),
    ],
)
def test_an_address_is_whole(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"{name} must be an address"):
        Settings.from_env({name: value})
