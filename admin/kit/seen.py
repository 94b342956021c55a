"""What an operator was shown before agreeing, so that they agree to nothing else."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from admin.kit.errors import Refused
from admin.kit.formats import write_number
from admin.kit.keys import key_of
from admin.kit.languages import gettext, ngettext
from admin.kit.meanwhile import said_since
from admin.kit.reading import is_sensitive

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy.orm import Session
    from starlette.datastructures import FormData

    from admin.kit.model_admin import ModelAdmin

SEEN_FIELD, GOING_FIELD = "_seen", "_going"
MOST_SAID = 10
LONGEST_COUNT = 18  # digits


class ChangedSinceShown(Refused):
    """What the operator agreed to is no longer what they were shown; `changes` says why."""

    def __init__(self, changes: Sequence[str]) -> None:
        super().__init__(" ".join(changes), status=409)
        self.changes = changes


@dataclass(frozen=True)
class Seen:
    """Marks of the rows that a page showed, and of what goes with them, as the page sends them."""

    marks: tuple[str, ...]
    going: str = ""

    @classmethod
    def of(cls, view: ModelAdmin, objects: Iterable[Any], going: str = "") -> Self:
        """Return the marks of these objects, in the order of their keys."""
        return cls(tuple(mark(view, obj) for obj in sorted(objects, key=key_of)), going)

    @classmethod
    def read(cls, sent: FormData) -> Self | None:
        """Return the marks that a form bears; other code sends none, and is not asked."""
        if SEEN_FIELD not in sent:
            return None
        return cls(tuple(str(sent[SEEN_FIELD]).split()), str(sent.get(GOING_FIELD, "")))

    @property
    def text(self) -> str:
        return " ".join(self.marks)

    def require_same(
        self, view: ModelAdmin, session: Session, objects: Sequence[Any], going: str = ""
    ) -> None:
        """Raise `ChangedSinceShown` if the objects, or what goes with them, have changed."""
        ordered = sorted(objects, key=key_of)
        marks = self.marks if len(self.marks) == len(ordered) else ("",) * len(ordered)
        changed = [
            (obj, then) for obj, then in zip(ordered, marks, strict=True) if mark(view, obj) != then
        ]
        changes = [said_since(view, session, obj, then) for obj, then in changed[:MOST_SAID]]
        if len(changed) > MOST_SAID:
            more = len(changed) - MOST_SAID
            changes.append(
                ngettext(
                    "%(count)s more was changed.",
                    "%(count)s more were changed.",
                    more,
                    count=write_number(more),
                )
            )
        self._refuse([*changes, *self._going_changes(going)])

    def require_same_rows(self, mark: str, names: str, going: str = "") -> None:
        """Raise `ChangedSinceShown` if the rows that a list asks for have changed.

        The mark tells how many they are, and which.
        """
        changes, (count, _, _), (was, _, _) = [], mark.partition(":"), self.text.partition(":")
        # No list has more rows than that; Python refuses to read very long numbers.
        if count != was and was.isdecimal() and len(was) <= LONGEST_COUNT:
            then, now = write_number(int(was)), write_number(int(count))
            sentence = gettext("There were %(then)s %(names)s; now there are %(now)s.")
            changes.append(sentence % {"then": then, "names": names, "now": now})
        elif mark != self.text:
            changes.append(gettext("Some of these %(names)s were changed.", names=names))
        self._refuse([*changes, *self._going_changes(going)])

    def _going_changes(self, going: str) -> list[str]:
        if without_mark(going) != without_mark(self.going):
            was = without_mark(self.going) or gettext("nothing")
            return [gettext("Before, what goes with it was: %(rows)s.", rows=was)]
        return [gettext("What goes with it was changed.")] if going != self.going else []

    def _refuse(self, changes: list[str]) -> None:
        if changes:
            raise ChangedSinceShown(changes)


def mark(view: ModelAdmin, obj: Any) -> str:
    """Return the version of a row, or a digest of what is loaded where none is kept."""
    # Who guesses what a digest is of must not learn what they may not see.
    names = sorted(
        name
        for name in view.mapper.column_attrs.keys()  # noqa: SIM118 - it is no dictionary
        if name not in view.unsettable and not is_sensitive(view.mapper, name)
    )
    held = [(name, obj.__dict__[name]) for name in names if name in obj.__dict__]
    return view.version_of(obj) or digest(repr(held))


def digest(told: str) -> str:
    return hashlib.sha256(told.encode(errors="surrogatepass")).hexdigest()[:12]


def without_mark(going: str) -> str:
    """Return the words of what goes along, which a digest follows."""
    return going.rpartition(" ")[0]
