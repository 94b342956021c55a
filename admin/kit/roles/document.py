"""A role's rights as a document, and as the boxes that are ticked for it.

A box is known by a text: `may/post/edit`, `scope/post/active`, `hidden/post/email`. The screen is
quoted, so that no name of it can be taken for another box.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from admin.kit.languages import gettext
from admin.kit.permissions import is_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Document = dict[str, Any]

MAY, SCOPE = "may", "scope"
LISTS = (MAY, "hidden", "readonly")
KINDS = (*LISTS, SCOPE)


def box(kind: str, identity: str, name: str) -> str:
    """Return the text that a box is known by."""
    return f"{kind}/{quote(identity, safe='*')}/{name}"


def boxes_of(document: Any) -> list[str]:
    """Return the boxes that are ticked for a document; what can't be read has none."""
    found: list[str] = []
    for identity, said in (document if isinstance(document, dict) else {}).items():
        if isinstance(said, dict):
            found += [box(*ticked) for ticked in ticked_in(str(identity), said)]
    return list(dict.fromkeys(found))


def ticked_in(identity: str, said: Document) -> Iterator[tuple[str, str, str]]:
    for kind in LISTS:
        names = said.get(kind, ())
        yield from ((kind, identity, name) for name in (names if is_names(names) else ()))
    scope = said.get(SCOPE, "")
    if isinstance(scope, str) and scope:
        yield SCOPE, identity, scope


def document_of(boxes: Iterable[str], stored: Any = None) -> Document:
    """Return the document for the boxes that are ticked, in their order.

    What else `stored` says of a screen stays; a screen on which nothing is allowed is left out.
    """
    found: dict[str, Document] = {}
    for text in boxes:
        kind, identity, name = parts(text)
        said = found.setdefault(identity, {})
        if kind == SCOPE:
            if said.get(SCOPE, name) != name:
                raise ValueError(gettext("Choose one kind of rows for each screen."))
            said[SCOPE] = name
        else:
            said.setdefault(kind, []).append(name)
    held = stored if isinstance(stored, dict) else {}
    return {
        identity: {**others(held.get(identity)), **said}
        for identity, said in found.items()
        if said.get(MAY)
    }


def others(said: Any) -> Document:
    """Return what a document says of a screen that no box stands for."""
    items = said.items() if isinstance(said, dict) else ()
    return {name: value for name, value in items if name not in KINDS}


def parts(text: str) -> tuple[str, str, str]:
    """Return kind, screen and name of a box."""
    kind, _, rest = text.partition("/")
    identity, _, name = rest.partition("/")
    return kind, unquote(identity), name
