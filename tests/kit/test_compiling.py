"""Templates that are compiled with what they include say what Jinja would, on every page anew."""

import traceback
from pathlib import Path
from typing import Any

import jinja2
import pytest
from jinja2 import DictLoader, Environment, StrictUndefined, TemplateSyntaxError, UndefinedError
from markupsafe import Markup
from starlette.requests import Request

from admin.kit.compiling import PageEnvironment, in_language, pass_request
from admin.kit.icons import icon
from admin.kit.languages import ENGLISH, lazy_gettext
from admin.kit.static_files import StaticFiles
from admin.kit.templating import Templates, say
from tests.databases import Sqlite


@pytest.fixture
def backend(sqlite: Sqlite) -> Sqlite:
    """Choose one kind of database: here they make no difference."""
    return sqlite


class Thing:
    """Something that knows how it looks."""

    def __html__(self) -> str:
        return "<i>thing</i>"


VALUES: dict[str, Any] = {
    "outer": "outside",
    "numbers": [1, 2],
    "few": ["<b>", "&amp;", "'", '"', "ä", "", Markup("<b>"), 5, 2.5, None, True, Thing()],
    "lazy": lazy_gettext("A & B"),
    "tree": {"label": "a", "below": [{"label": "b", "below": []}]},
}
PARTS = {
    "part": "[{{ outer }}{{ item }}]",
    "last": "{{ loop.last if loop else 'no loop' }}",
    "twice": "{% for m in 'ab' %}{% include 'last' %}{% endfor %}",
    "sets": "{% set item = 'in' %}{{ item }}",
    "counts": "{% set item = item ~ '+' %}{{ item }}",
    "nested": "({% include 'part' %}{% set outer = 'here' %}{% include 'part' %})",
    "macro": "{% macro say(x) %}{{ x }}{{ item }}{% endmacro %}{{ say('<') }}",
    "tree": "{{ tree.label }}{% for tree in tree.below %}{% include 'tree' %}{% endfor %}",
    "framed": "{% extends 'frame' %}{% block inside %}{{ item }}{% endblock %}",
    "frame": "<{% block inside %}{% endblock %}>",
    "imports": "{% from 'macros' import told with context %}{{ told() }}",
    "macros": "{% macro told() %}{{ item }}{% endmacro %}",
    "alone": "{{ item is defined }}",
}
SOURCES = [
    "{% set item = 'x' %}{% include 'part' %}",
    "{% set item = 'x' %}{% include 'sets' %}{{ item }}",
    "{% set item = 'x' %}{% include 'counts' %}{% include 'counts' %}{{ item }}",
    "{% set item = 'x' %}{% include 'nested' %}{{ outer }}",
    "{% for item in numbers %}{% include 'part' %}{% include 'sets' %}{{ item }}{% endfor %}",
    "{% for item in numbers %}{% set outer = item %}{% include 'part' %}{% endfor %}{{ outer }}",
    "{% for n in numbers %}{% include 'last' %}{% endfor %}",
    "{% for n in numbers %}{{ loop.first }}{% include 'last' %}{% endfor %}",
    "{% for n in numbers %}{{ loop.first }}{% include 'twice' %}{% endfor %}",
    "{% set item = 'x' %}{% include 'macro' %}{% include 'macro' %}",
    "{% include 'tree' %}",
    "{% set item = 'x' %}a{% include 'framed' %}b",
    "{% set item = 'x' %}{% include 'imports' %}",
    "{% set item = 'x' %}a{% include 'alone' without context %}b",
    "{% set item = 'x' %}a{% if outer %}b{% include 'alone' without context %}c{% endif %}d",
    "{% include 'missing' ignore missing %}{% if not outer %}{% include 'missing' %}{% endif %}",
    "{% set item = 'x' %}{% include ['missing', 'part'] %}",
    "{% macro m(item) %}{% include 'part' %}{% endmacro %}{{ m('<') }}",
    "{% set kept %}{% include 'frame' %}{% endset %}{{ kept }}{{ kept | length }}",
    "{% extends 'frame' %}{% block inside %}{{ super() }}{% include 'frame' %}{% endblock %}",
    "{% for x in few %}{{ x }}{{ x ~ '<' }}{{ ' checked' if x == 5 }}{% endfor %}",
    "{{ lazy }}{{ lazy ~ '<' }}{{ lazy | upper }}{{ '<' | safe }}{{ '<' }}{{ 1 + 1 }}",
    "{% autoescape false %}{{ few[0] }}{% endautoescape %}{{ few[0] }}",
    "{% filter upper %}{{ outer }}{% include 'sets' %}{% endfilter %}",
    "{% macro m() %}<{{ caller() }}>{% endmacro %}{% call m() %}{{ outer }}{% endcall %}",
    "{{ few.index(5) }}{{ namer(few) }}{{ '%s' | format(outer) }}{{ range(3) | join }}",
]


def environment(kind: type[Environment], source: str) -> Any:
    made = kind(
        autoescape=True,
        loader=DictLoader({**PARTS, "page": source}),
        undefined=jinja2.ChainableUndefined,
        auto_reload=False,
    )
    made.globals.update(_=say, icon=icon, namer=len)
    return made


@pytest.mark.parametrize("source", SOURCES)
def test_a_page_is_what_jinja_makes_of_it(source: str) -> None:
    usual = environment(Environment, source).get_template("page").render(VALUES)
    ours = in_language(environment(PageEnvironment, source), ENGLISH).get_template("page")
    assert ours.render(VALUES) == usual


def test_what_nobody_set_is_still_missed() -> None:
    strict = PageEnvironment(undefined=StrictUndefined)
    strict.globals.update(_=say, icon=icon)
    with pytest.raises(UndefinedError, match="'nobody' is undefined"):
        in_language(strict, ENGLISH).from_string("{{ nobody }}").render()


def test_functions_get_the_request_or_the_context_they_ask_for() -> None:
    @pass_request
    def path(request: Request, more: str) -> str:
        return request.url.path + more

    @jinja2.pass_context
    def seen(context: jinja2.runtime.Context) -> object:
        return context["item"]

    source = "{{ path('x') }}{% for n in [1] %}{% set item = n %}{{ seen() }}{% endfor %}"
    made = environment(PageEnvironment, source)
    made.globals.update(path=path, seen=seen)
    scope = {"type": "http", "path": "/a/", "query_string": b"", "headers": [(b"host", b"h")]}
    page = in_language(made, ENGLISH).get_template("page")
    assert page.render(request=Request(scope)) == "/a/x1"


def pages(folder: Path, *, auto_reload: bool = False, **files: str) -> Templates:
    for name, source in files.items():
        (folder / f"{name}.html").write_text(source)
    return Templates([folder], StaticFiles(), auto_reload=auto_reload)


def test_a_part_of_the_application_replaces_the_kits(tmp_path: Path) -> None:
    (tmp_path / "sqladmin").mkdir()
    (tmp_path / "sqladmin/_language.html").write_text("Esperanto")
    templates = pages(tmp_path, page='{% include "sqladmin/_language.html" %}')
    assert templates.template("page.html").render() == "Esperanto"


def test_a_page_whose_part_was_changed_is_compiled_again(tmp_path: Path) -> None:
    for text in ("one", "two"):
        templates = pages(
            tmp_path, page='{% include "a.html" %}', a='{% include "b.html" %}', b=text
        )
        assert templates.template("page.html").render() == text


def test_one_who_writes_templates_sees_each_change_of_a_part(tmp_path: Path) -> None:
    templates = pages(tmp_path, auto_reload=True, page='{% include "part.html" %}', part="one")
    assert templates.template("page.html").render() == "one"
    (tmp_path / "part.html").write_text("two more")
    assert templates.template("page.html").render() == "two more"


@pytest.mark.parametrize(
    ("auto_reload", "place"), [(True, ("part.html", 3)), (False, ("page.html", 2))]
)
def test_a_mistake_is_told_where_it_is_or_where_it_is_included(
    tmp_path: Path, auto_reload: bool, place: tuple[str, int]
) -> None:
    page, part = '\n{% include "part.html" %}', "\n\n{{ nobody }}"
    templates = pages(tmp_path, auto_reload=auto_reload, page=page, part=part)
    with pytest.raises(UndefinedError) as caught:
        templates.template("page.html").render()
    lines = traceback.extract_tb(caught.value.__traceback__)
    told = [(Path(line.filename).name, line.lineno) for line in lines]
    assert [line for line in told if line[0].endswith(".html")][-1] == place


def test_a_part_that_cannot_be_read_fails_the_page_that_needs_it_alone(tmp_path: Path) -> None:
    page = '{% if needed %}{% include "part.html" %}{% endif %}'
    template = pages(tmp_path, page=page, part="\n{% if %}").template("page.html")
    assert template.render(needed=False) == ""
    with pytest.raises(TemplateSyntaxError) as caught:
        template.render(needed=True)
    assert (caught.value.name, caught.value.lineno) == ("part.html", 2)


def test_a_page_is_handed_on_as_few_long_texts(tmp_path: Path) -> None:
    source = "{% for n in range(100) %}<b>{{ n }}</b>{% endfor %}"
    template = pages(tmp_path, page=source).template("page.html")
    assert len(list(template.generate())) == 1


@pytest.mark.parametrize("include", ['include ("part")', 'include"part"', r'include "p\x61rt"'])
def test_what_is_remembered_is_no_other_site_s_part(tmp_path: Path, include: str) -> None:
    (tmp_path / "page").write_text(f"{{% {include} %}}")
    said = []
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "part").write_text(name)
        templates = Templates([tmp_path / name, tmp_path], StaticFiles())
        said.append(templates.template("page").render())
    assert said == ["one", "other"]
