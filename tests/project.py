"""What the tests of the project's own files read."""

import ast
import re
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
READS = {"text", "words", "items", "choice", "number", "address", "flag"}


def text(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def pyproject() -> dict[str, Any]:
    return tomllib.loads(text("pyproject.toml"))


def settings_read() -> set[str]:
    """Return the variables that `admin/settings.py` asks its `Reader` for."""
    return {
        call.args[0].value
        for call in ast.walk(ast.parse(text("admin/settings.py")))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr in READS
        and call.args
        and isinstance(call.args[0], ast.Constant)
        and isinstance(call.args[0].value, str)
    }


def example_settings() -> dict[str, str]:
    """Return the variables of `.env.example` as if every one were uncommented."""
    return dict(re.findall(r"^#([A-Z_]+)=(.*)$", text(".env.example"), re.MULTILINE))


def main_commands(path: str) -> list[str]:
    """Return what follows each `python main.py` in a file, up to what is no word or option."""
    # In exec form the words are quoted and parted by commas.
    plain = re.sub(r'", *"', " ", text(path))
    return [words.strip() for words in re.findall(r"python main\.py\b([-=\w ]*)", plain)]


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):.* ## ", text("Makefile"), re.MULTILINE))
