import json
import re
from typing import Any

import click
import pytest
import yaml

from admin.settings import Settings
from main import app, cli
from tests.project import ROOT, main_commands, pyproject, settings_read, text

COMPOSE = yaml.safe_load(text("docker-compose.yml"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if "build" in service}


def instructions(keyword: str) -> list[str]:
    """Return what follows `keyword` in the Dockerfile, continued lines joined."""
    lines = re.sub(r"\\\n\s*", "", text("Dockerfile")).splitlines()
    return [line.removeprefix(f"{keyword} ") for line in lines if line.startswith(f"{keyword} ")]


def image_environment() -> dict[str, str]:
    return dict(word.split("=", 1) for line in instructions("ENV") for word in line.split())


def awaited(service: str) -> dict[str, str]:
    conditions = SERVICES[service].get("depends_on", {})
    return {name: entry["condition"] for name, entry in conditions.items()}


def call(command: click.Command, words: list[str]) -> None:
    """Raise `click.UsageError` unless `words` call `command`; nothing is run."""
    context = click.Context(command)
    if isinstance(command, click.Group) and words:
        _, chosen, rest = command.resolve_command(context, words)
        assert chosen is not None
        call(chosen, rest)
    else:
        _, unknown, _ = command.make_parser(context).parse_args(words)
        assert unknown == []


@pytest.mark.parametrize("path", ["docker-compose.yml", "Dockerfile", "Makefile", "README.md"])
def test_every_command_exists_with_its_options(path: str) -> None:
    assert main_commands(path)
    for words in main_commands(path):
        call(cli, words.split())


def test_our_services_run_the_command_line() -> None:
    commands = {name: service.get("command") for name, service in OURS.items()}
    assert commands == {
        "migrate": ["python", "main.py", "migrate"],
        "seed": ["python", "main.py", "seed"],
        "app": None,
    }
    assert json.loads(instructions("CMD")[-1]) == ["python", "main.py", "serve"]


@pytest.mark.parametrize("service", OURS)
def test_a_service_sets_only_variables_that_exist(service: str) -> None:
    assert OURS[service]["environment"].keys() <= settings_read()


def test_the_image_sets_only_variables_that_exist() -> None:
    ours = {name for name in image_environment() if not name.startswith("PYTHON")}
    assert ours <= settings_read()


def test_the_app_answers_from_inside_its_container() -> None:
    settings = Settings.from_env(image_environment() | OURS["app"]["environment"])
    assert settings.host == "0.0.0.0"
    assert {"localhost", "127.0.0.1"} <= set(settings.allowed_hosts)
    assert OURS["app"]["ports"] == [f"127.0.0.1:8000:{settings.port}"]
    assert instructions("EXPOSE") == [str(settings.port)]


def test_the_app_goes_through_the_pooler_and_migrations_do_not() -> None:
    settings = Settings.from_env(OURS["app"]["environment"])
    pooled, direct = settings.database_url, settings.database_url_unpooled
    pooler = SERVICES["pgbouncer"]["environment"]
    assert (pooled.host, pooled.port) == ("pgbouncer", pooler["LISTEN_PORT"])
    assert (direct.host, direct.port) == (pooler["DB_HOST"], 5432) == ("db", 5432)


def test_everybody_means_the_same_database() -> None:
    settings = Settings.from_env(OURS["app"]["environment"])
    server, pooler = SERVICES["db"]["environment"], SERVICES["pgbouncer"]["environment"]
    made = tuple(server[f"POSTGRES_{name}"] for name in ("USER", "PASSWORD", "DB"))
    assert tuple(pooler[f"DB_{name}"] for name in ("USER", "PASSWORD", "NAME")) == made
    for url in (settings.database_url, settings.database_url_unpooled):
        assert (url.username, url.password, url.database) == made


def test_the_pool_fits_into_the_server() -> None:
    _, limit = SERVICES["db"]["command"][-1].split("=")
    assert SERVICES["pgbouncer"]["environment"]["DEFAULT_POOL_SIZE"] < int(limit) - 3


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_waits_for_services_that_can_say_they_are_ready(service: str) -> None:
    for name, condition in awaited(service).items():
        if condition == "service_healthy":
            assert "test" in SERVICES[name]["healthcheck"]
        else:
            assert condition == "service_completed_successfully"
            assert "command" in SERVICES[name]


def test_nothing_serves_before_the_schema_is_there() -> None:
    assert awaited("migrate") == {"db": "service_healthy"}
    for service in ("app", "seed"):
        assert awaited(service) == {
            "migrate": "service_completed_successfully",
            "pgbouncer": "service_healthy",
        }


def test_demo_data_is_asked_for() -> None:
    assert [name for name in SERVICES if "profiles" in SERVICES[name]] == ["seed"]


def test_volumes_are_declared() -> None:
    used = {
        volume.split(":")[0]
        for service in SERVICES.values()
        for volume in service.get("volumes", [])
    }
    assert used == COMPOSE["volumes"].keys()


def test_health_checks_ask_routes_that_exist() -> None:
    checks = [*instructions("HEALTHCHECK"), *OURS["app"]["healthcheck"]["test"]]
    asked = re.findall(r"http://127\.0\.0\.1:[^/]+(/\w+)", "\n".join(checks))
    assert asked == ["/healthz", "/readyz"]
    assert set(asked) <= {getattr(route, "path", None) for route in app.routes}


def test_the_image_copies_only_what_is_there_and_not_ignored() -> None:
    copied = [path for line in instructions("COPY") for path in line.split()[:-1]]
    assert [path for path in copied if not (ROOT / path).exists()] == []
    kept = re.findall(r"^!(.+)$", text(".dockerignore"), re.MULTILINE)
    assert sorted(copied) == sorted(kept)


def test_the_image_has_a_python_that_the_project_supports() -> None:
    (image,) = instructions("FROM")
    found = re.fullmatch(r"python:3\.(\d+)-slim", image)
    needed = re.fullmatch(r">=3\.(\d+)", pyproject()["project"]["requires-python"])
    assert found
    assert needed
    assert int(found[1]) >= int(needed[1])


def test_the_image_installs_the_lock_that_make_run_installs() -> None:
    (install,) = (line for line in instructions("RUN") if "pip install" in line)
    assert install.endswith("--require-hashes -r requirements.txt")
    assert "$(RUNTIME): requirements.txt |" in text("Makefile")
    assert "--require-hashes -r $(1)" in text("Makefile")


def test_the_image_does_not_run_as_root() -> None:
    (user,) = instructions("USER")
    assert int(user) > 0


def test_the_readme_names_services_that_exist() -> None:
    named = re.findall(r"docker compose (?:run --rm|exec) (\w+)", text("README.md"))
    assert named == ["seed", "app"]
    assert set(named) <= OURS.keys()
