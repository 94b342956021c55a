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
    "reveal": lazy_gettext("Revealed"),
    "sign in": lazy_gettext("Signed in"),
    "refuse sign-in": lazy_gettext("Sign-in refused"),
    "refuse other site": lazy_gettext("Refused from another site"),
    "lock out": lazy_gettext("Locked out"),
    "sign out": lazy_gettext("Signed out"),
    "end session": lazy_gettext("Sessions ended"),
    "confirm": lazy_gettext("Confirmed who they are"),
    "refuse confirm": lazy_gettext("Confirmation refused"),
    "unlock": lazy_gettext("Unlocked"),
    "set password": lazy_gettext("Password set"),
    "make link": lazy_gettext("Link to choose a password made"),
    "send link": lazy_gettext("Link to choose a password sent"),
    "refuse password": lazy_gettext("Own password not changed"),
    "refuse": lazy_gettext("Refused"),
    "view as": lazy_gettext("Began to look on as somebody else"),
    "stop viewing": lazy_gettext("Stopped looking on as somebody else"),
    "prune": lazy_gettext("Old history removed"),
    "refuse second factor": lazy_gettext("Second factor refused"),
    "refuse passkey": lazy_gettext("Passkey refused: it may have been copied"),
    "use backup code": lazy_gettext("Backup code used"),
    "set up app": lazy_gettext("Authenticator app set up"),
    "remove app": lazy_gettext("Authenticator app removed"),
    "make backup codes": lazy_gettext("Backup codes made"),
    "reset second factors": lazy_gettext("Second factors reset"),
}
# What tells who was at the door; it can be asked for in one.
SIGN_INS = (
    *("sign in", "refuse sign-in", "lock out", "sign out", "end session"),
    *("confirm", "refuse confirm", "unlock"),
)
# What is done to an operator, who is named.
TO_OPERATORS = (
    *("set password", "make link", "send link", "view as", "stop viewing"),
    "reset second factors",
)
ANY_SIGN_IN = "sign-ins"
ACTIONS = {**DONE, ANY_SIGN_IN: lazy_gettext("Sign-ins and sessions"), **EVENTS}
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
REFUSALS = {
    "refuse": (
        lazy_gettext("Refused: %(what)s"),
        lazy_gettext("Refused: %(what)s, and %(count)s more before it"),
    ),
    "refuse other site": (
        lazy_gettext("Refused from another site: %(what)s"),
        lazy_gettext("Refused from another site: %(what)s, and %(count)s more before it"),
    ),
}
COUNTED = re.compile(r"(?:\+([0-9]{1,9}) )?(.*)", re.DOTALL)
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
    if action in REFUSALS and label:
        return refusal(action, label)
    if action in (*SIGN_INS, *TO_OPERATORS) and label:
        word = action_word(action)
        return gettext("%(event)s (%(device)s)", event=word, device=label)
    if action == "reveal" and name in sight.views:
        view = sight.views[name]
        names = join_words(in_sentence(view.label(each)) for each in label.split(", ") if each)
        whose = in_sentence(view.name_plural)
        return gettext("Revealed %(fields)s of %(names)s", fields=names or "–", names=whose)
    return action_word(action)


def refusal(action: str, label: str) -> str:
    """Say what was refused, and how many more were that the history doesn't keep one by one."""
    more, what = COUNTED.fullmatch(label).groups()  # type: ignore[union-attr]  # It takes any text.
    alone, with_more = REFUSALS[action]
    return (with_more if more else alone) % {"what": what, "count": write_number(int(more or 0))}


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
