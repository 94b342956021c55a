"""Charts: whatever the numbers, well-formed, within their box, and said in words."""

import math
from collections.abc import Callable
from xml.etree.ElementTree import Element, fromstring

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markupsafe import Markup

from admin.kit.charts import Point, Value, bars, line, meter, share

Chart = Callable[..., Markup]

SVG = "{http://www.w3.org/2000/svg}"
CHARTS = [bars, line, share]
NUMBERS = st.integers(-(10**400), 10**400) | st.floats(allow_nan=False, allow_infinity=False)
POINTS = st.lists(st.builds(Point, st.text(max_size=9), NUMBERS), max_size=40)


def draw(chart: Chart, *values: Value, label: str = "May") -> Element:
    drawn = chart([Point(label, value) for value in values], name="chart-x", title="Posts")
    return fromstring(drawn)


def rectangles(svg: Element) -> list[dict[str, float]]:
    names = ("x", "y", "width", "height")
    return [{name: float(rect.attrib[name]) for name in names} for rect in svg.iter(f"{SVG}rect")]


def heights(*values: Value) -> list[float]:
    return [rect["height"] for rect in rectangles(draw(bars, *values))]


def places(svg: Element) -> list[tuple[float, float]]:
    """Return the points of the line."""
    (shape,) = svg.iter(f"{SVG}polyline")
    pairs = [pair.split(",") for pair in shape.attrib["points"].split()]
    return [(float(x), float(y)) for x, y in pairs]


def corners(svg: Element) -> list[tuple[float, float]]:
    """Return every place that the shapes touch."""
    found = places(svg) if svg.find(f"{SVG}polyline") is not None else []
    for rect in rectangles(svg):
        assert rect["width"] >= 0
        assert rect["height"] >= 0
        found.append((rect["x"], rect["y"]))
        found.append((rect["x"] + rect["width"], rect["y"] + rect["height"]))
    return found


@pytest.mark.parametrize("chart", CHARTS)
@settings(deadline=None)
@given(points=POINTS)
def test_it_stays_within_its_box(chart: Chart, points: list[Point]) -> None:
    if chart is share:
        points = [Point(label, abs(value)) for label, value in points]
    svg = fromstring(chart(points, name="chart-x", title="Posts"))
    left, top, width, height = map(float, svg.attrib["viewBox"].split())
    for x, y in corners(svg):
        assert left <= x <= width + 1e-6
        assert top <= y <= height + 1e-6


@settings(deadline=None)
@given(value=NUMBERS, largest=NUMBERS)
def test_a_meter_stays_within_its_box(value: Value, largest: Value) -> None:
    (rect,) = fromstring(meter(value, largest))
    assert 0 <= float(rect.attrib["width"]) <= 300


@pytest.mark.parametrize("chart", CHARTS)
def test_it_is_an_image_with_a_title_and_a_description(chart: Chart) -> None:
    svg = draw(chart, 3, 1)
    texts = {e.attrib["id"]: e.text for e in svg if "id" in e.attrib}
    assert svg.attrib["role"] == "img"
    title, description = (texts[id_] for id_ in svg.attrib["aria-labelledby"].split())
    assert title == "Posts"
    assert description == "2 values; the lowest is May: 1, the highest is May: 3."


@pytest.mark.parametrize("chart", CHARTS)
def test_it_shows_no_text_and_sets_no_style(chart: Chart) -> None:
    svg = draw(chart, 3, 1)
    assert not list(svg.iter(f"{SVG}text"))
    assert all({"style", "fill", "stroke"}.isdisjoint(shape.attrib) for shape in svg.iter())


@pytest.mark.parametrize("chart", CHARTS)
@pytest.mark.parametrize("label", ["<script>", '"&amp;', "\x00\x0b\ud800\uffff"])
def test_a_label_is_text_and_nothing_else(chart: Chart, label: str) -> None:
    svg = draw(chart, 3, label=label)
    assert {e.tag for e in svg.iter()} <= {
        f"{SVG}{tag}" for tag in ("svg", "title", "desc", "rect", "line", "polyline")
    }
    assert "3" in "".join(svg.itertext())


@pytest.mark.parametrize("chart", CHARTS)
def test_without_points_it_says_so(chart: Chart) -> None:
    assert "No values." in "".join(draw(chart).itertext())


@pytest.mark.parametrize("chart", CHARTS)
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_finite_number_is_refused(chart: Chart, value: float) -> None:
    with pytest.raises(ValueError, match=r"."):
        draw(chart, 1, value)


def test_bars_are_as_high_as_their_values() -> None:
    assert heights(4, 2, 0) == [80, 40, 0]
    assert heights(10**300, 5 * 10**299) == [80, 40]


def test_equal_bars_are_full_and_zeros_empty() -> None:
    assert heights(7, 7) == [80, 80]
    assert heights(0, 0) == [0, 0]


def test_negative_bars_hang_below_zero() -> None:
    up, down = rectangles(draw(bars, 3, -1))
    assert (up["y"], up["height"]) == (0, 60)
    assert (down["y"], down["height"]) == (60, 20)


def test_a_line_leads_from_edge_to_edge() -> None:
    assert places(draw(line, 0, 5, 10)) == [(2, 78), (150, 40), (298, 2)]


def test_one_value_or_equal_ones_are_a_level() -> None:
    assert places(draw(line, 5)) == places(draw(line, 5, 5)) == [(2, 40), (298, 40)]


def test_parts_fill_the_whole() -> None:
    assert [rect["width"] for rect in rectangles(draw(share, 3, 1, 0))] == [225, 75, 0]
    assert [rect["width"] for rect in rectangles(draw(share, 0, 0))] == [0, 0]


def test_a_negative_part_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        draw(share, 3, -1)


def test_each_bar_tells_its_value() -> None:
    (rect,) = draw(bars, 1234567).iter(f"{SVG}rect")
    assert "".join(rect.itertext()) == "May: 1,234,567"


def test_a_meter_is_left_to_those_who_see_it() -> None:
    assert fromstring(meter(1, 2)).attrib["aria-hidden"] == "true"
