"""Templates with their texts in them, compiled once for each language.

A page has a hundred texts. Looked up each time, they take a fifth of what it takes to render it.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from jinja2 import BytecodeCache, Environment, nodes
from jinja2.compiler import CodeGenerator
from jinja2.visitor import NodeTransformer

from admin.kit.languages import speaking

if TYPE_CHECKING:
    from types import CodeType

    from jinja2.bccache import Bucket
    from jinja2.compiler import Frame

    from admin.kit.languages import Language

# Functions that answer alike on every page of a language, asked with a text alone.
CONSTANT = ("_", "icon")


class OneLanguage(Environment):
    """An environment whose templates speak one language; `in_language` makes it of another one."""

    language: Language


class WithTexts(CodeGenerator):
    """Compiles templates after their texts were put in."""

    environment: OneLanguage

    def visit_Template(self, node: nodes.Template, frame: Frame | None = None) -> None:  # noqa: N802
        with speaking(self.environment.language):
            node = Texts(self.environment).visit(node)
        super().visit_Template(node, frame)


class Texts(NodeTransformer):
    """Puts in what constant functions return."""

    def __init__(self, environment: Environment) -> None:
        self.functions: dict[str, Any] = {name: environment.globals[name] for name in CONSTANT}

    def visit_Call(self, node: nodes.Call, *arguments: Any) -> nodes.Node:  # noqa: N802
        name = node.node.name if isinstance(node.node, nodes.Name) else ""
        if name in self.functions and is_text(node):
            return nodes.Const(self.functions[name](node.args[0].as_const()), lineno=node.lineno)
        return self.generic_visit(node, *arguments)


def is_text(node: nodes.Call) -> bool:
    """Say whether a function is called with a text that the template spells, and nothing else."""
    others = node.kwargs or node.dyn_args or node.dyn_kwargs
    return not others and len(node.args) == 1 and isinstance(node.args[0], nodes.Const)


class Compiled(BytecodeCache):
    """Keeps what templates compile to, by their source.

    Every site of a process has its own templates, and compiling takes longer than showing a page.
    """

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], CodeType | None] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self.kept.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        self.kept[bucket.key, bucket.checksum] = bucket.code


@cache
def compiled_in(_language: Language) -> Compiled:
    """Return what keeps the templates of a language, which are read once a process."""
    return Compiled()


def in_language(environment: Environment, language: Language) -> OneLanguage:
    """Return an environment like this one, with templates of its own."""
    overlay: Any = environment.overlay(bytecode_cache=compiled_in(language))
    overlay.language, overlay.code_generator_class = language, WithTexts
    return overlay  # type: ignore[no-any-return]
