"""The builder of conditions, as a browser without scripts uses it: all by addresses."""

from __future__ import annotations

from html import unescape
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from admin.kit import ModelAdmin
from tests.kit.app import Binding, Book, Publisher, PublisherAdmin, make_app
from tests.kit.filtered import PlainAdmin
from tests.kit.pages import cells, follow, links, store
from tests.pages import Element, Page
from tests.personas import visit

if TYPE_CHECKING:
    from httpx2 import Response
    from starlette.testclient import TestClient

    from models.database import Database

LIST = "/admin/book/list"


@pytest.fixture
def client(library: Database) -> TestClient:
    orion = Publisher(name="Orion")
    store(library, Book(title="One", publisher=orion, price=5), Book(title="Two", pages=3))
    store(library, Book(title="Three", binding=Binding.PAPERBACK))
    return visit(make_app(library, PlainAdmin, PublisherAdmin))


def form(page: Response) -> Element:
    (section,) = Page(page).root.find("section", id="builder")
    return section.find("form")[0]


def sent(page: Response) -> list[tuple[str, str]]:
    """Return what the builder's form sends, in order, without a button."""
    found = []
    for element in elements(form(page)):
        name, value = element.attributes.get("name", ""), element.attributes.get("value", "")
        if element.tag == "select":
            options = element.find("option")
            chosen = [o for o in options if "selected" in o.attributes] or options[:1]
            found.append((name, chosen[0].attributes["value"]))
        elif element.tag == "input":
            found.append((name, value))
    return found


def elements(root: Element) -> list[Element]:
    inner = [child for child in root.children if isinstance(child, Element)]
    return [one for child in inner for one in (child, *elements(child))]


def press(client: TestClient, page: Response, button: str, **entered: str) -> Response:
    """Enter values into the last row, and press a button."""
    pairs = sent(page)
    for name, value in entered.items():
        last = max(n for n, pair in enumerate(pairs) if pair[0] == f"_{name}")
        pairs[last] = (f"_{name}", value)
    # The order counts, which the client's own `params` would not keep.
    return client.get(f"{LIST}?{urlencode([*pairs, ('_build', button)])}")


def where(answer: Response) -> list[str]:
    assert answer.status_code == 302
    query = parse_qsl(urlsplit(answer.headers["location"]).query)
    return [value for name, value in query if name == "_where"]


def test_conditions_and_groups_are_built_by_buttons(client: TestClient) -> None:
    page = follow(client, client.get(f"{LIST}?sortBy=title"), "Conditions")
    page = press(client, page, "update", f="title")
    page = press(client, page, "and-0", o="contains", v="o")
    page = press(client, page, "update", f="price")
    page = press(client, page, "or", o="gte", v="5")
    page = press(client, page, "update", f="binding")
    answer = press(client, page, "apply", v="PAPERBACK")
    assert where(answer) == ["title__contains=o&price__gte=5", "binding=PAPERBACK"]
    page = client.get(answer.headers["location"])
    assert [row[0] for row in cells(page)] == ["One", "Three"]
    assert links(page, "Remove Binding: Paperback") == [
        f"{LIST}?{urlencode({'sortBy': 'title', '_where': 'title__contains=o&price__gte=5'})}"
    ]


def test_what_holds_now_is_what_the_builder_opens_with(client: TestClient) -> None:
    groups = ["title__contains=o&publisher=1", "price__empty=yes&binding=PAPERBACK"]
    page = client.get(LIST, params=[*(("_where", g) for g in groups), ("_build", "open")])
    assert where(press(client, page, "apply")) == groups
    rows = [pair for pair in sent(page) if pair[0] in ("_f", "_o", "_v")]
    assert rows[:6] == [
        ("_f", "title"),
        ("_o", "contains"),
        ("_v", "o"),
        ("_f", "publisher"),
        ("_o", ""),
        ("_v", "1"),
    ]
    assert 'data-chosen="Orion"' in page.text


def test_a_row_and_a_group_are_taken_away(client: TestClient) -> None:
    groups = [("_where", "title=a&price=1"), ("_where", "pages=3")]
    page = client.get(LIST, params=[*groups, ("_build", "open")])
    assert where(press(client, press(client, page, "drop-0-0"), "apply")) == ["price=1", "pages=3"]
    assert where(press(client, press(client, page, "drop-1-0"), "apply")) == ["title=a&price=1"]
    none = client.get(LIST, params=[("_where", "pages=3"), ("_build", "open")])
    assert where(press(client, press(client, none, "drop-0-0"), "apply")) == []


@pytest.mark.parametrize(
    ("value", "said"), [("", "Choose or type"), ("x", "can't have this value")]
)
def test_what_makes_no_sense_is_said_at_its_row(client: TestClient, value: str, said: str) -> None:
    page = press(client, client.get(f"{LIST}?_build=open"), "update", f="pages")
    page = press(client, page, "apply", v=value)
    assert page.status_code == 200
    assert said in unescape(page.text)
    assert 'aria-invalid="true"' in page.text


def test_operators_are_those_of_the_fields_type(client: TestClient) -> None:
    start = client.get(f"{LIST}?_build=open")

    def offered(field: str) -> list[str]:
        selects = form(press(client, start, "update", f=field)).find("select", name="_o")
        return [option.text for option in selects[0].find("option")]

    text = ["is", "is not", "contains", "begins with", "is one of"]
    assert offered("title") == text
    assert offered("subtitle") == [*text, "is empty", "is not empty"]
    assert offered("lendable") == ["is", "is not"]
    assert "is on or after" in offered("printed_on")


def test_the_drafts_names_are_no_part_of_what_is_applied(client: TestClient) -> None:
    page = press(client, client.get(f"{LIST}?search=o&_build=open"), "update", f="pages")
    assert press(client, page, "apply", v="3").headers["location"] == (
        f"{LIST}?search=o&_where=pages%3D3"
    )
    assert f'href="{LIST}?search=o" aria-label="Close the conditions"' in page.text


def test_scripts_are_handed_the_part_alone(client: TestClient) -> None:
    part = client.get(f"{LIST}?_build=open&_part=builder").text
    assert part.lstrip().startswith("<section")
    assert "<table" not in part


@pytest.mark.parametrize("query", ["_g=0&_f=version&_o=&_v=1", "&".join(["_g=0"] * 11)])
def test_a_draft_names_no_more_than_an_address_may(client: TestClient, query: str) -> None:
    assert client.get(f"{LIST}?_build=update&{query}").status_code == 400


def test_a_column_behind_a_formatter_is_not_asked_about(library: Database) -> None:
    class Masked(ModelAdmin, model=Book):
        column_list = [Book.title, Book.subtitle]
        column_formatters = {Book.subtitle: lambda *_: "***"}
        form_columns = [Book.title]

    client = visit(make_app(library, Masked))
    assert client.get(f"{LIST}?_where=subtitle__startswith%3Da").status_code == 400
    assert client.get(f"{LIST}?_where=title__startswith%3Da").status_code == 200
