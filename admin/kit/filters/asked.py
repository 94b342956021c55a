"""What an address asks of a list's filters, read once a request.

Parameters are the filters' own, such as `role=admin&role=editor` or `price__gte=5`; each `_where`
is a group of conditions in the same words, of which one has to hold: `_where=title__contains=map`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

from sqlalchemy import and_, or_

from admin.kit.filters.kinds import ColumnFilter, name_with
from admin.kit.filters.operands import BadValueError
from admin.kit.filters.refusals import BadFilter, cannot_be_set, is_no_filter
from admin.kit.languages import gettext
from admin.kit.lists import query
from admin.kit.templating import path_for

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sqlalchemy import ColumnElement
    from starlette.requests import Request

    from admin.kit.filters.kinds import Filter
    from admin.kit.model_admin import ModelAdmin

WHERE = "_where"
FACETS = "_facets"
MOST_VALUES = 50
MOST_GROUPS = 10
MOST_CONDITIONS = 20
LONGEST_GROUP = 4000  # characters


@dataclass(frozen=True)
class Term:
    """One parameter with its values, and the filter it sets."""

    filter: Filter
    operator: str
    values: tuple[str, ...]
    condition: ColumnElement[bool]

    @property
    def parameter(self) -> str:
        return name_with(self.filter.parameter_name, self.operator)


@dataclass(frozen=True)
class Group:
    """Conditions that hold together, and how the address spells them."""

    text: str
    conditions: list[Term]

    @property
    def condition(self) -> ColumnElement[bool]:
        return and_(*(one.condition for one in self.conditions))


@dataclass
class Asked:
    """All that an address asks for."""

    terms: list[Term] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)

    def conditions(self, without: Filter | None = None) -> list[ColumnElement[bool]]:
        """Return what has to hold together; `without` leaves out one filter."""
        found = [term.condition for term in self.terms if term.filter is not without]
        alternatives = [group.condition for group in self.groups]
        return [*found, or_(*alternatives)] if alternatives else found

    def values(self, filter_: Filter, operator: str = "") -> tuple[str, ...]:
        """Return what the filter is set to."""
        found = (t.values for t in self.terms if t.filter is filter_ and t.operator == operator)
        return next(found, ())


def conditions(
    view: ModelAdmin, request: Request, without: Filter | None = None
) -> list[ColumnElement[bool]]:
    """Return what the address asks of the rows, besides the search; raise a 400 for nonsense."""
    return asked(view, request).conditions(without)


def asked(view: ModelAdmin, request: Request) -> Asked:
    """Read the address, once for all who ask in this request."""
    known: dict[tuple[str, bytes], Asked] = request.scope.setdefault("admin_asked", {})
    # An action may hand on a request with the address of its list.
    key = (view.identity, request.scope["query_string"])
    if key not in known:
        try:
            known[key] = read(view, request)
        except BadFilter as refusal:
            refusal.clear_path = clear_path(view, request)
            raise
    return known[key]


def read(view: ModelAdmin, request: Request) -> Asked:
    terms = [term for filter_ in view.filters for term in terms_of(filter_, request)]
    refuse_others(view, request)
    texts = [text for text in request.query_params.getlist(WHERE) if text]
    if len(texts) > MOST_GROUPS:
        sentence = gettext("These are more groups of conditions than a list can answer.")
        raise BadFilter(sentence, [WHERE])
    return Asked(terms, [read_group(view, text) for text in texts])


def terms_of(filter_: Filter, request: Request) -> Iterator[Term]:
    """Yield what the address sets the filter to, else its default."""
    for operator in ("", *filter_.operators):
        given = request.query_params.getlist(name_with(filter_.parameter_name, operator))
        values = tuple(dict.fromkeys(value for value in given if value))
        if not given and not operator and filter_.default:
            values = (filter_.default,)
        if values:
            refuse_unknown(filter_, values, request)
            condition = filter_.where(operator, values)
            yield Term(filter_, operator, values, condition)


def refuse_unknown(filter_: Filter, values: Sequence[str], request: Request) -> None:
    """Refuse too many values; and for a filter of one's own, those it doesn't offer."""
    known = () if isinstance(filter_, ColumnFilter) else filter_.offered(request)
    is_known = not known or set(values) <= {choice.value for choice in known}
    if len(values) > MOST_VALUES or not is_known:
        raise filter_.refuse()


def refuse_others(view: ModelAdmin, request: Request) -> None:
    """Refuse what names a column that is no filter, lest an address tells what no page shows.

    Anything else that is unknown is ignored.
    """
    own = parameters(view)
    names = [name for name in request.query_params if name not in own]
    if others := [name for name in names if names_column(view, name)]:
        raise is_no_filter(others)


def parameters(view: ModelAdmin) -> set[str]:
    return {name for filter_ in view.filters for name in filter_.parameters}


def names_column(view: ModelAdmin, name: str) -> bool:
    """Say whether a parameter looks like a condition on a column, which may not even exist."""
    if name.startswith("_") or name in query.RESERVED:
        return False
    return "__" in name or name.partition(".")[0] in view.mapper.attrs


def read_group(view: ModelAdmin, text: str) -> Group:
    """Read one group; a refusal is about this group alone."""
    try:
        return group_of(view, text)
    except BadFilter as refusal:
        refusal.parameters, refusal.value = [WHERE], text
        raise


def group_of(view: ModelAdmin, text: str) -> Group:
    """Read one group; what it names twice has both values."""
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_CONDITIONS)
    except ValueError:
        pairs = []
    if not pairs or len(text) > LONGEST_GROUP:
        raise BadFilter(gettext("A group of conditions can't be read."), [WHERE])
    together: dict[str, list[str]] = {}
    for name, value in pairs:
        together.setdefault(name, []).append(value)
    return Group(text, [read_condition(view, *item) for item in together.items()])


def read_condition(view: ModelAdmin, name: str, values: Iterable[str]) -> Term:
    path, operator = split_name(view, name)
    filter_, texts = view.askable[path], tuple(values)
    assert filter_.operand is not None  # noqa: S101 - it is the filter of a column
    try:
        return Term(filter_, operator, texts, filter_.operand.condition(operator, texts))
    except BadValueError:
        raise cannot_be_set(str(filter_.title)) from None


def split_name(view: ModelAdmin, name: str) -> tuple[str, str]:
    """Split a name such as `title__contains`; raise a 400 if conditions may not name it."""
    path, _, operator = (name, "", "") if name in view.askable else name.rpartition("__")
    if path not in view.askable:
        raise is_no_filter()
    return path, operator


# Addresses


def clear_path(view: ModelAdmin, request: Request) -> str:
    """Return the list without search and filters, in its order and size."""
    kept = [pair for pair in pairs(request) if not narrows(view, pair[0])]
    return path_with(view, request, kept)


def pairs(request: Request) -> list[tuple[str, str]]:
    """Return the parameters that still hold when the rows change."""
    place = query.PLACE
    return [(k, v) for k, v in request.query_params.multi_items() if k not in place]


def narrows(view: ModelAdmin, name: str) -> bool:
    """Say whether a parameter leaves rows out, or means to."""
    return name in query.narrowing(view) or names_column(view, name)


def path_with(view: ModelAdmin, request: Request, kept: Sequence[tuple[str, str]]) -> str:
    """Return the path of the list with other parameters."""
    path = path_for(request, "list", identity=view.identity)
    return f"{path}?{urlencode(kept)}" if kept else path
