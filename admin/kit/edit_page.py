"""The page that changes an object, merging what is sent with what others stored meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from starlette.datastructures import FormData
from wtforms import BooleanField
from wtforms.fields.choices import SelectFieldBase

from admin.kit.choice_fields import RelatedField
from admin.kit.display import MASK
from admin.kit.errors import require
from admin.kit.fields import SensitiveField
from admin.kit.formats import join_words
from admin.kit.forms import SHOWN_FIELD, VERSION_FIELD, fill, fingerprint, posted, sent_data, shown
from admin.kit.history import has_recorded
from admin.kit.history.sight import is_recorded
from admin.kit.languages import gettext, in_sentence
from admin.kit.lookups import name_chosen
from admin.kit.meanwhile import Base, base_of
from admin.kit.merging import Merged, merge, same
from admin.kit.opened import Opened, open_form

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.orm import Session
    from starlette.requests import Request
    from wtforms import Field, Form

    from admin.kit.model_admin import ModelAdmin

# The names of inputs: what was asked, what was answered, and what there was at first.
ASKED_FIELD, KEEP, BASE = "_asked", "_keep-", "_base-"
# In characters: a page sends the old value along, and the sum of what it sends is bounded.
LONGEST_BASE = 100_000
MINE, THEIRS, FIRST = "mine", "theirs", "base"


@dataclass(frozen=True)
class Collision:
    """What others made of a field that was changed, and what it was: to read, and to send along.

    `was` is empty where that is too long to send, so that it can't be chosen.
    """

    base: str
    theirs: str
    authors: str
    was: list[str]


@dataclass
class Attempt:
    """One try to store what was sent, over the row as it is now.

    It is stale if others stored something since the form was opened.
    """

    view: ModelAdmin
    opened: Opened
    base: Base | None
    sent: FormData
    undecided: list[str]
    form_class: type[Form]
    is_stale: bool

    def fill(self) -> Form:
        """Return the form, in which a field is untouched if it is as it was opened."""
        values = self.opened.values if self.base is None else self.base.values
        return fill(self.form_class, values, self.sent)

    def merge(self, form: Form) -> Merged:
        """Merge the values of the fields; what shows the same as theirs is theirs."""
        if self.base is None or not (self.is_stale or self.undecided):
            return Merged()
        base = {f.name: f.data for f in fill(self.form_class, self.base.values)}
        theirs = {f.name: f.data for f in fill(self.form_class, self.opened.values)}
        over = {f.name: f.data for f in fill(self.form_class, self.opened.values, self.sent)}
        mine = {f.name: f.data for f in form if f.name in self.sent}
        mine |= {name: theirs[name] for name in mine if same(over[name], theirs[name])}
        merged = merge(base, theirs, mine)
        asked = [n for n in self.undecided if n in mine and not same(mine[n], theirs[n])]
        for name in asked:
            merged.mine.pop(name, None)
        merged.collisions.extend(name for name in asked if name not in merged.collisions)
        return merged

    def data(self, form: Form, merged: Merged) -> dict[str, Any]:
        """Return what to store, and the version it is stored over."""
        data = merged.mine if self.is_stale else sent_data(form, self.sent)
        if self.view.version_name and VERSION_FIELD in self.sent:
            data[self.view.version_name] = self.opened.version
        return data

    def sentence(self, merged: Merged) -> str:
        """Say what was stored, and whose changes stay beside it."""
        name = in_sentence(self.view.name)
        if is_recorded(self.view.site.journal, self.view) and not has_recorded():
            return gettext("The %(name)s {} stays as it was.", name=name)
        if self.base is None or not merged.theirs:
            return gettext("The %(name)s {} was changed.", name=name)
        return gettext(
            "The %(name)s {} was changed. Merged with changes by %(authors)s: %(fields)s.",
            name=name,
            authors=join_words(self.base.authors_of(merged.theirs)),
            fields=join_words(map(self.view.label, merged.theirs)),
        )

    def keep_opened(self) -> None:
        """Let the form go on from what it was opened with: another mistake must not lose that."""
        self.opened.version = str(self.sent.get(VERSION_FIELD, self.opened.version))
        self.renew()
        self.opened.shown = str(self.sent.get(SHOWN_FIELD, self.opened.shown))

    def renew(self) -> None:
        """Let the form go on from what is stored now."""
        self.opened.shown = fingerprint(fill(self.form_class, self.opened.values))

    async def ask(self, request: Request, merged: Merged) -> tuple[Form, dict[str, Collision]]:
        """Return the form over what is stored now, and what collides in it."""
        assert self.base is not None  # noqa: S101 - only what has a base is merged
        self.renew()
        firsts = {f.name: shown(f) for f in fill(self.form_class, self.base.values)}
        was = {n: texts(self.sent, BASE + n) or firsts[n] for n in merged.collisions}
        first = {f.name: f for f in self.form_class(form_data(was))}
        found = {}
        for field in fill(self.form_class, self.opened.values):
            if field.name in was:
                base = first[field.name]
                await name_chosen(self.view, request, base)
                authors = join_words(self.base.authors_of([field.name]))
                versions = as_text(base), as_text(field)
                is_short = sum(map(len, was[field.name])) <= LONGEST_BASE
                is_told = is_short and not isinstance(field, SensitiveField)
                held = was[field.name] if is_told else []
                found[field.name] = Collision(*versions, authors, held)
        form = fill(self.form_class, self.opened.values, without(self.sent, merged.theirs))
        return form, found


async def attempt(view: ModelAdmin, request: Request) -> Attempt:
    """Read the row as it is now, and as it was when the form was opened."""
    sent, undecided = settled(await posted(request))
    form_class = await view.scaffold_form(view.edit_rules)

    def work(session: Session) -> tuple[Opened, Base | None, bool]:
        opened = open_form(view, request, session)
        if not is_overtaken(form_class, opened, sent):
            return opened, Base(opened.values), False
        is_base = partial(is_shown, form_class, str(sent.get(SHOWN_FIELD, "")))
        return opened, base_of(view, session, opened.obj, is_base), True

    opened, base, is_stale = await view.site.read(work)
    require(await view.check_can_edit(request, opened.obj))
    return Attempt(view, opened, base, sent, undecided, form_class, is_stale)


def is_overtaken(form_class: type[Form], opened: Opened, sent: FormData) -> bool:
    """Say whether a row is another one than the form was opened with.

    Without a version that is told by what the form showed. Other code sends neither, and is not
    asked.
    """
    if opened.version:
        return sent.get(VERSION_FIELD) not in (None, opened.version)
    return SHOWN_FIELD in sent and not is_shown(form_class, str(sent[SHOWN_FIELD]), opened.values)


def is_shown(form_class: type[Form], told: str, values: dict[str, Any]) -> bool:
    """Say whether these values are what a form showed that was opened."""
    return fingerprint(fill(form_class, values)) == told


def settled(sent: FormData) -> tuple[FormData, list[str]]:
    """Apply what was chosen for fields that collided; return also those not decided yet."""
    undecided = []
    for name in dict.fromkeys(texts(sent, ASKED_FIELD)):
        choice = sent.get(KEEP + name)
        if choice == THEIRS:
            sent = without(sent, [name, BASE + name])
        elif choice == FIRST:
            was = [(name, value) for value in texts(sent, BASE + name)]
            sent = FormData([*without(sent, [name, BASE + name]).multi_items(), *was])
        elif choice == MINE:
            sent = without(sent, [BASE + name])
        else:
            undecided.append(name)
    return sent, undecided


def form_data(values: dict[str, list[str]]) -> FormData:
    return FormData([(name, value) for name, some in values.items() for value in some])


def texts(sent: FormData, name: str) -> list[str]:
    return [value for value in sent.getlist(name) if isinstance(value, str)]


def without(sent: FormData, names: Iterable[str]) -> FormData:
    """Leave out fields, which then keep what is stored."""
    return FormData([pair for pair in sent.multi_items() if pair[0] not in set(names)])


def as_text(field: Field) -> str:
    """Return what a field says, to read and not to type."""
    if isinstance(field, RelatedField):
        return field.chosen or field.data or ""
    if isinstance(field, SensitiveField):
        return MASK if field.data else ""
    if isinstance(field, BooleanField):
        return gettext("Yes") if field.data else gettext("No")
    if isinstance(field, SelectFieldBase):
        return "".join(label for _, label, is_chosen, *_ in field.iter_choices() if is_chosen)
    return "".join(shown(field))
