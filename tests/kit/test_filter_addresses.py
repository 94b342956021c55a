"""What an address may ask of a list, and what is refused in a sentence."""

from __future__ import annotations

import operator
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.kit.app import Binding, Book, Publisher, PublisherAdmin, make_app
from tests.kit.filtered import PlainAdmin
from tests.kit.pages import follow, links, sentence, store, titles
from tests.personas import visit

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.testclient import TestClient

    from models.database import Database

LIST = "/admin/book/list"
ONCE_FILLED = settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture
def client(library: Database) -> TestClient:
    return visit(make_app(library, PlainAdmin, PublisherAdmin))


@pytest.mark.parametrize(
    "query",
    [
        "password__startswith=a",
        "title__startswith=a",
        "title=One",
        "publisher.id=1",
        "version__gte=1",
        "_where=version=1",
        "_where=publisher.id__gte%3D1",
        "_where=password__startswith%3Da",
    ],
)
def test_a_column_that_no_filter_names_is_no_oracle(client: TestClient, query: str) -> None:
    """The title is listed, hence conditions may name it; its own parameter is none."""
    answer = client.get(f"{LIST}?{query}")
    assert answer.status_code == 400
    assert "can't be filtered by what this address names" in sentence(answer)


def test_what_looks_like_no_column_is_ignored(client: TestClient, library: Database) -> None:
    store(library, Book(title="One"))
    assert titles(client, utm_source="mail", _other__thing="1", x="2") == ["One"]


def test_the_same_holds_for_files(client: TestClient) -> None:
    assert client.get("/admin/book/export/csv?password__startswith=a").status_code == 400
    assert client.get("/admin/book/export/csv?price__gte=x").status_code == 400


@pytest.mark.parametrize(
    ("query", "title"),
    [
        ("price__gte=abc", "Price"),
        ("price__gte=1e5", "Price"),
        ("price__gte=NaN", "Price"),
        ("price__gte=" + "9" * 31, "Price"),
        ("pages=" + "9" * 20, "Pages"),
        ("pages__lte=2147483648", "Pages"),
        ("pages=1.5", "Pages"),
        ("pages=٣", "Pages"),
        ("binding=LEATHER", "Binding"),
        ("lendable=1", "Lendable"),
        ("acquired_at__gte=2026-02-30", "Acquired at"),
        ("acquired_at__gte=0000-01-01", "Acquired at"),
        ("acquired_at__lte=9999-12-31", "Acquired at"),
        ("acquired_at__lte=2026-1-1", "Acquired at"),
        ("printed_on__lte=2026-01-01T10:00", "Printed on"),
        ("subtitle__contains=%00", "Subtitle"),
        ("subtitle__contains=" + "x" * 201, "Subtitle"),
        ("subtitle__empty=perhaps", "Subtitle"),
        ("publisher=x", "Publisher"),
        ("publisher__empty=1", "Publisher"),
        ("&".join(f"publisher={n}" for n in range(1, 60)), "Publisher"),
        ("_where=price__gte%3Dabc", "Price"),
        ("_where=price__contains%3D1", "Price"),
        ("_where=title__gte%3D1", "Title"),
    ],
)
def test_a_bad_value_is_refused_by_the_name_of_its_filter(
    client: TestClient, query: str, title: str
) -> None:
    answer = client.get(f"{LIST}?{query}&sortBy=title&search=tea")
    assert answer.status_code == 400
    assert f"The filter “{title}” can't be set to this." in sentence(answer)
    assert links(answer, "Show the list without this") == [f"{LIST}?sortBy=title&search=tea"]
    assert follow(client, answer, "Show the list without this").status_code == 200
    assert links(answer, "Clear all filters") == [f"{LIST}?sortBy=title"]


def test_a_bad_group_is_left_out_alone(client: TestClient) -> None:
    good, bad = "title__contains=tea", "price__gte=abc"
    answer = client.get(f"{LIST}?{urlencode([('_where', good), ('_where', bad)])}")
    (link,) = links(answer, "Show the list without this")
    assert link == f"{LIST}?{urlencode({'_where': good})}"


@pytest.mark.parametrize(
    "groups",
    [
        ["x"],
        ["="],
        ["title__contains=a"] * 11,
        ["&".join(["title=a"] * 21)],
        ["title__contains=" + "a" * 5000],
    ],
)
def test_groups_of_conditions_are_bounded(client: TestClient, groups: list[str]) -> None:
    answer = client.get(LIST, params=[("_where", group) for group in groups])
    assert answer.status_code == 400


NAMES = [
    "lendable",
    "binding",
    "acquired_at__gte",
    "printed_on",
    "price",
    "price__gte",
    "pages__in",
]
NAMES += ["publisher", "publisher__not", "tags", "subtitle__contains", "publisher.name__empty"]
NAMES += ["cover.artist__startswith", "_where", "_build", "_g", "_f", "_o", "_v", "_facets", "x__y"]


@ONCE_FILLED
@given(st.lists(st.tuples(st.sampled_from(NAMES), st.binary(max_size=24)), max_size=4))
def test_no_bytes_of_an_address_are_an_error_of_ours(
    client: TestClient, sent: list[tuple[str, bytes]]
) -> None:
    query = "&".join(f"{name}={quote(value)}" for name, value in sent)
    assert client.get(f"{LIST}?{query}").status_code in (200, 302, 400)


@ONCE_FILLED
@given(st.lists(st.tuples(st.sampled_from([*NAMES, "title"]), st.text(max_size=12)), max_size=4))
def test_no_text_in_a_group_is_an_error_of_ours(
    client: TestClient, pairs: list[tuple[str, str]]
) -> None:
    answer = client.get(LIST, params={"_where": urlencode(pairs), "_build": "open"})
    assert answer.status_code in (200, 400)


# Random combinations, as a database and as Python understand them.

DAY = date(2026, 1, 1)
COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}
TEXTS = ["", "a", "A%", "b_a", "ab"]


def books() -> list[Book]:
    """Return every combination of some values, with empty ones among them."""
    ace, orion = Publisher(name="Ace"), Publisher(name="Orion")
    return [
        Book(
            title=f"{n}",
            lendable=[True, False, None][n % 3],
            binding=[Binding.PAPERBACK, None, Binding.HARD_COVER, None][n % 4],
            price=[Decimal("1.10"), None, Decimal(2), Decimal("1.05")][n // 2 % 4],
            printed_on=[DAY, None, DAY + timedelta(days=1), DAY - timedelta(days=1)][n // 3 % 4],
            subtitle=[None, *TEXTS][n // 5 % 6],
            publisher=[ace, None, orion][n // 7 % 3],
        )
        for n in range(60)
    ]


def holds(book: Book, name: str, value: str) -> bool:
    """Say whether a condition holds for a book, as Python understands it."""
    path, _, lookup = name.partition("__")
    held: Any = (
        getattr(book, path) if path != "publisher.name" else getattr(book.publisher, "name", None)
    )
    if lookup == "empty":
        return (held in (None, "")) == (value == "yes")
    if path == "publisher":
        held = held and str(held.id)
    if path == "binding":
        held = held and held.name
    if path in ("subtitle", "publisher.name"):
        return held is not None and found(held.lower(), lookup, value.lower())
    wanted: Any = value
    if path == "price":
        wanted = Decimal(value)
    if path == "printed_on":
        wanted = date.fromisoformat(value)
    if path == "lendable":
        wanted = {"true": True, "false": False, "empty": None}[value]
    if lookup in COMPARE:
        return held is not None and COMPARE[lookup](held, wanted)
    return bool(held != wanted) if lookup == "not" else bool(held == wanted)


def found(held: str, lookup: str, value: str) -> bool:
    return value in held if lookup == "contains" else held.startswith(value)


def named(names: list[str], values: list[str]) -> st.SearchStrategy[tuple[str, str]]:
    return st.tuples(st.sampled_from(names), st.sampled_from(values))


ANY_CONDITION = st.one_of(
    named(["lendable", "lendable__not"], ["true", "false", "empty"]),
    named(["binding", "binding__not"], ["PAPERBACK", "HARD_COVER"]),
    named(
        ["price", "price__not", *(f"price__{name}" for name in COMPARE)], ["1.1", "1.05", "1.06"]
    ),
    named(
        ["printed_on", *(f"printed_on__{name}" for name in COMPARE)], ["2026-01-01", "2025-12-31"]
    ),
    named(
        ["subtitle__contains", "subtitle__startswith", "publisher.name__contains"], ["a", "%", "_"]
    ),
    named(["publisher", "publisher__not"], ["1", "2", "9"]),
    named(["subtitle__empty", "publisher__empty", "publisher.name__empty"], ["yes", "no"]),
)
GROUP = st.lists(ANY_CONDITION, min_size=1, max_size=3, unique_by=lambda pair: pair[0])


@pytest.fixture
def filled(library: Database) -> list[Book]:
    stored = books()
    store(library, *stored)
    return stored


@ONCE_FILLED
@given(st.lists(GROUP, max_size=3))
def test_the_database_and_python_agree_on_groups(
    client: TestClient, filled: list[Book], groups: list[list[tuple[str, str]]]
) -> None:
    expected = [
        book.title
        for book in filled
        if not groups or any(all(holds(book, *pair) for pair in group) for group in groups)
    ]
    query = urlencode([("_where", urlencode(group)) for group in groups])
    rows = client.get(f"/admin/book/export/json?{query}").json()
    assert sorted(row["title"] for row in rows) == sorted(expected)


@ONCE_FILLED
@given(GROUP)
def test_the_filters_mean_the_same_as_one_group(
    client: TestClient, filled: list[Book], group: list[tuple[str, str]]
) -> None:
    """Of a filter that takes no such operator, only groups may ask."""
    path = "/admin/book/export/json"
    alone = client.get(f"{path}?{urlencode(group)}")
    together = client.get(path, params={"_where": urlencode(group)})
    assert together.status_code == 200
    assert alone.status_code == 400 or alone.json() == together.json()
