"""Numbers and dates as people read them, in the language of the request.

English keeps the plain forms: `1,234.50`, `2026-12-31`. Other languages get theirs from CLDR, by
way of Babel; what a page prints many times is remembered.
"""

from __future__ import annotations

import functools
import re
from datetime import date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING

from babel.dates import format_date, format_skeleton, format_time
from babel.lists import format_list
from babel.numbers import format_decimal, format_percent, get_decimal_symbol

from admin.kit.languages import SOURCE, get_language, gettext

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from babel import Locale

    from admin.kit.languages import Language

NUMERAL = re.compile(r"-?[0-9]+(\.[0-9]+)?")
# Two digits of a date or a time.
TWO = [f"{number:02}" for number in range(60)]
LEFT_TO_RIGHT = "\N{LEFT-TO-RIGHT MARK}"


def write_number(value: float | Decimal, places: int = 0) -> str:
    """Return a number with the thousands set apart, rounded to so many decimal places."""
    language = get_language()
    if language.code == SOURCE:
        return f"{value:,.{places}f}" if places else f"{int(value):,}"
    pattern = f"#,##0.{'0' * places}" if places else "#,##0"
    return signed(format_decimal(value, format=pattern, locale=language.locale))


def write_capped(value: int, most: int) -> str:
    """Return a number that was not counted beyond `most`: "1,000+" for all that are more."""
    return f"{write_number(most)}+" if value > most else write_number(value)


def write_percent(value: float, *, is_change: bool = False) -> str:
    """Return a percentage, with its sign if it is a change."""
    plus = "+" if is_change and value >= 0 else ""
    language = get_language()
    if language.code == SOURCE:
        return f"{plus}{value:,.1f}%"
    pattern = language.locale.percent_formats[None].pattern.replace("##0", "##0.0")
    return signed(plus + format_percent(value / 100, format=pattern, locale=language.locale))


def signed(number: str) -> str:
    """Keep a sign before its number where the text runs from right to left."""
    is_turned = get_language().direction == "rtl" and number[0] in "+-"
    return LEFT_TO_RIGHT + number if is_turned else number


def decimal_point() -> str:
    """Return what stands before the decimal places."""
    language = get_language()
    return "." if language.code == SOURCE else get_decimal_symbol(language.locale)


def write_plain(value: float | Decimal) -> str:
    """Return a number with all of its digits, and nothing between the thousands."""
    return str(value).replace(".", decimal_point())


def write_grouped(value: float | Decimal) -> str:
    """Return a number with all of its digits, and the thousands set apart."""
    text = str(value)
    if not NUMERAL.fullmatch(text):
        return write_plain(value)
    return grouped_in(get_language(), text)


@functools.lru_cache(maxsize=8192)
def grouped_in(_language: Language, numeral: str) -> str:
    places = len(numeral.partition(".")[2])
    number = Decimal(numeral)
    return write_number(number, places)


def write_date(value: date) -> str:
    language = get_language()
    return day_in(language.locale, value) if language.code != SOURCE else value.isoformat()


def write_minute(value: datetime) -> str:
    """Return a date and time without its seconds; the zone is up to the caller."""
    return write_minutes([value])[0]


def write_minutes(values: Sequence[datetime], stamps: Sequence[str] = ()) -> list[str]:
    """Return dates and times without their seconds, as `write_minute` does.

    Who has their `stamps` already may hand them over.
    """
    language = get_language()
    if language.code == SOURCE:
        return [f"{stamp[:10]} {stamp[11:16]}" for stamp in stamps or write_stamps(values)]
    locale = language.locale
    pattern = str(locale.datetime_formats["medium"])
    return [
        pattern.format(minute_in(locale, at.time()), day_in(locale, at.date())) for at in values
    ]


def write_stamps(values: Sequence[datetime]) -> list[str]:
    """Return dates and times with whole seconds as ISO 8601 has them, but for the zone.

    `isoformat` takes three times as long, because of the zone.
    """
    return [
        f"{at.year:04}-{TWO[at.month]}-{TWO[at.day]}"
        f"T{TWO[at.hour]}:{TWO[at.minute]}:{TWO[at.second]}"
        for at in values
    ]


def write_time(value: time) -> str:
    """Return a time of day without its seconds."""
    language = get_language()
    return minute_in(language.locale, value) if language.code != SOURCE else f"{value:%H:%M}"


def write_month(value: date) -> str:
    language = get_language()
    if language.code == SOURCE:
        return f"{value:%Y-%m}"
    return format_skeleton("yMMM", value, locale=language.locale)


def write_week(value: date) -> str:
    """Return the number of the week, as ISO 8601 counts."""
    return gettext("%(year)s-W%(week)s", year=f"{value:%G}", week=f"{value:%V}")


def join_words(words: Iterable[str]) -> str:
    """Return what belongs together as a list in words: one, two and three."""
    return format_list(list(map(str, words)), locale=get_language().locale)


# Babel takes thirty times as long as a page can give to each cell of a list.


@functools.lru_cache(maxsize=8192)
def day_in(locale: Locale, value: date) -> str:
    return format_date(value, "medium", locale)


def minute_in(locale: Locale, value: time) -> str:
    return minute_text(locale, value.hour, value.minute)


@functools.lru_cache(maxsize=8192)
def minute_text(locale: Locale, hour: int, minute: int) -> str:
    return format_time(time(hour, minute), "short", locale=locale)
