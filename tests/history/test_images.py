"""Any value comes back from its image exactly as it was."""

import enum
from datetime import date, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admin.kit.history.images import SECRET, dump, load, same

ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
SIMPLE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.text(),
    st.floats(),
    st.decimals(),
    st.dates(),
    st.times(),
    st.datetimes(),
    st.datetimes(timezones=ZONES),
    st.timedeltas(),
    st.uuids(),
    st.binary(),
)
VALUES = st.recursive(SIMPLE, lambda v: st.lists(v) | st.dictionaries(st.text(), v), max_leaves=9)


class Colour(enum.Enum):
    RED = "red"


@given(VALUES)
def test_a_value_comes_back(value: object) -> None:
    (back,) = load(dump({"x": value})).values()
    assert type(back) is type(value)
    assert same(back, value)


def test_a_member_of_an_enumeration_is_kept_by_its_name() -> None:
    assert load(dump({"x": Colour.RED})) == {"x": "RED"}


def test_a_secret_comes_back_as_one() -> None:
    assert load(dump({"x": SECRET}))["x"] is SECRET


def test_an_unknown_kind_of_value_is_refused_by_name() -> None:
    with pytest.raises(TypeError, match="Colourless"):
        dump({"x": type("Colourless", (), {})()})


def test_equal_values_of_two_kinds_are_told_apart() -> None:
    assert not same(True, 1)
    assert same(Decimal("1.50"), Decimal("1.5"))
    assert not same(date(2026, 1, 1), None)
