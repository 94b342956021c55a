"""Charts drawn on the server: numbers in, SVG out.

No chart holds text that is seen, so that none gets too small to read: titles are spoken and shown
in tooltips, and the page prints the values beside the chart. Colours come from the stylesheet.
"""

import re
from collections.abc import Sequence
from fractions import Fraction
from itertools import accumulate, pairwise
from typing import NamedTuple

from markupsafe import Markup

from admin.kit.formats import write_number
from admin.kit.languages import gettext, ngettext

Value = int | float

WIDTH, HEIGHT = 300, 80
SHARE_HEIGHT = 16
MARGIN = 2  # keeps half the width of a line within the box
GAP = 0.1  # of a bar's slot, on each side
# What no XML document may hold, not even escaped.
NOT_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

SVG = Markup(
    '<svg class="plot {kind}" viewBox="0 0 {width} {height}" role="img"'
    ' aria-labelledby="{name}-title {name}-text" xmlns="http://www.w3.org/2000/svg">'
    '<title id="{name}-title">{title}</title><desc id="{name}-text">{text}</desc>{shapes}</svg>'
)
RECT = Markup(
    '<rect class="{css}" x="{x}" y="{y}" width="{width}" height="{height}">'
    "<title>{title}</title></rect>"
)


class Point(NamedTuple):
    """A value and what it is the value of."""

    label: str
    value: Value


def bars(points: Sequence[Point], *, name: str, title: str) -> Markup:
    """Return a bar for each point; negative ones hang below the line of zero."""
    scale = Scale([0, *(value for _, value in points)], HEIGHT)
    slot = WIDTH / max(1, len(points))
    shapes = [
        bar(point, slot * (n + GAP), slot * (1 - 2 * GAP), scale) for n, point in enumerate(points)
    ]
    return svg("plot-bars", name, title, points, Markup().join([*shapes, base_line(scale)]))


def line(points: Sequence[Point], *, name: str, title: str) -> Markup:
    """Return a line through the points; a single one is drawn as a level."""
    scale = Scale([value for _, value in points], HEIGHT - 2 * MARGIN)
    drawn = [*points, *points] if len(points) == 1 else points
    step = (WIDTH - 2 * MARGIN) / max(1, len(drawn) - 1)
    path = " ".join(
        f"{short(MARGIN + n * step)},{short(MARGIN + scale.down(value))}"
        for n, (_, value) in enumerate(drawn)
    )
    shape = Markup('<polyline class="plot-line" points="{}"/>').format(path)
    return svg("plot-trend", name, title, points, shape)


def share(points: Sequence[Point], *, name: str, title: str) -> Markup:
    """Return one bar, cut into the parts of a whole; raise `ValueError` for a negative part."""
    values = [exact(value) for _, value in points]
    if any(value < 0 for value in values):
        raise ValueError("A part of a whole can't be negative.")
    whole = sum(values) or Fraction(1)
    edges = [float(edge * WIDTH / whole) for edge in accumulate(values, initial=Fraction(0))]
    shapes = [
        rect(part_class(n), spoken(point), left, 0, right, SHARE_HEIGHT)
        for n, (point, (left, right)) in enumerate(zip(points, pairwise(edges), strict=True))
    ]
    return svg("plot-share", name, title, points, Markup().join(shapes), SHARE_HEIGHT)


def meter(value: Value, largest: Value) -> Markup:
    """Return a bar as long as the value is of the largest one; its number stands beside it."""
    part = exact(value) / exact(largest) if largest > 0 else Fraction(0)
    return Markup(
        '<svg class="plot-meter" viewBox="0 0 {0} 8" preserveAspectRatio="none"'
        ' aria-hidden="true"><rect width="{1}" height="8"/></svg>'
    ).format(WIDTH, short(float(min(max(part, Fraction(0)), Fraction(1))) * WIDTH))


def part_class(number: int) -> str:
    """Return the class of a part, which its line in the legend has too."""
    return f"part-{number % 5 + 1}"


class Scale:
    """Puts values on a height; counted down from its top, as SVG does."""

    def __init__(self, values: Sequence[Value], height: int) -> None:
        known = [exact(value) for value in values] or [Fraction(0)]
        self.height, self.top = height, max(known)
        self.span = self.top - min(known)

    def down(self, value: Value) -> float:
        """Return the distance from the top; where all values are equal, the middle."""
        if not self.span:
            return self.height / 2
        return float((self.top - exact(value)) / self.span) * self.height

    @property
    def zero(self) -> float:
        """The place of zero; where all values are zero, the bottom."""
        return self.down(0) if self.span else self.height


def bar(point: Point, left: float, width: float, scale: Scale) -> Markup:
    end = scale.down(point.value) if point.value else scale.zero
    top, bottom = sorted([end, scale.zero])
    return rect("plot-bar", spoken(point), left, top, left + width, bottom)


def base_line(scale: Scale) -> Markup:
    y = short(min(max(scale.zero, 0.5), HEIGHT - 0.5))
    return Markup('<line class="plot-zero" x1="0" y1="{0}" x2="{1}" y2="{0}"/>').format(y, WIDTH)


def rect(css: str, title: str, left: float, top: float, right: float, bottom: float) -> Markup:
    """Round the corners, not the sizes, so that rounding carries nothing out of the box."""
    x, y = round(left, 2), round(top, 2)
    width, height = round(right, 2) - x, round(bottom, 2) - y
    corners = {"x": short(x), "y": short(y), "width": short(width), "height": short(height)}
    return RECT.format(css=css, title=clean(title), **corners)


def svg(
    kind: str, name: str, title: str, points: Sequence[Point], shapes: Markup, height: int = HEIGHT
) -> Markup:
    return SVG.format(
        kind=kind,
        name=name,
        title=clean(str(title)),
        text=clean(summary(points)),
        width=WIDTH,
        height=height,
        shapes=shapes,
    )


def summary(points: Sequence[Point]) -> str:
    """Say in a sentence what the chart shows; the table beside it says the rest."""
    if not points:
        return gettext("No values.")
    lowest, highest = (pick(points, key=lambda point: point.value) for pick in (min, max))
    sentence = ngettext(
        "One value; the lowest is %(lowest)s, the highest is %(highest)s.",
        "%(count)s values; the lowest is %(lowest)s, the highest is %(highest)s.",
        len(points),
    )
    values = {"lowest": spoken(lowest), "highest": spoken(highest)}
    return sentence % {**values, "count": write_number(len(points))}


def spoken(point: Point) -> str:
    return gettext("%(label)s: %(value)s", label=point.label, value=written(point.value))


def written(value: Value) -> str:
    """Return the number as people read it."""
    is_whole = not isinstance(value, float) or value.is_integer()
    return write_number(int(value)) if is_whole else write_number(value, 2)


def exact(value: Value) -> Fraction:
    """Return the value without a limit to its size; raise `ValueError` for no finite number."""
    try:
        return Fraction(value)
    except OverflowError:
        raise ValueError("An infinite value can't be drawn.") from None


def short(length: float) -> str:
    return f"{round(length, 2):g}"


def clean(text: str) -> str:
    return NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
