"""The rows that a list's form means: those that are ticked, or all that its address asks for."""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any, Self

from sqlalchemy import select
from starlette.requests import Request

from admin.kit.errors import Refused
from admin.kit.formats import write_capped
from admin.kit.history.recorder import BATCH
from admin.kit.keys import join, key_columns, matches_keys, selected_keys
from admin.kit.languages import gettext, in_sentence
from admin.kit.lists.query import results
from admin.kit.scopes import condition_of, scope_names
from admin.kit.seen import Seen
from admin.kit.templating import path_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from sqlalchemy import Select
    from sqlalchemy.orm import Session
    from starlette.datastructures import ImmutableMultiDict

    from admin.kit.model_admin import ModelAdmin
    from admin.kit.progress import Progress
    from admin.kit.scopes import Asked

# The names of inputs: that all rows are meant, and the query of the list they are in.
ALL_FIELD, BACK_FIELD = "_all", "_back"
MOST_COUNTED = 10_000
MOST_SHOWN = 10
# One fewer than the history reads at once, which so sees that there are no more.
BATCH_SIZE = BATCH - 1


@dataclass(frozen=True)
class Shown:
    """What a page says of a selection: how many rows, up to a limit, and the first of them."""

    count: int
    objects: Sequence[Any]
    seen: Seen

    @property
    def is_capped(self) -> bool:
        return self.count > MOST_COUNTED

    @property
    def text(self) -> str:
        return write_count(self.count)


@dataclass(frozen=True)
class Selection:
    """Ticked rows by their keys; or, if `is_all`, the rows of the list at `back`, however many.

    Both are rows that the request may list and do the `action` to, of several any one; filters and
    search of a list only narrow that further.
    """

    view: ModelAdmin
    request: Request
    action: Asked
    keys: list[str] = field(default_factory=list)
    back: str = ""
    is_all: bool = False

    @classmethod
    def read(
        cls,
        view: ModelAdmin,
        request: Request,
        sent: ImmutableMultiDict[str, Any],
        action: Asked,
    ) -> Self:
        """Return what a form selects; raise a 400 for more ticked rows than a page may have."""
        back, is_all = str(sent.get(BACK_FIELD, "")), bool(sent.get(ALL_FIELD))
        keys = [] if is_all else selected_keys(view.model, sent)
        return cls(view, request, action, keys, back, is_all)

    def __bool__(self) -> bool:
        return self.is_all or bool(self.keys)

    @property
    def fields(self) -> list[tuple[str, str]]:
        """Return what a form sends to mean the same rows, and to lead back."""
        meant = [(ALL_FIELD, "1")] if self.is_all else [("pks", key) for key in self.keys]
        return [*meant, (BACK_FIELD, self.back)]

    def rows(self) -> Select[Any]:
        """Return the rows, in no order; raise a 400 for an address that no list has."""
        if not self.is_all:
            return self.view.objects_query(self.request, self.keys, self.action)
        rows = results(self.view, self._list_request()).stmt.order_by(None)
        condition = condition_of(self.view, self.request, self.action)
        return rows if condition is None else rows.where(condition)

    def _list_request(self) -> Request:
        path = path_for(self.request, "list", identity=self.view.identity)
        query = self.back.encode("latin-1", "replace")
        address = {"method": "GET", "path": path, "query_string": query}
        return Request({**self.request.scope, **address})

    def show(self, session: Session, most: int | None = MOST_SHOWN) -> Shown:
        """Count the rows and read the first of them, for a page that asks."""
        if not self.is_all:
            objects = self.objects(session, self.keys, lock=False)
            return Shown(len(objects), objects[:most], Seen.of(self.view, objects))
        marks = Marks()
        for _ in marks.watch(session.execute(self._marked().limit(MOST_COUNTED + 1))):
            pass
        first = self.rows().order_by(*key_columns(self.view.model)).limit(most)
        return Shown(marks.count, list(session.scalars(first)), Seen((marks.text,)))

    def objects(self, session: Session, keys: Sequence[str], *, lock: bool = True) -> list[Any]:
        """Return all objects with these keys; if one is missing, refuse the whole selection.

        Locked, they stay as they are until the transaction ends: of two deletions at the same
        moment the second one finds nothing.
        """
        stmt = self.view.objects_query(self.request, keys, self.action)
        if self.is_all:
            # Found within the scope already, which what was changed so far may have moved.
            stmt = select(self.view.model).where(matches_keys(self.view.model, keys))
        stmt = stmt.with_for_update(of=self.view.model) if lock else stmt
        objects = list(session.scalars(stmt))
        if len(objects) != len(keys):
            self._refuse_seen(session, keys)
            sentence = gettext("Some of the selected rows no longer exist. Nothing was changed.")
            raise Refused(sentence, status=404)
        return objects

    def _refuse_seen(self, session: Session, keys: Sequence[str]) -> None:
        """Refuse what is there and in the list, but not for this operator to do this to."""
        stmt = self.view.objects_query(self.request, keys, "list")
        if scope_names(self.view, self.request, self.action) is None:
            return
        found = session.execute(stmt.with_only_columns(*key_columns(self.view.model))).all()
        if len(found) == len(keys):
            sentence = gettext("Some of the selected rows are not yours to do this to.")
            raise Refused(sentence, status=403)

    def batches(
        self,
        session: Session,
        seen: Seen | None = None,
        progress: Progress | None = None,
        going: Callable[[], str] = str,
    ) -> Iterator[Batch]:
        """Lock the rows, then yield them, a bounded number at a time.

        Raises `ChangedSinceShown` if they, or what goes with them, aren't as they were `seen`.
        All are found before the first is changed, so that no change decides what else is meant.
        """
        if not self.is_all:
            objects = self.objects(session, self.keys)
            if seen is not None:
                seen.require_same(self.view, session, objects, going())
            yield from counted([Batch(self, session, self.keys, objects)], len(objects), progress)
            return
        with tempfile.TemporaryFile("w+", encoding="utf-8", errors="surrogatepass") as file:
            count = self._store_keys(session, file, seen, going)
            file.seek(0)
            lines = (line.removesuffix("\n") for line in file)
            batches = (Batch(self, session, keys) for keys in in_batches(lines))
            yield from counted(batches, count, progress)

    def _store_keys(
        self, session: Session, file: Any, seen: Seen | None, going: Callable[[], str]
    ) -> int:
        """Write all keys into a file: any number of them takes the same memory."""
        stmt = self._marked().with_for_update(of=self.view.model)
        found = session.execute(stmt, execution_options={"yield_per": BATCH_SIZE})
        marks, width, count = Marks(), len(key_columns(self.view.model)), 0
        for row in marks.watch(found):
            file.write(f"{join(row[:width])}\n")
            count += 1
        if seen is not None:
            seen.require_same_rows(marks.text, self._names(), going())
        return count

    def _marked(self) -> Select[Any]:
        """Return the keys in their order, each with the version of its row if it keeps one."""
        keys, version = key_columns(self.view.model), self.view.mapper.version_id_col
        columns = keys if version is None else (*keys, version)
        return self.rows().with_only_columns(*columns).order_by(*keys)

    def _names(self) -> str:
        return in_sentence(self.view.name_plural)


@dataclass(frozen=True)
class Batch:
    """Some of the selected rows, locked: their keys, and their objects for whoever needs these."""

    selection: Selection
    session: Session
    keys: list[str]
    found: list[Any] | None = None

    def objects(self) -> list[Any]:
        if self.found is not None:
            return self.found
        return self.selection.objects(self.session, self.keys)


class Marks:
    """Tells rows by their number, and the first of them by a digest of keys and versions."""

    def __init__(self) -> None:
        self.count = 0
        self.digest = hashlib.sha256()

    def watch(self, rows: Iterable[Any]) -> Iterator[Any]:
        """Yield the rows; of those beyond what is counted, only that there are any is told."""
        for row in rows:
            if self.count <= MOST_COUNTED:
                self.count += 1
                self.digest.update(repr(tuple(row)).encode(errors="surrogatepass"))
            yield row

    @property
    def text(self) -> str:
        # Of more than are counted, each time others may be among them.
        is_capped = self.count > MOST_COUNTED
        return f"{self.count}:" + ("" if is_capped else self.digest.hexdigest()[:12])


def write_count(count: int) -> str:
    """Return a number that was counted up to a limit."""
    return write_capped(count, MOST_COUNTED)


def counted(batches: Iterable[Batch], count: int, progress: Progress | None) -> Iterator[Batch]:
    """Yield batches, and say after each how far the work is."""
    if progress is not None:
        progress.begin(count)
    for batch in batches:
        yield batch
        if progress is not None:
            progress.done += len(batch.keys)


def in_batches(lines: Iterable[str]) -> Iterator[list[str]]:
    rest = iter(lines)
    while some := list(islice(rest, BATCH_SIZE)):
        yield some
