"""Templates with their texts in them.

A page has a hundred texts. Looked up each time, they take a fifth of what it takes to render it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jinja2 import nodes
from jinja2.visitor import NodeTransformer

if TYPE_CHECKING:
    from jinja2 import Environment

# Functions that answer alike on every page of a language, asked with a text alone.
CONSTANT = ("_", "icon")


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
