"""Imports point one way: main → admin → models; seed, migrations → models; views → kit."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
OURS = {"main", "admin", "models", "migrations", "seed", "tests"}
# For each folder, the packages of ours, apart from itself, from which it may import.
ALLOWED = {
    "models": set[str](),
    "admin/kit": set[str](),
    "admin": {"models"},
    "seed": {"models", "admin.settings"},
    "migrations": {"models", "admin.settings"},
}


def imports(code: str, package: tuple[str, ...]) -> Iterator[str]:
    """Yield the dotted names that a module of `package` imports, relative ones made absolute."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*above, *filter(None, [node.module])])
            yield from (f"{module}.{name.name}" for name in node.names)


def within(name: str, package: str) -> bool:
    return f"{name}.".startswith(f"{package}.")


@pytest.mark.parametrize("folder", ALLOWED)
def test_imports_point_one_way(folder: str) -> None:
    allowed = {folder.replace("/", "."), *ALLOWED[folder]}
    files = sorted(ROOT.glob(f"{folder}/**/*.py"))
    assert files
    assert [wrong for path in files for wrong in wrong_imports(path, allowed)] == []


def wrong_imports(path: Path, allowed: set[str]) -> Iterator[str]:
    """Yield the file and each package of ours that it may not import from."""
    file = path.relative_to(ROOT)
    for name in imports(path.read_text(), file.parent.parts):
        is_allowed = any(within(name, package) for package in allowed)
        if name.partition(".")[0] in OURS and not is_allowed:
            yield f"{file}: {name}"


def test_relative_imports_are_seen_for_what_they_are() -> None:
    code = (
        "import models.user\nfrom .. import settings\nfrom ..auth import Guard\nfrom . import csrf"
    )
    assert list(imports(code, ("admin", "kit"))) == [
        "models.user",
        "admin.settings",
        "admin.auth.Guard",
        "admin.kit.csrf",
    ]
