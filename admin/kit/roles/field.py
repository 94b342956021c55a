"""The form field of a role's rights: a matrix of boxes to tick."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqladmin.authorization import WILDCARD
from wtforms.fields.choices import SelectFieldBase

from admin.kit.languages import gettext
from admin.kit.permissions import IMPLIED, read_rights
from admin.kit.roles.document import MAY, SCOPE, box, boxes_of, document_of, parts
from admin.kit.roles.naming import RIGHTS, name_right, name_screen, say_implied
from admin.kit.roles.screens import Screen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

LONGEST_NAME = 60  # of what was sent and is quoted in a sentence


@dataclass(frozen=True)
class Box:
    """A box of the matrix; `is_implied` if it is allowed whether ticked or not."""

    value: str
    name: str
    label: str
    is_ticked: bool
    is_implied: bool = False


@dataclass(frozen=True)
class MatrixRow:
    """A row of the matrix: boxes in the columns, of the actions, and of what is withheld."""

    screen: Screen
    rights: dict[str, Box]
    actions: list[Box]
    scopes: list[Box]
    hidden: list[Box]
    readonly: list[Box]

    @property
    def withheld(self) -> int:
        """How many columns are hidden or read-only."""
        return sum(item.is_ticked for item in (*self.hidden, *self.readonly))


class MatrixField(SelectFieldBase):
    """Holds the document that `read_rights` reads; `screens` says what there is to allow.

    What is stored for screens, rights and columns that are not there any more is shown, and stays
    until it is unticked.
    """

    def __init__(self, *args: Any, screens: Callable[[], list[Screen]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.screens = screens

    def process_formdata(self, valuelist: list[Any]) -> None:
        sent = {str(value) for value in valuelist if value}
        offered = [item.value for row in self.rows() for item in boxes_in(row)]
        self.data = document_of([value for value in offered if value in sent], self.object_data)
        unknown = sorted(sent.difference(offered))
        if unknown:
            _, screen, name = parts(unknown[0])
            said = f"{screen}: {name}"[:LONGEST_NAME]
            raise ValueError(gettext("There is no such right: %(right)s.", right=said))

    def iter_choices(self) -> Iterator[tuple[str, str, bool, dict[str, Any]]]:
        """Yield every box; of a choice of rows only the one that was made."""
        for row in self.rows():
            for item in boxes_in(row):
                label = gettext("%(screen)s: %(right)s", screen=row.screen.label, right=item.label)
                yield item.value, f"{label}. ", item.is_ticked, {}

    @property
    def columns(self) -> list[tuple[str, str, str]]:
        """The rights that have a column: name, what it is called, and what it brings along."""
        found = {name for screen in self.screens() for name in screen.rights}
        return [(str(n), name_right(n), say_implied(n)) for n in RIGHTS if n in found]

    def implies(self, name: str) -> str:
        """Return the names of the rights that a right brings along, parted by blanks."""
        return " ".join(sorted(map(str, IMPLIED.get(name, ()))))

    def rows(self) -> list[MatrixRow]:
        """Return the matrix, with the boxes ticked."""
        ticked = set(boxes_of(self.data))
        known = [*boxes_of(self.object_data), *boxes_of(self.data)]
        rights = read_rights(self.data)
        return [matrix_row(screen, ticked, rights) for screen in with_stored(self.screens(), known)]


def boxes_in(row: MatrixRow) -> Iterator[Box]:
    yield from row.rights.values()
    yield from row.actions
    yield from row.scopes
    yield from row.hidden
    yield from row.readonly


def with_stored(screens: Sequence[Screen], known: Sequence[str]) -> list[Screen]:
    """Return the screens with what is stored beside what they offer."""
    stored: dict[str, dict[str, dict[str, str]]] = {}
    for kind, identity, name in map(parts, known):
        kinds = stored.setdefault(identity, {})
        kinds.setdefault(kind if kind in (MAY, SCOPE) else "columns", {})[name] = name
    found = [widened(screen, stored.pop(screen.identity, {})) for screen in screens]
    gone = [
        widened(Screen(identity, name_screen(identity), {}, is_mounted=False), kinds)
        for identity, kinds in stored.items()
    ]
    return [*found, *gone]


def widened(screen: Screen, stored: dict[str, dict[str, str]]) -> Screen:
    """Return a screen that also offers what is stored for it."""
    may = {name: name for name in stored.get(MAY, {}) if name not in screen.offered}
    rights = {name: name_right(name) for name in may if name in RIGHTS}
    actions = {name: name_right(name) for name in may if name not in RIGHTS}
    return Screen(
        screen.identity,
        screen.label,
        {**screen.rights, **rights},
        {**screen.actions, **actions},
        {**stored.get(SCOPE, {}), **screen.scopes},
        {**stored.get("columns", {}), **screen.columns},
        screen.is_mounted,
    )


def matrix_row(screen: Screen, ticked: set[str], rights: Any) -> MatrixRow:
    identity = screen.identity
    found = [rights[key] for key in (identity, WILDCARD) if key in rights]

    def made(kind: str, names: Any) -> list[Box]:
        values = [(box(kind, identity, name), name, label) for name, label in names.items()]
        return [Box(value, name, label, value in ticked) for value, name, label in values]

    def implied(item: Box) -> Box:
        is_implied = not item.is_ticked and any(right.allows(item.name) for right in found)
        return Box(item.value, item.name, item.label, item.is_ticked, is_implied)

    return MatrixRow(
        screen,
        {item.name: implied(item) for item in made(MAY, screen.rights)},
        [implied(item) for item in made(MAY, screen.actions)],
        made(SCOPE, screen.scopes),
        made("hidden", screen.columns),
        made("readonly", screen.columns),
    )
