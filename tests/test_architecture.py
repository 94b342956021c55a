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
FILES = [(folder, path) for folder in ALLOWED for path in sorted(ROOT.glob(f"{folder}/**/*.py"))]


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


@pytest.mark.parametrize(
    ("folder", "path"), [pytest.param(f, p, id=f"{f}: {p.relative_to(ROOT)}") for f, p in FILES]
)
def test_imports_point_one_way(folder: str, path: Path) -> None:
    allowed = {folder.replace("/", "."), *ALLOWED[folder]}
    names = imports(path.read_text(), path.relative_to(ROOT).parent.parts)
    ours = [name for name in names if name.partition(".")[0] in OURS]
    wrong = [name for name in ours if not any(within(name, package) for package in allowed)]
    assert not wrong


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
