"""The cards of the front page: what each counts, and how its numbers are shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode

from markupsafe import Markup
from sqlalchemy import Select, func, select

from admin.kit import charts
from admin.kit.charts import Point, Value, exact, written
from admin.kit.formats import write_percent
from admin.kit.languages import gettext, lazy_gettext

if TYPE_CHECKING:
    from sqlalchemy import ColumnExpressionArgument
    from sqlalchemy.orm import Session

LONGEST_LABEL = 100  # characters
EMPTY = Markup()
NOTHING = lazy_gettext("Nothing to count yet.")


class Row(NamedTuple):
    """A number, what it is about, and what the card's filter is set to for it, if anything."""

    label: str
    value: Value
    key: str = ""


@dataclass(frozen=True)
class Figures:
    """What a card counted. `previous` is the same of the time before, `latest` the last day."""

    rows: Sequence[Row]
    previous: Value | None = None
    latest: str = ""

    @property
    def total(self) -> Value:
        return sum(row.value for row in self.rows)

    def as_json(self) -> dict[str, Any]:
        """Return what can be kept; raise `ValueError` for what is no finite number."""
        rows = [[row.label, number(row.value), row.key] for row in self.rows]
        previous = None if self.previous is None else number(self.previous)
        return {"rows": rows, "previous": previous, "latest": self.latest}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Figures:
        """Return what was kept; raise an error if it was something else."""
        rows = [Row(str(label), number(value), str(key)) for label, value, key in data["rows"]]
        previous = data["previous"]
        return cls(rows, previous if previous is None else number(previous), str(data["latest"]))


Source = Select[*tuple[Any, ...]] | Callable[["Session", datetime], Figures]


@dataclass(frozen=True)
class Line:
    """A line of a card's table, ready to print."""

    label: str
    value: str
    query: str
    css: str = ""
    meter: Markup = EMPTY


@dataclass(frozen=True)
class Shown:
    """What a card prints; `is_folded` keeps the table closed until asked for."""

    headline: str = ""
    change: str = ""
    note: str = ""
    chart: Markup = EMPTY
    ends: tuple[str, str] | tuple[()] = ()
    lines: Sequence[Line] = ()
    is_folded: bool = False


@dataclass(frozen=True)
class Card:
    """A card counts all rows, whatever the scope of a view; it is told to whoever may list `view`.

    `source` is a select of label, value and, where `parameter` names a filter of the view's list,
    the filter's value; or a function that is given a session and the present moment. Numbers are
    counted anew when they are older than `max_age` and somebody looks. A card about a view with a
    scope stops the start unless it says `ignores_scope`.
    """

    name: str
    title: str
    view: str
    source: Source
    parameter: str = field(default="", kw_only=True)
    max_age: timedelta = field(default=timedelta(minutes=5), kw_only=True)
    ignores_scope: bool = field(default=False, kw_only=True)

    def count(self, session: Session, now: datetime) -> Figures:
        """Ask the database."""
        if isinstance(self.source, Select):
            return figures([tuple(row) for row in session.execute(self.source)])
        return self.source(session, now)

    def translated(self, shown: Figures) -> Figures:
        """Return what was kept, its labels as people read them now.

        Numbers are counted once for all languages; the source knows which labels are its own words.
        """
        write = getattr(self.source, "write_label", str)
        write_latest = getattr(self.source, "write_latest", str)
        rows = [row._replace(label=write(row.label)) for row in shown.rows]
        return replace(shown, rows=rows, latest=shown.latest and write_latest(shown.latest))

    def show(self, shown: Figures) -> Shown:
        """Return what the card prints."""
        raise NotImplementedError

    @property
    def has_days(self) -> bool:
        """Whether it matters where its days begin."""
        return getattr(self.source, "has_days", False)

    @property
    def chart_name(self) -> str:
        return f"chart-{self.name}"

    def lines(self, rows: Sequence[Row]) -> list[Line]:
        return [Line(row.label, written(row.value), self.query(row)) for row in rows]

    def query(self, row: Row) -> str:
        return urlencode({self.parameter: row.key}) if self.parameter and row.key else ""


class Number(Card):
    """One value and, if its source gives several rows, the line that led there."""

    def show(self, shown: Figures) -> Shown:
        if not shown.rows:
            return Shown(note=NOTHING)
        value = shown.rows[-1].value
        told = Shown(written(value), change(value, shown.previous))
        if len(shown.rows) == 1:
            return told
        return replace(
            told,
            chart=charts.line(points(shown.rows), name=self.chart_name, title=self.title),
            ends=ends(shown.rows),
            lines=self.lines(shown.rows),
            is_folded=True,
        )


class Series(Card):
    """A value for each day, week or month, with their sum; drawn as bars."""

    def show(self, shown: Figures) -> Shown:
        total = shown.total
        if not any(row.value for row in shown.rows):
            compared = change(total, shown.previous) if shown.previous else ""
            return Shown(written(total), compared, nothing(shown))
        return Shown(
            headline=written(total),
            change=change(total, shown.previous),
            chart=charts.bars(points(shown.rows), name=self.chart_name, title=self.title),
            ends=ends(shown.rows),
            lines=self.lines(shown.rows),
            is_folded=True,
        )


class Share(Card):
    """Parts of a whole; the first one is the headline."""

    def show(self, shown: Figures) -> Shown:
        if not shown.total:
            return Shown(note=NOTHING)
        chart = charts.share(points(shown.rows), name=self.chart_name, title=self.title)
        lines = [
            Line(
                row.label,
                gettext("%(value)s (%(percent)s)") % share_of(row, shown.total),
                self.query(row),
                charts.part_class(n),
            )
            for n, row in enumerate(shown.rows)
        ]
        return Shown(percent(shown.rows[0].value, shown.total), chart=chart, lines=lines)


class Ranking(Card):
    """The largest values, each with a bar beside its number."""

    def show(self, shown: Figures) -> Shown:
        if not shown.rows:
            return Shown(note=NOTHING)
        largest = max(row.value for row in shown.rows)
        lines = [
            Line(
                row.label,
                written(row.value),
                self.query(row),
                meter=charts.meter(row.value, largest),
            )
            for row in shown.rows
        ]
        return Shown(lines=lines)


@dataclass(frozen=True)
class Part:
    """The rows for which `condition` holds; `key` is what the card's filter calls them."""

    label: str
    condition: ColumnExpressionArgument[bool]
    key: str = ""


class Parts:
    """Counts the rows of each part in one pass over their table; parts are kept by their number."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self.parts = parts
        self.counts = [func.count().filter(part.condition) for part in parts]

    def __call__(self, session: Session, _now: datetime) -> Figures:
        counted = enumerate(session.execute(select(*self.counts)).one())
        return Figures([Row(str(at), n, self.parts[at].key) for at, n in counted])

    def write_label(self, label: str) -> str:
        return str(self.parts[int(label)].label)


def parts(*parts: Part) -> Source:
    """Return a source that counts the rows of each part in one pass over their table."""
    return Parts(parts)


def figures(found: Sequence[Sequence[Any]]) -> Figures:
    """Read rows of label, value and, maybe, key."""
    rows = [
        Row(str(label)[:LONGEST_LABEL], number(value), *map(str, key))
        for label, value, *key in found
    ]
    return Figures(rows)


def number(value: Any) -> Value:
    """Return what JSON can hold; raise `ValueError` for what is no finite number."""
    if type(value) is int:
        return value
    kept = exact(value or 0)
    if kept.denominator == 1:
        return int(kept)
    return float(kept)


def points(rows: Sequence[Row]) -> list[Point]:
    return [Point(row.label, row.value) for row in rows]


def ends(rows: Sequence[Row]) -> tuple[str, str]:
    return rows[0].label, rows[-1].label


def percent(value: Value, whole: Value) -> str:
    return write_percent(float(exact(value) * 100 / exact(whole)))


def share_of(row: Row, whole: Value) -> dict[str, str]:
    return {"value": written(row.value), "percent": percent(row.value, whole)}


def change(value: Value, previous: Value | None) -> str:
    """Compare the value with that of the period before, in words."""
    if previous is None:
        return ""
    if previous == 0:
        return gettext("None in the period before.")
    grown = float((exact(value) - exact(previous)) * 100 / abs(exact(previous)))
    return gettext(
        "%(change)s against the period before (%(previous)s).",
        change=write_percent(grown, is_change=True),
        previous=written(previous),
    )


def nothing(shown: Figures) -> str:
    """Say that a series is empty, and when it last was not."""
    none = gettext("None.")
    if shown.rows:
        none = gettext("None since %(start)s.", start=shown.rows[0].label)
    latest = gettext("The latest was on %(day)s.", day=shown.latest)
    return f"{none} {latest}" if shown.latest else none
