"""What every page is made with: the paths of its links, and its texts."""

from pathlib import Path
from unittest.mock import Mock

import pytest
from jinja2 import Environment, TemplateSyntaxError
from starlette.requests import Request
from starlette.testclient import TestClient

from admin.kit.compiling import PageEnvironment, in_language
from admin.kit.icons import icon
from admin.kit.languages import Languages, speaking
from admin.kit.static_files import StaticFiles
from admin.kit.templating import BLANKS_MATTER, TEMPLATES, Templates, WithoutIndentation, say
from tests.databases import Sqlite


@pytest.fixture
def backend(sqlite: Sqlite) -> Sqlite:
    """Choose one kind of database: here they make no difference."""
    return sqlite


def asked_paths(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Open the front page, and return the routes whose path was looked for."""
    asked: list[str] = []
    url_for = Request.url_for

    def note(request: Request, name: str, /, **params: str) -> object:
        asked.append(name)
        return url_for(request, name, **params)

    with monkeypatch.context() as patch:
        patch.setattr(Request, "url_for", note)
        client.get("/admin/")
    return asked


def test_paths_are_looked_for_on_the_first_page_only(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "admin:list" in asked_paths(client, monkeypatch)
    assert asked_paths(client, monkeypatch) == []


def test_no_more_paths_are_remembered_than_there_is_room_for(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("admin.kit.templating.MOST_PATHS", 0)
    assert asked_paths(client, monkeypatch) != []
    assert asked_paths(client, monkeypatch) != []


def test_values_in_a_text_are_escaped() -> None:
    assert say("New %(name)s", name="<b>") == "New &lt;b&gt;"


def test_a_percent_sign_is_written_twice_in_every_text() -> None:
    assert say("100 %% of it") == "100 % of it"


def spoken(code: str, source: str, **values: object) -> str:
    """Render a template as a page in this language does."""
    environment = PageEnvironment(autoescape=True)
    environment.globals.update(_=say, icon=icon)
    language = Languages(["en", "de"]).by_code[code]
    with speaking(language):
        return in_language(environment, language).from_string(source).render(values)


@pytest.mark.parametrize(("code", "said"), [("en", "Search"), ("de", "Suchen")])
def test_texts_are_compiled_into_the_templates_of_a_language(code: str, said: str) -> None:
    assert spoken(code, "{{ _('Search') }}") == said


def test_texts_with_values_are_made_for_each_page() -> None:
    source = "{{ _('New %(name)s', name=name) }}"
    assert spoken("en", source, name="<b>") == "New &lt;b&gt;"


def test_a_text_in_an_expression_is_one_of_the_language() -> None:
    assert spoken("de", "{{ _('Search') | upper }}{{ x or _('Search') }}", x="") == "SUCHENSuchen"


def rendered(source: str) -> str:
    return (
        Environment(autoescape=True, extensions=[WithoutIndentation]).from_string(source).render()
    )


def test_the_indentation_of_templates_is_not_sent() -> None:
    assert rendered("<p>\n    a  b\n\t<i>c</i>\n</p>") == "<p>\na  b\n<i>c</i>\n</p>"


@pytest.mark.parametrize("tag", ["pre", "textarea"])
def test_where_blanks_matter_a_template_stays_as_it_is(tag: str) -> None:
    source = f"<{tag} rows=2>\n  a\n    b</{tag}>"
    assert rendered(source) == source


@pytest.mark.parametrize("path", sorted(TEMPLATES.rglob("*.html")), ids=lambda path: path.stem)
def test_blanks_matter_in_none_of_the_kits_templates(path: Path) -> None:
    assert not BLANKS_MATTER.search(path.read_text())


def test_a_mistake_is_reported_at_its_line_of_the_file() -> None:
    with pytest.raises(TemplateSyntaxError) as caught:
        rendered("<p>\n\n\n    {{ a b }}\n</p>")
    assert caught.value.lineno == 4


def test_a_template_is_compiled_once_for_all_sites(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "sqladmin/list.html"
    Templates([], StaticFiles()).template(name)
    monkeypatch.setattr(Environment, "compile", Mock(side_effect=AssertionError))
    assert Templates([], StaticFiles()).template(name).name == name


def test_a_template_that_was_changed_is_compiled_again(tmp_path: Path) -> None:
    for text in ("one", "two"):
        (tmp_path / "page.html").write_text(text)
        template = Templates([tmp_path], StaticFiles()).template("page.html")
        assert template.render() == text


def test_what_is_compiled_in_one_language_is_shown_in_no_other(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text('{{ _("Save") }}')
    said = []
    for language in Languages(["en", "de"]):
        with speaking(language):
            said.append(Templates([tmp_path], StaticFiles()).template("page.html").render())
    assert said == ["Save", "Sichern"]
