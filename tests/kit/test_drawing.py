"""Cells of a column that are drawn at once are those that are drawn one by one."""

from collections.abc import Callable
from contextvars import copy_context
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from markupsafe import Markup

from admin.kit.display import (
    LONGEST_CELL,
    display_boolean,
    display_datetime,
    display_object,
    display_short,
    escaped_all,
)
from admin.kit.keys import in_path, in_paths
from admin.kit.languages import Languages, set_language
from admin.kit.lists.drawing import draw, draw_around, is_nothing
from admin.kit.zones import set_zone
from tests.kit.app import Publisher

NOTHING = Markup("<i>nothing</i>")
SUMMER, WINTER = datetime(2026, 7, 1, 22, 30, 59, 7, UTC), datetime(999, 1, 2, tzinfo=UTC)
ELSEWHERE = datetime(2026, 3, 4, 1, 2, 3, tzinfo=timezone(timedelta(hours=-9, minutes=-30)))
NAIVE = datetime(2026, 1, 2, 3, 4)  # noqa: DTZ001
ENDS = [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)]
LONG = "<" * (LONGEST_CELL + 1)
COLUMNS: list[tuple[Callable[[Any], Markup], list[Any]]] = [
    (display_short, ["Emma", "O'Hara & Söhne", "<b>", LONG]),
    (display_short, ["Emma", "two\0texts", "<b>"]),
    (display_short, ["Emma", Markup("<b>"), 3]),
    (display_short, ["Emma", "", None, "  ", "x"]),
    (display_short, ["", " "]),
    (display_short, [SUMMER, WINTER, ELSEWHERE, *ENDS]),
    (display_short, [SUMMER, None, WINTER]),
    (display_short, [SUMMER, NAIVE]),
    (display_short, []),
    (display_boolean, [True, None, False, True]),
    (display_boolean, [1, True, 0]),
    (display_object, [Publisher(name="A & B"), Publisher(name=LONG), Publisher(name="C")]),
]


def one_by_one(show: Callable[[Any], Markup], values: list[Any]) -> list[Markup]:
    return [NOTHING if is_nothing(value) else show(value) for value in values]


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Asia/Tokyo"])
@pytest.mark.parametrize("language", ["en", "de", "ar"])
@pytest.mark.parametrize(("show", "values"), COLUMNS)
def test_a_column_is_its_cells(
    show: Callable[[Any], Markup], values: list[Any], language: str, zone: str
) -> None:
    def check() -> None:
        set_language(Languages(["en", "de", "ar"]).by_code[language])
        set_zone(ZoneInfo(zone))
        drawn = draw_around(values, NOTHING, lambda some: draw(show, some))
        assert drawn == one_by_one(show, values)
        assert all(isinstance(cell, Markup) for cell in drawn)

    copy_context().run(check)


def test_who_calls_themselves_in_html_is_asked_one_by_one() -> None:
    class Signed:
        def __str__(self) -> str:
            return Markup("<b>signed</b>")

    objects = [Publisher(name="<i>"), Signed()]
    assert draw(display_object, objects) == list(map(display_object, objects))


def test_an_instant_is_written_with_whole_seconds_and_four_digits_of_a_year() -> None:
    stamp = "0999-01-02T00:00:00Z"
    assert display_datetime(WINTER) == f'<time datetime="{stamp}">0999-01-02 00:00 UTC</time>'


@pytest.mark.parametrize("texts", [[], [""], ["a", "b"], ["<", "\0&", ""], ["'\"", "x"]])
def test_texts_are_escaped_together_as_they_are_apart(texts: list[str]) -> None:
    assert list(escaped_all(texts)) == [str(Markup.escape(text)) for text in texts]


@pytest.mark.parametrize("keys", [[], ["1", "22"], ["1", "a/b", ""], ["ä"], ["~", "x;y"]])
def test_keys_stand_in_paths_together_as_they_do_apart(keys: list[str]) -> None:
    assert list(in_paths(keys)) == [in_path(key) for key in keys]
