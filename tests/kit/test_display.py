"""Values as people read them."""

import enum
from contextvars import copy_context
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from markupsafe import Markup

from admin.kit.display import LONGEST_CELL, display, display_short
from admin.kit.zones import set_zone
from tests.kit.app import Binding, Publisher

EVIL = "<script>alert(1)</script>"


class Kind(enum.StrEnum):
    EVIL = "<b>"


@pytest.mark.parametrize("value", [None, "", "  ", "\n"])
def test_nothing_is_a_dash_that_says_so(value: Any) -> None:
    assert display(value) == '<span class="empty-value" title="Empty">–</span>'


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "0"),
        (Decimal("-9.50"), "-9.50"),
        (Binding.HARD_COVER, "Hard cover"),
        (Kind.EVIL, "Evil"),
        (b"<b>", "3 bytes"),
        (["a", "<b>"], "a, &lt;b&gt;"),
        ({"a": "<b>"}, "{&#34;a&#34;: &#34;&lt;b&gt;&#34;}"),
        (True, '<span class="yes">Yes</span>'),
        (False, '<span class="no">No</span>'),
        (date(999, 1, 2), '<time datetime="0999-01-02">0999-01-02</time>'),
        (Markup("<b>x</b>"), "<b>x</b>"),
    ],
)
def test_values_are_words_and_never_markup(value: Any, shown: str) -> None:
    assert display(value) == shown
    assert display_short(value) == shown


def test_instants_are_minutes_with_the_second_behind() -> None:
    moment = datetime(2024, 1, 2, 1, 30, 59, 7, tzinfo=timezone(timedelta(hours=2)))
    exact = "2024-01-01T23:30:59Z"
    assert display(moment) == f'<time datetime="{exact}">2024-01-01 23:30 UTC</time>'
    assert display(datetime(999, 1, 2, tzinfo=UTC)).striptags() == "0999-01-02 00:00 UTC"
    assert display(datetime(2024, 1, 2, 3, 4)).striptags() == "2024-01-02 03:04"  # noqa: DTZ001


def test_instants_of_another_zone_are_said_in_utc_as_well() -> None:
    moment = datetime(2024, 1, 1, 23, 30, 59, tzinfo=UTC)
    context = copy_context()
    context.run(set_zone, ZoneInfo("Asia/Tokyo"))
    shown = context.run(display, moment)
    assert 'title="2024-01-01 23:30:59 UTC">2024-01-02 08:30</time>' in shown


def test_a_long_text_is_cut_in_lists_only_and_before_it_is_escaped() -> None:
    text = "<" * (LONGEST_CELL + 1)
    assert display_short(text) == "&lt;" * LONGEST_CELL + "…"
    assert display(text) == "&lt;" * (LONGEST_CELL + 1)
    assert display_short(Publisher(name=text)).endswith("&lt;…")
    assert display_short("x" * LONGEST_CELL) == "x" * LONGEST_CELL


def test_markup_of_a_formatter_is_never_cut() -> None:
    markup = Markup("<a href='/'>{}</a>").format("x" * 200)
    assert display_short(markup) == markup
