import re
import subprocess

import pytest
from dotenv import dotenv_values

from admin.settings import Settings
from main import cli
from tests.project import (
    ROOT,
    example_settings,
    main_commands,
    make_targets,
    pyproject,
    settings_read,
    text,
)

# Put together here, so that this file doesn't hold what it looks for.
INDEX_HOSTS = [".".join(parts) for parts in (("pypi", "org"), ("pythonhosted", "org"))]
HOME_FOLDERS = r"(?<![\w.:/])/(?:home|root|work|Users)/"


def readme_settings() -> dict[str, str]:
    rows = re.findall(r"^\| `([A-Z_]+)` \| (?:`(.*?)`)? ?\|", text("README.md"), re.MULTILINE)
    return dict(rows)


def project_files() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [path for path in listed.stdout.splitlines() if (ROOT / path).is_file()]


def dependency_names() -> set[str]:
    project = pyproject()
    dependencies = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    return {re.split(r"[^\w.-]", dependency)[0] for dependency in dependencies}


def test_the_readme_lists_every_setting_with_its_default() -> None:
    assert settings_read() == readme_settings().keys()
    assert readme_settings() == example_settings()


def test_the_example_settings_are_the_defaults() -> None:
    assert settings_read() == example_settings().keys()
    assert Settings.from_env(example_settings()) == Settings.from_env({})


def test_copying_the_example_settings_changes_nothing() -> None:
    assert dotenv_values(ROOT / ".env.example") == {}


@pytest.mark.parametrize("name", sorted(example_settings()))
def test_an_example_setting_has_a_comment(name: str) -> None:
    assert re.search(rf"^# .+\.\n#{name}=", text(".env.example"), re.MULTILINE)


def test_every_picture_in_the_readme_is_there_and_light() -> None:
    pictures = re.findall(r"!\[[^]]+\]\((.*?)\)", text("README.md"))
    assert len(pictures) >= 3
    for picture in pictures:
        assert (ROOT / picture).stat().st_size <= 120_000, picture


def test_every_dependency_has_its_reason() -> None:
    reasons = [path.read_text("utf-8") for path in (ROOT / "docs/decisions").glob("*.md")]
    given = re.findall(r"^- `([\w.-]+)`: \w+", "\n".join(reasons), re.MULTILINE)
    assert sorted(given) == sorted(dependency_names())


def test_the_changelog_has_room_for_the_next_version() -> None:
    assert "\n## Unreleased\n" in text("CHANGELOG.md")


def test_the_readme_names_targets_that_make_has() -> None:
    named = set(re.findall(r"\bmake ([a-z]+)\b", "\n".join(code_in("README.md"))))
    assert {"run", "test"} <= named <= make_targets()


def test_the_readme_names_every_command() -> None:
    named = {words.split()[0] for words in main_commands("README.md") if words}
    assert named == cli.commands.keys()


def test_the_tree_in_the_readme_is_there() -> None:
    tree = text("README.md").split("## Where things live")[1]
    paths = re.findall(r"^([\w./]+)  +\w", tree, re.MULTILINE)
    assert len(paths) > 5
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_no_file_names_a_package_index_or_somebodys_home() -> None:
    unwanted = re.compile("|".join([*map(re.escape, INDEX_HOSTS), HOME_FOLDERS]))
    found = [
        path
        for path in project_files()
        if unwanted.search((ROOT / path).read_bytes().decode("utf-8", errors="replace"))
    ]
    assert found == []


@pytest.mark.parametrize("lock", ["requirements.txt", "requirements-dev.txt"])
def test_a_lock_names_no_place_to_install_from(lock: str) -> None:
    assert re.findall(r"://|^-.*|@ ", text(lock), re.MULTILINE) == []


@pytest.mark.parametrize("lock", ["requirements.txt", "requirements-dev.txt"])
def test_a_lock_holds_every_dependency_with_a_hash(lock: str) -> None:
    entries = re.findall(r"^([\w.-]+)==.*\\\n    --hash=sha256:", text(lock), re.MULTILINE)
    assert len(entries) == len(re.findall(r"^\w", text(lock), re.MULTILINE))
    runtime = {re.split(r"[^\w.-]", name)[0] for name in pyproject()["project"]["dependencies"]}
    assert runtime <= set(entries)


def test_ci_runs_what_the_readme_says() -> None:
    assert (ROOT / ".ci/run").stat().st_mode & 0o111
    assert re.findall(r"^make (\w+)$", text(".ci/run"), re.MULTILINE) == ["lint", "test"]


def code_in(path: str) -> list[str]:
    """Return the code blocks and code spans of a Markdown file."""
    return re.findall(r"```.*?```|`[^`\n]+`", text(path), re.DOTALL)


def test_every_test_named_in_the_docs_exists() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", text("docs/security.md"))
    assert len(named) > 40
    missing = [(path, test) for path, test in named if f"def {test}(" not in text(path)]
    assert missing == []


def test_the_table_of_asvs_names_real_requirements_once() -> None:
    """`asvs.txt` has the numbers of 5.0.0 of levels 1 and 2."""
    table = text("docs/security.md").split("## ASVS 5.0, level 2")[1]
    rows = re.findall(r"^\| ((?:[\d.]+(?:, )?)+) \|", table, re.MULTILINE)
    named = [number for row in rows for number in row.split(", ")]
    assert len(named) > 150
    assert sorted(named) == sorted(set(named) & set(text("tests/asvs.txt").split()))
