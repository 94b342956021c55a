"""Screens are declarations, and a new one takes the three steps of the README."""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from admin.kit import ModelAdmin
from admin.views import VIEWS
from tests.databases import Sqlite
from tests.project import ROOT

LONGEST_METHOD = 10  # lines
VIEW_FILES = sorted((ROOT / "admin/views").glob("*.py"))
COPIED = ("admin", "migrations", "models", "seed", "main.py", "pyproject.toml")

MODEL = '''
    """Words that posts are found by."""

    from sqlalchemy import String
    from sqlalchemy.orm import Mapped, mapped_column

    from models.base import Base


    class Tag(Base):
        __tablename__ = "tags"

        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str] = mapped_column(String(50), unique=True)

        def __str__(self) -> str:
            return self.name
'''
VIEW = '''
    """The tags' screens."""

    from admin.kit import ModelAdmin
    from models import Tag


    class TagAdmin(ModelAdmin, model=Tag):
        column_list = [Tag.name]
'''
VISIT = """
    from starlette.testclient import TestClient

    from admin.auth.operators import add_operator
    from admin.settings import Settings
    from main import create_app, open_database

    settings = Settings.from_env()
    database = open_database(settings)
    password = "correct horse battery staple"
    add_operator(database, "olga", password, is_superuser=True)
    client = TestClient(create_app(settings, database), base_url="http://localhost")
    client.post("/admin/login", data={"username": "olga", "password": password})
    assert "There are no tags yet" in client.get("/admin/tag/list").text
    page = client.post("/admin/tag/create", data={"name": "Gardening"})
    assert page.url.path == "/admin/tag/list", page.text
    assert "Gardening" in page.text
    assert "Tags" in client.get("/admin/").text
    print("done")
"""


@pytest.mark.parametrize("path", VIEW_FILES, ids=lambda path: str(path.name))
def test_the_methods_of_a_view_are_short(path: Path) -> None:
    """What takes longer belongs to the kit or to the model."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            assert lines <= LONGEST_METHOD, f"{path.name}: {node.name}"


def test_every_screen_is_listed_and_nothing_else() -> None:
    files = [path.stem for path in VIEW_FILES if path.stem != "__init__"]
    assert sorted(view.__module__ for view in VIEWS) == [f"admin.views.{name}" for name in files]
    assert all(issubclass(view, ModelAdmin) for view in VIEWS)


def add_line(path: Path, after: str, line: str) -> None:
    text = path.read_text()
    assert text.count(after) == 1
    path.write_text(text.replace(after, f"{after}{line}"))


def copy_project(folder: Path) -> None:
    for name in COPIED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)


def test_a_model_is_added_in_three_steps(tmp_path: Path, sqlite: Sqlite) -> None:
    copy_project(tmp_path)
    url = sqlite.migrated()
    environ = {**os.environ, "DATABASE_URL": str(url), "DATABASE_URL_UNPOOLED": "", "ENV": ""}

    def run(*arguments: str) -> str:
        command = [sys.executable, *arguments]
        done = subprocess.run(
            command, cwd=tmp_path, env=environ, check=False, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    (tmp_path / "models/tag.py").write_text(dedent(MODEL).lstrip())
    models = tmp_path / "models/__init__.py"
    add_line(
        models, "from models.sign_in_counter import SignInCounter\n", "from models.tag import Tag\n"
    )
    add_line(models, '    "SignInCounter",\n', '    "Tag",\n')

    run("-m", "alembic", "revision", "--autogenerate", "-m", "create tags")
    (migration,) = (tmp_path / "migrations/versions").glob("*_create_tags.py")
    assert migration.read_text().count("op.create_table(") == 1
    run("main.py", "migrate")

    (tmp_path / "admin/views/tags.py").write_text(dedent(VIEW).lstrip())
    views = tmp_path / "admin/views/__init__.py"
    add_line(
        views,
        "from admin.views.posts import PostAdmin\n",
        "from admin.views.tags import TagAdmin\n",
    )
    add_line(views, "VIEWS = [UserAdmin, PostAdmin", ", TagAdmin")

    assert run("-c", dedent(VISIT)) == "done\n"
    sqlite.drop(url)
