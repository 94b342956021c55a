"""Templates as they run: what is known before anybody asks for a page is done before.

Jinja looks up the texts and the parts of every page as it goes, and hands each piece of it through
all the blocks around it: more than half of what it takes to render a list. Here templates are
compiled once for each language, with their texts and the templates they include in them.
"""

from __future__ import annotations

from functools import cache
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import TYPE_CHECKING, Any, TypeVar

import markupsafe
from jinja2 import BytecodeCache, Environment, TemplateNotFound, TemplateSyntaxError, nodes
from jinja2.compiler import CodeGenerator
from jinja2.runtime import Context, Undefined
from jinja2.utils import internalcode
from jinja2.visitor import NodeTransformer
from markupsafe import Markup, escape

from admin.kit.languages import LazyText, speaking
from admin.kit.template_texts import Texts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, MutableMapping
    from types import CodeType

    from jinja2.bccache import Bucket
    from jinja2.compiler import Frame

    from admin.kit.languages import Language

Function = TypeVar("Function", bound="Callable[..., Any]")
# What `escape` calls and then wraps in `Markup`, which takes ten times as long.
escape_text: Callable[[str], str] = vars(markupsafe)["_escape_inner"]
# What takes its arguments and nothing else, unless it says so.
PLAIN = {FunctionType, MethodType, BuiltinFunctionType}

# What a function asks for beside its arguments, where Jinja itself knows three kinds.
REQUEST = object()
# Names that Jinja gives a meaning where a loop, a macro or a block mentions them.
AROUND = {"loop", "caller", "varargs", "kwargs", "self", "super"}


def written(value: Any) -> str:
    """Return a value as it stands in HTML: `escape`, but for being told that it did so."""
    return WRITTEN.get(type(value), escape)(value)


# An `if` within an expression, when it has no `else`, is `Undefined`; names are of other kinds.
WRITTEN: dict[type, Callable[[Any], str]] = {
    str: escape_text,
    Markup: lambda value: value,
    int: str,
    LazyText: lambda value: escape_text(value.value),
    Undefined: lambda _: "",
}


class PageContext(Context):
    """Calls functions and methods at once, without asking what else they might be."""

    @internalcode
    def call(
        self,
        function: Any,
        /,
        *args: Any,
        _loop_vars: Any = None,
        _block_vars: Any = None,
        **kwargs: Any,
    ) -> Any:
        if type(function) in PLAIN:
            passes = getattr(function, "jinja_pass_arg", None)
            if passes is None:
                return function(*args, **kwargs)
            if passes is REQUEST:
                return function(self["request"], *args, **kwargs)
        kwargs.update(_loop_vars=_loop_vars, _block_vars=_block_vars)
        return super().call(function, *args, **kwargs)


def pass_request(function: Function) -> Function:
    """Let templates call a function with the request before their own arguments.

    `jinja2.pass_context` passes a context, which Jinja makes anew for each call within a block that
    sets something.
    """
    marked: Any = function
    marked.jinja_pass_arg = REQUEST
    return function


class PageEnvironment(Environment):
    """What templates of pages are made in."""

    context_class = PageContext
    written = staticmethod(written)

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """Return the globals of a template as one mapping: every page begins with a copy of it."""
        return {**self.globals, **(d or {})}


class OneLanguage(PageEnvironment):
    """An environment whose templates speak one language; `in_language` makes it of another one."""

    language: Language


def in_language(environment: PageEnvironment, language: Language) -> OneLanguage:
    """Return an environment like this one, with templates of its own."""
    compiled = compiled_in(language, are_whole=is_whole(environment))
    overlay: Any = environment.overlay(bytecode_cache=compiled)
    overlay.language, overlay.code_generator_class = language, Compiler
    return overlay  # type: ignore[no-any-return]


def is_whole(environment: Environment) -> bool:
    """Say whether templates have in them what they include.

    While somebody writes templates each stays for itself, so that a change of it is seen, and a
    mistake is reported at its line of it.
    """
    return environment.loader is not None and not environment.auto_reload


class Compiler(CodeGenerator):
    """Compiles templates after their texts, and the templates they include, were put in."""

    environment: OneLanguage

    def visit_Template(self, node: nodes.Template, frame: Frame | None = None) -> None:  # noqa: N802
        if is_whole(self.environment):
            node = InPlace(self.environment).visit(node)
        with speaking(self.environment.language):
            node = Texts(self.environment).visit(node)
        super().visit_Template(node, frame)

    def blockvisit(self, nodes: Iterable[nodes.Node], frame: Frame) -> None:
        """Hand on a block as one text, rather than each piece through all the blocks around it."""
        body = list(nodes)
        if frame.buffer is not None or passes_buffers(body):
            super().blockvisit(body, frame)
            return
        self.buffer(frame)
        super().blockvisit(body, frame)
        self.writeline(f"yield concat({frame.buffer})")
        frame.buffer = None

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: Any) -> None:
        if frame.eval_ctx.autoescape and not frame.eval_ctx.volatile:
            self.write("environment.written(")
        else:
            super()._output_child_pre(node, frame, finalize)


def passes_buffers(body: list[nodes.Node]) -> bool:
    """Say whether something is included without the context, which Jinja sends at once."""
    return any(not include.with_context for include in nodes.Scope(body).find_all(nodes.Include))


class InPlace(NodeTransformer):
    """Puts in the templates that are included by their names, each in a scope of its own.

    They see what is set around them, and what they set ends with them, as Jinja has it. A mistake
    in one is reported at the line that includes it.
    """

    def __init__(self, environment: Environment, around: tuple[str, ...] = ()) -> None:
        self.environment = environment
        self.around = around

    def visit_Include(self, node: nodes.Include, *_arguments: Any) -> nodes.Node:  # noqa: N802
        name = node.template.value if isinstance(node.template, nodes.Const) else None
        if not isinstance(name, str) or node.ignore_missing or not node.with_context:
            return node
        part = None if name in self.around else self.parsed(name)
        if part is None or any(part.find_all((nodes.Extends, nodes.Block))) or asks_around(part):
            return node
        InPlace(self.environment, (*self.around, name)).visit(part)
        return nodes.Scope(part.body).set_lineno(node.lineno, override=True)

    def parsed(self, name: str) -> nodes.Template | None:
        """Return a template; one that can't be read fails the page that needs it, and no other."""
        try:
            source, path, _ = source_of(self.environment, name)
            return self.environment.parse(source, name, path)
        except (TemplateNotFound, TemplateSyntaxError):
            return None


def asks_around(node: nodes.Node) -> bool:
    """Say whether this names what a loop or a macro around it would have to know that it names."""
    if isinstance(node, nodes.Name):
        return node.name in AROUND
    inner = (nodes.For, nodes.Macro, nodes.CallBlock)
    return any(asks_around(n) for n in node.iter_child_nodes() if not isinstance(n, inner))


def source_of(environment: Environment, name: str) -> tuple[str, str | None, Any]:
    assert environment.loader is not None  # noqa: S101 - `is_whole` asked
    return environment.loader.get_source(environment, name)


class Compiled(BytecodeCache):
    """Keeps what templates compile to, by their source and that of what they include.

    Every site of a process has its own templates, and compiling takes longer than showing a page.
    """

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], CodeType | None] = {}

    def get_bucket(
        self, environment: Environment, name: str, filename: str | None, source: str
    ) -> Bucket:
        parts = parts_of(environment, source) if is_whole(environment) else ()
        return super().get_bucket(environment, name, filename, "\0".join([source, *parts]))

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self.kept.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        self.kept[bucket.key, bucket.checksum] = bucket.code


def parts_of(environment: Environment, source: str, around: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield the sources of what is included, and of what these include."""
    for name in included_by(environment, source):
        if name in around:
            continue
        try:
            part = source_of(environment, name)[0]
        except TemplateNotFound:
            continue
        yield part
        yield from parts_of(environment, part, (*around, name))


def included_by(environment: Environment, source: str) -> list[str]:
    """Return the names of what a source includes, however these are spelled."""
    if "include" not in source:
        return []
    try:
        found = environment.parse(source).find_all(nodes.Include)
    except TemplateSyntaxError:
        return []
    names = [each.template.value for each in found if isinstance(each.template, nodes.Const)]
    return [name for name in names if isinstance(name, str)]


@cache
def compiled_in(_language: Language, *, are_whole: bool) -> Compiled:  # noqa: ARG001 - the key
    """Return what keeps the templates of a language, which are read once a process."""
    return Compiled()
