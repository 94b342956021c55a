"""What was done, and what stands in the way of undoing it, in sentences.

Codes and names are stored, so that the history is the same for everyone; words are found for them
when they are shown.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from admin.kit.formats import join_words, write_number
from admin.kit.languages import gettext, in_sentence, lazy_gettext, ngettext

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from admin.kit.history.sight import Name, Sight
    from admin.kit.history.undo import Collision
    from admin.kit.model_admin import ModelAdmin

DONE = {
    "create": lazy_gettext("Added"),
    "update": lazy_gettext("Changed"),
    "delete": lazy_gettext("Deleted"),
}
# What changes no row.
EVENTS = {
    "export": lazy_gettext("Exported"),
    "sign in": lazy_gettext("Signed in"),
    "refuse sign-in": lazy_gettext("Sign-in refused"),
    "refuse": lazy_gettext("Refused"),
    "prune": lazy_gettext("Old history removed"),
}
ACTIONS = {**DONE, **EVENTS}
# A sentence begins with the first one, and goes on with the second one.
PHRASES = {
    "create": (lazy_gettext("Added %(what)s"), lazy_gettext("added %(what)s")),
    "update": (lazy_gettext("Changed %(what)s"), lazy_gettext("changed %(what)s")),
    "delete": (lazy_gettext("Deleted %(what)s"), lazy_gettext("deleted %(what)s")),
}
SOURCES = {
    "form": lazy_gettext("Form"),
    "cell": lazy_gettext("Cell of a list"),
    "action": lazy_gettext("Action"),
    "import": lazy_gettext("Import"),
    "command": lazy_gettext("Command"),
    "undo": lazy_gettext("Undo"),
    "restore": lazy_gettext("Restore"),
}
AS_AFTER = re.compile("As after change ([0-9]+)")


def words(sight: Sight, counts: Mapping[Name, int], label: str = "") -> str:
    """Say what was done to how many rows; the one that `label` names is called by it."""
    actions = [action for action in DONE if any(a == action for _, a in counts)]
    events = [(name, action) for name, action in counts if action not in DONE]
    # The recorder calls a change set by the last row it deleted, else by the first one.
    named = "delete" if "delete" in actions else actions[0] if len(actions) == 1 else ""
    phrases: list[str] = []
    for action in actions:
        some = {name: count for (name, a), count in counts.items() if a == action}
        called = label if action == named and not events else ""
        phrases.append(PHRASES[action][bool(phrases)] % {"what": phrase(sight, some, called)})
    phrases += [event(sight, *one, label if len(counts) == 1 else "") for one in events]
    return gettext(", ").join(phrases)


def event(sight: Sight, name: str, action: str, label: str) -> str:
    """Say what happened that changed no row."""
    if action == "export" and name in sight.views:
        names = in_sentence(sight.views[name].name_plural)
        return gettext("Exported %(names)s as %(type)s", names=names, type=label.upper() or "–")
    if action == "refuse" and label:
        return gettext("Refused: %(what)s", what=label)
    return action_word(action)


def phrase(sight: Sight, counts: Mapping[str, int], label: str) -> str:
    rows = {name: count for name, count in counts.items() if name not in sight.links}
    if not rows:
        return links(sum(counts.values()))
    lead = leading(sight, rows) if label else ""
    parts = [quoted(label)] if lead else []
    return join_words(
        parts + [some(sight.views[name], count) for name, count in rows.items() if name != lead]
    )


def leading(sight: Sight, rows: Mapping[str, int]) -> str:
    """Return the table of the row that the change set is called by, if it is plain which it is."""
    rank = sight.site.recorded.schema.rank
    single = [name for name, count in rows.items() if count == 1]
    return min(single, key=lambda name: rank[name], default="")


def some(view: ModelAdmin, count: int) -> str:
    names = in_sentence(view.name if count == 1 else view.name_plural)
    return gettext("%(count)s %(names)s", count=write_number(count), names=names)


def links(count: int) -> str:
    return ngettext("%(count)s link", "%(count)s links", count, count=write_number(count))


def quoted(label: str) -> str:
    return gettext("“%(label)s”", label=label)


def action_word(action: str) -> str:
    return str(ACTIONS.get(action, action))


def source_word(source: str) -> str:
    return str(SOURCES.get(source, source))


def reason(row: Any) -> str:
    """Return why a change set was made, in the language of who reads it where the kit gave it."""
    text: str = row.reason
    found = AS_AFTER.fullmatch(text) if row.source == "restore" else None
    if found:
        return gettext("As after change %(number)s", number=found[1])
    return gettext(text) if text and row.source == "action" else text


def collision_sentence(collision: Collision, name: str, fields: Sequence[str]) -> str:
    """Say what keeps this row from being put back; `{}` stands for what it is called."""
    values = {"name": in_sentence(name), "fields": join_words(sorted(set(fields)))}
    return COLLISIONS[collision.kind] % values


COLLISIONS = {
    "changed": lazy_gettext("The %(name)s {} was changed since (%(fields)s)."),
    "taken": lazy_gettext(
        "The %(name)s {} can't come back: another one has the same %(fields)s by now."
    ),
    "orphan": lazy_gettext(
        "The %(name)s {} can't come back: what it refers to (%(fields)s) is gone."
    ),
    "used": lazy_gettext("The %(name)s {} can't go: other rows refer to it by now."),
    "secret": lazy_gettext(
        "The %(name)s {} can't be put back: what it held (%(fields)s) is secret, so it was not "
        "kept."
    ),
    "lost": lazy_gettext(
        "The %(name)s {} can't be put back: what it held (%(fields)s) can't be chosen any more."
    ),
    "missing": lazy_gettext("The %(name)s {} is gone."),
}
