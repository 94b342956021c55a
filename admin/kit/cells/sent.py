"""The editable cells of rows as pages send them: what they held, and what was made of that."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from starlette.exceptions import HTTPException

from admin.kit.edit_page import KEEP, THEIRS, form_data
from admin.kit.merging import same

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.datastructures import FormData
    from wtforms import Field, Form

ROW_FIELD = "_row"
# It begins the names and ids of the inputs of a row.
PREFIX = re.compile(r"[\w-]{1,40}")
Texts = dict[str, list[str]]


@dataclass(frozen=True)
class SentRow:
    """The cells of one row, by the names of their columns.

    `was` is what the page showed in them and `texts` what came back; `asked` names those that had
    collided, and `choices` has what was chosen for them.
    """

    prefix: str
    key: str
    was: Texts
    texts: Texts = field(default_factory=dict)
    asked: Sequence[str] = ()
    choices: dict[str, str] = field(default_factory=dict)

    @property
    def told(self) -> str:
        """What a page keeps of the row in a hidden input."""
        told = [self.prefix, self.key, self.was, list(self.asked)]
        return json.dumps(told, ensure_ascii=False, separators=(",", ":"))

    @property
    def mine(self) -> Texts:
        """What was sent, but for cells in which what others stored was chosen."""
        return {n: held for n, held in self.texts.items() if self.choices.get(n) != THEIRS}

    def touched(self, form_class: type[Form]) -> list[str]:
        """Return the cells that somebody changed, or has to decide about."""
        other = {n: held for n, held in self.mine.items() if not is_as_shown(held, self.was[n])}
        mine = values_of(form_class, other)
        was = values_of(form_class, {name: self.was[name] for name in other})
        changed = {name for name in other if not same(mine[name], was[name])}
        return [name for name in self.mine if name in self.asked or name in changed]


def read_rows(sent: FormData, names: Sequence[str], most: int) -> list[SentRow]:
    """Return the rows of a form, each once; raise a 400 for what no page sends."""
    held: Texts = {}
    for name, value in sent.multi_items():
        held.setdefault(name, []).append(str(value))
    rows = [read_row(held, told, names) for told in held.get(ROW_FIELD, ())]
    keys, prefixes = {row.key for row in rows}, {row.prefix for row in rows}
    if not len(keys) == len(prefixes) == len(rows) <= most:
        raise HTTPException(400)
    return rows


def read_row(sent: Texts, told: str, names: Sequence[str]) -> SentRow:
    """Return a row with those of its cells that may be edited; no others are read."""
    try:
        prefix, key, was, asked = json.loads(told)
        # What JSON can spell, but no database can hold.
        told.encode()
        json.dumps([key, was], ensure_ascii=False).encode()
        is_known = PREFIX.fullmatch(prefix) and isinstance(key, str) and set(asked) <= set(was)
    except (ValueError, TypeError, RecursionError):
        raise HTTPException(400) from None
    if not is_known or not isinstance(was, dict) or not all(map(is_texts, was.values())):
        raise HTTPException(400)
    was = {name: was[name] for name in names if name in was}
    held = {n: sent[f"{prefix}-{n}"] for n in was if f"{prefix}-{n}" in sent}
    choices = {name: sent.get(f"{KEEP}{prefix}-{name}", [""])[0] for name in asked}
    return SentRow(prefix, key, was, held, [n for n in asked if n in was], choices)


def is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(text, str) for text in value)


def is_as_shown(held: list[str], was: list[str]) -> bool:
    """Say whether it is needless to read a text; beside a ticked box, a mark is sent along."""
    return held == was or (held[:1] == was and held[1:] == ["false"])


def values_of(form_class: type[Form], held: Texts) -> dict[str, Any]:
    """Return what these texts mean; what can't be read means itself."""
    if not held:
        return {}
    return {f.name: value_of(f) for f in form_class(form_data(held)) if f.name in held}


def value_of(field: Field) -> Any:
    return ["unreadable", *(field.raw_data or ())] if field.process_errors else field.data


def only(form_class: type[Form], names: Sequence[str]) -> type[Form]:
    """Return a form with some of the fields, to read and to show; the whole form validates."""
    fields = {f.short_name: attribute for attribute, f in form_class()._fields.items()}
    others = {attribute: None for name, attribute in fields.items() if name not in names}
    return type("Cells", (form_class,), others)


def prefixed(prefix: str, held: Texts) -> FormData:
    return form_data({f"{prefix}-{name}": some for name, some in held.items()})
