"""Search terms as a condition: every word in at least one of the columns, in any case.

A word of one or two characters, for which no index over trigrams can help, is looked for at the
beginning of the columns only. Without such an index SQLite ignores the case of ASCII letters only.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Enum,
    String,
    Uuid,
    and_,
    case,
    cast,
    collate,
    false,
    func,
    inspect,
    not_,
    or_,
    select,
    true,
    tuple_,
    union_all,
)
from sqlalchemy.orm import QueryableAttribute

from admin.kit import trigrams
from admin.kit.errors import BadAddress
from admin.kit.keys import can_hold, key_columns
from admin.kit.languages import gettext, ngettext
from admin.kit.trigrams import ByDialect

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sqlalchemy import Column as TableColumn
    from sqlalchemy import Select, Table
    from sqlalchemy.types import TypeEngine

    Limits = Mapping[type, ColumnElement[bool]]

LONGEST_SEARCH = 200  # characters
SHORTEST_INSIDE = 3  # characters; what is shorter is found at the beginning only
MOST_WAYS = 9  # to spread the words over the relations that are searched
LIKE_WILDCARDS = str.maketrans({"\\": "\\\\", "%": "\\%", "_": "\\_"})
WORDS = re.compile(r"""(?:"([^"]+)"|'([^']+)')(?!\S)|(\S+)""")
HOW = ("^", "=")
NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")

Column = str | ColumnElement[Any] | QueryableAttribute[Any]
NO_LIMITS: Limits = {}


def words(term: str) -> list[str]:
    """Split at blanks, keeping what is in quotes whole; any other quote means itself.

    Raises a 400 for a NUL, which no database text can hold, and for an endless term.
    """
    if "\0" in term:
        sentence = gettext("The search contains a character that can't be searched for.")
        raise BadAddress(sentence, ["search"])
    if len(term) > LONGEST_SEARCH:
        sentence = ngettext(
            "The search is longer than %(count)s character.",
            "The search is longer than %(count)s characters.",
            LONGEST_SEARCH,
            count=LONGEST_SEARCH,
        )
        raise BadAddress(sentence, ["search"])
    return ["".join(found) for found in WORDS.findall(term)]


def contains_words(
    model: type, columns: Sequence[Column], term: str, limits: Limits = NO_LIMITS
) -> ColumnElement[bool]:
    """Return the whole condition; `%`, `_` and the backslash mean themselves.

    A column is compared as its first character says: `^name` begins with the word, `=name` is the
    word, any other contains it. A dotted path leads through relations without joining them, so a
    row that has no related one stays, and a row that has several comes once. Of a related model
    in `limits`, only rows that meet their condition are looked at.
    """
    places = places_in(model, columns, limits)
    return and_(true(), *(or_(*(place.has([word]) for place in places)) for word in words(term)))


@dataclass(frozen=True)
class Alternative:
    """A condition that an index serves, of those of which a found row meets one at least.

    `when` says whether it is worth asking; in a list, the limit asks that first, at no cost.
    `implied` is true of each of these rows as well, and cheaper to find out row by row. `leads`
    says that no other condition may lead to the rows instead, `is_walk` that none does. `sample`
    is what to count: a condition of some of the rows, and whether there may be others.
    """

    condition: ColumnElement[bool]
    when: ColumnElement[bool] | None = None
    implied: ColumnElement[bool] | None = None
    leads: bool = False
    is_walk: bool = False
    sample: tuple[ColumnElement[bool], ColumnElement[bool]] | None = None

    @property
    def conditions(self) -> list[ColumnElement[bool]]:
        """Return what to ask row by row, the cheaper first."""
        return [self.condition] if self.implied is None else [self.implied, self.condition]

    def limit(self, most: int) -> int | ColumnElement[int]:
        """Return the limit to give to the ordered select of the rows that meet the condition."""
        return most if self.when is None else case((self.when, most), else_=0)


EVERY_ROW = Alternative(true())


def alternatives(
    model: type,
    columns: Sequence[Column],
    term: str,
    *,
    is_sqlite: bool,
    limits: Limits = NO_LIMITS,
) -> list[Alternative]:
    """Return what to ask for apart, each with its own order and limit, instead of the condition.

    None are returned for a term without words, which every row has.

    A word may be found in one table and the next in another, and no index serves an OR of the two.
    So each way to spread the words over the tables is asked for apart; those words that would make
    too many ways, the shortest, are only compared.
    """
    places = places_in(model, columns, limits)
    found = sorted(words(term), key=len, reverse=True)
    if not found:
        return []
    spread = len(found) if len(places) == 1 else spreadable(len(places))
    compared = [or_(*(place.compare([w]) for place in places)) for w in found[spread:]]
    ways: list[Alternative] = []
    for chosen in product(places, repeat=len(found[:spread])):
        parts: dict[Place, list[str]] = defaultdict(list)
        for place, word in zip(chosen, found, strict=False):
            parts[place].append(word)
        ways += sqlite_ways(parts, compared) if is_sqlite else [plain_way(parts, compared)]
    return ways


def spreadable(places: int) -> int:
    """Return how many words may be spread over so many places: one at least."""
    return max(n for n in range(1, MOST_WAYS) if places**n <= MOST_WAYS or n == 1)


def plain_way(parts: dict[Place, list[str]], compared: list[ColumnElement[bool]]) -> Alternative:
    """Leave it to PostgreSQL, which knows how common a text is, where to begin."""
    condition = and_(*(place.has(found) for place, found in parts.items()), *compared)
    cheaper = [
        certain
        for place, found in parts.items()
        for word in found
        if not place.path and (certain := implied(place, word)) is not None
    ]
    return Alternative(condition, implied=and_(*cheaper) if cheaper else None)


def implied(place: Place, word: str) -> ColumnElement[bool] | None:
    """Return what rows with this word meet by the rules of "C", four times as quick as ILIKE.

    These know the case of ASCII letters only; any character may stand for i and k, which are the
    lower case of others too. It is put as a CASE, for otherwise PostgreSQL would think that twice
    the conditions leave a fraction of the rows.
    """
    columns = [field.column(place.model) for field in place.fields]
    certain = re.sub("[ik]", "_", word.translate(LIKE_WILDCARDS), flags=re.IGNORECASE)
    if not word.isascii() or len(re.findall("[a-zA-Z0-9]", certain)) < SHORTEST_INSIDE - 1:
        return None
    if not all(isinstance(column.type, String) for column in columns):
        return None
    found = [collate(column, "C").ilike(f"%{certain}%", escape="\\") for column in columns]
    return ByDialect(case(*((each, true()) for each in found), else_=false()), true())


def sqlite_ways(
    parts: dict[Place, list[str]], compared: list[ColumnElement[bool]]
) -> list[Alternative]:
    """Begin where few rows are found, or else walk the order's index: SQLite can't tell itself.

    How many are found is counted up to a bound, which takes a fraction of a millisecond.
    """
    if not all(place.is_indexed for place in parts):
        return [plain_way(parts, compared)]
    ways: list[Alternative] = []
    until: list[ColumnElement[bool]] = []
    for leader, found in parts.items():
        others = [place.compare(w) for place, w in parts.items() if place is not leader]
        others += compared
        many = leader.are_many(found)
        way = Alternative(and_(leader.has(found), *others), and_(*until, not_(many)), leads=True)
        if not ways:
            most = trigrams.FEW // 3 if others else trigrams.FEW
            sample = and_(leader.some(found, most), *others), leader.is_cut(found, most)
            way = replace(way, sample=sample)
        ways.append(way)
        until.append(many)
    walked = [place.compare(found) for place, found in parts.items()]
    return [*ways, Alternative(and_(*walked, *compared), and_(*until), is_walk=True)]


def first_rows(
    stmt: Select[Any], ways: Sequence[Alternative], order: Sequence[Any], limit: int
) -> Select[Any]:
    """Return the first rows, in this order, that one of the ways finds; no way at all finds all."""
    if len(ways) > 1:
        stmt = any_of(select(model_of(stmt)), first_keys(stmt, ways, order, limit))
    else:
        stmt = stmt.where(*(each for way in ways for each in way.conditions)).order_by(None)
    return stmt.order_by(*order).limit(limit)


def first_keys(
    stmt: Select[Any], ways: Sequence[Alternative], order: Sequence[Any], limit: int
) -> list[Select[Any]]:
    """Return selects of keys: the first rows of each way, in this order."""
    columns = key_columns(model_of(stmt))
    bare = stmt.order_by(None).with_only_columns(*columns, maintain_column_froms=True)
    return [bare.where(*way.conditions).order_by(*order).limit(way.limit(limit)) for way in ways]


def any_of(stmt: Select[Any], keys: Sequence[Select[Any]]) -> Select[Any]:
    """Keep the rows whose keys one of the selects has."""
    columns = key_columns(model_of(stmt))
    key = columns[0] if len(columns) == 1 else tuple_(*columns)
    return stmt.where(key.in_(union_all(*(select(part.subquery()) for part in keys))))


def model_of(stmt: Select[Any]) -> type:
    model: type = stmt.column_descriptions[0]["entity"]
    return model


# Where words are looked for


def places_in(model: type, columns: Sequence[Column], limits: Limits = NO_LIMITS) -> list[Place]:
    """Return the tables in which these columns are, each once, with the way that leads there."""
    fields: dict[str, list[Field]] = defaultdict(list)
    for column in columns:
        path, name, how = parse(column)
        fields[path].append(Field(name, how))
    return [Place(model, path, tuple(found), limits) for path, found in fields.items()]


def parse(column: Column) -> tuple[str, Any, str]:
    """Return the relations that lead to a column, what it is called there, and how it compares."""
    if not isinstance(column, str):
        return "", column, ""
    how = column[0] if column.startswith(HOW) else ""
    path, _, name = column.removeprefix(how).rpartition(".")
    return path, name, how


def searched_path(column: str) -> str:
    """Return the declared column without what says how it compares."""
    return column[1:] if column.startswith(HOW) else column


@dataclass(frozen=True)
class Field:
    """A column of one table; `name` is that of the attribute, or an expression."""

    name: Any
    how: str = ""

    def column(self, model: Any) -> Any:
        return getattr(model, self.name) if isinstance(self.name, str) else self.name

    def stored(self, model: Any) -> TableColumn[Any] | None:
        """Return the column of the table, unless it is an expression."""
        prop = getattr(self.column(model), "property", None)
        columns: Sequence[Any] = getattr(prop, "columns", ())
        return columns[0] if len(columns) == 1 else None

    def starts(self, word: str) -> bool:
        return bool(self.how) or len(word) < SHORTEST_INSIDE


@dataclass(frozen=True)
class Place:
    """The searched columns of one table, and the relations that lead there, or none."""

    root: Any
    path: str
    fields: tuple[Field, ...]
    limits: Limits = field(default_factory=dict, compare=False)

    @cached_property
    def relations(self) -> list[Any]:
        """Return the relations, from the searched model on."""
        found, model = [], self.root
        for name in filter(None, self.path.split(".")):
            found.append(getattr(model, name))
            model = found[-1].property.mapper.class_
        return found

    @cached_property
    def model(self) -> Any:
        return self.relations[-1].property.mapper.class_ if self.relations else self.root

    @cached_property
    def table(self) -> Table:
        return inspect(self.model).local_table  # type: ignore[no-any-return]

    @cached_property
    def is_indexed(self) -> bool:
        """Say whether an index over trigrams has every column."""
        return all(map(self.has_trigrams, self.fields))

    def has_trigrams(self, field: Field) -> bool:
        stored = field.stored(self.model)
        is_own = stored is not None and stored.table is self.table
        return is_own and stored.name in trigrams.indexed_names(self.table)  # type: ignore[union-attr]

    def has(self, found: Sequence[str]) -> ColumnElement[bool]:
        """Say that each word is in one of the columns, so that indexes may serve."""
        return self.lead(self.found_here(found))

    def found_here(self, found: Sequence[str]) -> ColumnElement[bool]:
        elsewhere = self.each(found, self.fields, compare)
        if self.is_indexed:
            return ByDialect(elsewhere, self.among(self.expression(found, self.fields)))
        indexed = [field for field in self.fields if self.has_trigrams(field)]
        if not indexed:
            return elsewhere
        others = [field for field in self.fields if field not in indexed]
        return ByDialect(
            elsewhere,
            and_(
                *(
                    or_(
                        self.among(self.expression([word], indexed)),
                        self.each([word], others, compare),
                    )
                    for word in found
                )
            ),
        )

    def compare(self, found: Sequence[str]) -> ColumnElement[bool]:
        """Say the same of one row after the other, where something else leads to the rows."""
        plain = self.each(found, self.fields, compare)
        # LIKE knows the case of ASCII letters only, FTS5 that of all.
        if self.is_indexed and not all(map(str.isascii, found)):
            expression = self.expression(found, self.fields)
            plain = ByDialect(plain, self.among(expression, leads=False))
        for relation in reversed(self.relations):
            plain = exists(relation, self.limited(relation, plain))
        return plain

    def are_many(self, found: Sequence[str]) -> ColumnElement[bool]:
        """Say, on SQLite, whether more than a few rows have each word in one of the columns."""
        if not self.relations:
            return self.is_cut(found, trigrams.FEW)
        some = select(*key_columns(self.root)).where(self.some(found, trigrams.FEW))
        return trigrams.are_more(some, trigrams.FEW)

    def is_cut(self, found: Sequence[str], most: int) -> ColumnElement[bool]:
        """Say, on SQLite, whether more rows of the table itself have them than `some` takes."""
        expression = self.expression(found, self.fields)
        return trigrams.are_more(trigrams.matches(self.table, expression), most)

    def some(self, found: Sequence[str], most: int) -> ColumnElement[bool]:
        """Say, on SQLite, that the words are found, in so many rows of the table itself at most."""
        expression = self.expression(found, self.fields)
        bounded = trigrams.matches(self.table, expression, at_most=most + 1)
        return self.lead(trigrams.is_in(trigrams.key_of(self.table), bounded))

    def each(
        self,
        found: Sequence[str],
        fields: Sequence[Field],
        compare: Callable[..., ColumnElement[bool]],
    ) -> ColumnElement[bool]:
        """Say that each word is in one of the columns."""
        return and_(
            *(
                or_(
                    *(
                        compare(f.column(self.model), word, f.how, self.has_trigrams(f))
                        for f in fields
                    )
                )
                for word in found
            )
        )

    def among(self, expression: str, *, leads: bool = True) -> ColumnElement[bool]:
        key = trigrams.key_of(self.table)
        return trigrams.is_in(key, trigrams.matches(self.table, expression), leads=leads)

    def expression(self, found: Sequence[str], fields: Sequence[Field]) -> str:
        """Return what FTS5 is asked."""
        return trigrams.every(
            " OR ".join(
                trigrams.phrase(
                    [field.stored(self.model).name],  # type: ignore[union-attr]
                    word,
                    starts=field.starts(word),
                    ends=field.how == "=",
                )
                for field in fields
            )
            for word in found
        )

    def lead(self, condition: ColumnElement[bool]) -> ColumnElement[bool]:
        """Say that a related row meets the condition, so that indexes may serve."""
        for relation in reversed(self.relations):
            condition = is_related(relation, self.limited(relation, condition))
        return condition

    def limited(self, relation: Any, condition: ColumnElement[bool]) -> ColumnElement[bool]:
        limit = self.limits.get(relation.property.mapper.class_)
        return condition if limit is None else and_(limit, condition)


def exists(relation: Any, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    is_many = relation.property.uselist
    return relation.any(condition) if is_many else relation.has(condition)  # type: ignore[no-any-return]


def is_related(relation: Any, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Look for the related rows first, where one column refers to them."""
    prop = relation.property
    if prop.secondary is not None or len(prop.local_remote_pairs) != 1 or prop.uselist:
        return exists(relation, condition)
    ((local, remote),) = prop.local_remote_pairs
    return local.in_(select(remote).where(condition).correlate(None))  # type: ignore[no-any-return]


# How a word is compared


def compare(column: Any, word: str, how: str, has_trigrams: bool) -> ColumnElement[bool]:
    """Say that the column has the word: inside, at its beginning, or as all of it."""
    is_text = isinstance(column.type, String) and not isinstance(column.type, Enum)
    if how == "=":
        return same_text(column, word, has_trigrams) if is_text else same_value(column, word)
    text = column if is_text else cast(column, String)
    inside = "" if how or len(word) < SHORTEST_INSIDE else "%"
    return like(text, f"{inside}{word.translate(LIKE_WILDCARDS)}%")


def contains(column: Any, word: str) -> ColumnElement[bool]:
    """Say that a text has the word anywhere, however short it is."""
    return like(column, f"%{word.translate(LIKE_WILDCARDS)}%")


def like(text: Any, pattern: str) -> ColumnElement[bool]:
    """Ignore case; SQLite's LIKE does so by itself."""
    return ByDialect(text.ilike(pattern, escape="\\"), text.like(pattern, escape="\\"))


def same_text(column: Any, word: str, has_trigrams: bool) -> ColumnElement[bool]:
    if has_trigrams:
        return like(column, word.translate(LIKE_WILDCARDS))
    return func.lower(column) == word.lower()


def same_value(column: Any, word: str) -> ColumnElement[bool]:
    """Compare with what the word means to the column; a word that means nothing matches nothing."""
    try:
        value = value_of(column.type, word)
    except (ValueError, LookupError, NotImplementedError):
        return false()
    stored = getattr(getattr(column, "property", None), "columns", ())
    is_possible = all(can_hold(each, value) for each in stored)
    return column == value if is_possible else false()


def value_of(type_: TypeEngine[Any], word: str) -> Any:
    """Return the word as a value of the type; raise an error if it is none."""
    if isinstance(type_, Enum):
        values = type_.enum_class or {name: name for name in type_.enums}
        return {name.casefold(): values[name] for name in type_.enums}[word.casefold()]
    if isinstance(type_, Uuid):
        return UUID(word) if type_.as_uuid else str(UUID(word))
    kind = type_.python_type
    if kind is date:
        return date.fromisoformat(word)
    if kind in (int, float, Decimal) and NUMBER.fullmatch(word):
        return kind(word)
    raise ValueError(word)
