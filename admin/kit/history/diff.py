"""Two texts as one, word by word, with what went and what came; the work is bounded."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from itertools import takewhile
from typing import TYPE_CHECKING

from markupsafe import Markup

from admin.kit.languages import gettext

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

WORDS = re.compile(r"\s+|\w+|[^\w\s]")
MOST_WORDS = 200  # that differ, on either side; beyond them all between is one change
MOST_WORK = 400_000  # pairs of words that are compared for one page
CONTEXT = 120  # characters around a change
LONGEST = 2000  # characters of a change
OLD = Markup('<del><span class="visually-hidden">{} </span>{}</del>')
NEW = Markup('<ins><span class="visually-hidden">{} </span>{}</ins>')


class Differ:
    """Compares the texts of one page."""

    def __init__(self) -> None:
        self.work = MOST_WORK

    def compare(self, old: str, new: str) -> Markup:
        """Return both texts as HTML; readers of the screen hear what was removed and added."""
        start, old_middle, new_middle, end = trimmed(old, new)
        parts = [Markup.escape(tail(start))]
        parts += [*self._middle(old_middle, new_middle), Markup.escape(head(end))]
        return Markup("").join(parts)

    def _middle(self, old: str, new: str) -> Iterator[Markup]:
        # Splitting is work as well, so a text that is long anyway is not split.
        ours, theirs = (WORDS.findall(text[: MOST_WORDS * 40]) for text in (old, new))
        is_small = max(len(old), len(new)) < MOST_WORDS * 40
        cost = len(ours) * len(theirs)
        if is_small and max(len(ours), len(theirs)) <= MOST_WORDS and cost <= self.work:
            self.work -= cost
            yield from by_words(ours, theirs)
        else:
            yield from marked(old, new)


def by_words(old: Sequence[str], new: Sequence[str]) -> Iterator[Markup]:
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    for kind, first, last, other_first, other_last in matcher.get_opcodes():
        was, now = "".join(old[first:last]), "".join(new[other_first:other_last])
        if kind == "equal":
            yield Markup.escape(shortened(was))
        else:
            yield from marked(was, now)


def marked(old: str, new: str) -> Iterator[Markup]:
    if old:
        yield OLD.format(gettext("Removed:"), cut(old))
    if new:
        yield NEW.format(gettext("Added:"), cut(new))


def trimmed(old: str, new: str) -> tuple[str, str, str, str]:
    """Return what both begin with, what differs of each, and what both end with: whole words."""
    start = old[: shared(old, new)]
    start = start[: len(start) - len(last_word(start))] if start not in (old, new) else start
    rest, other = old[len(start) :], new[len(start) :]
    end = rest[len(rest) - shared(rest[::-1], other[::-1]) :]
    end = end[len(first_word(end)) :] if end not in (rest, other) else end
    return start, rest[: len(rest) - len(end)], other[: len(other) - len(end)], end


def shared(one: str, other: str) -> int:
    """Return how many characters both begin with."""
    pairs = takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))
    return sum(1 for _ in pairs)


def last_word(text: str) -> str:
    found = re.search(r"\w{1,100}\Z", text[-100:])
    return found.group() if found else ""


def first_word(text: str) -> str:
    found = re.match(r"\w{1,100}", text)
    return found.group() if found else ""


def cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def tail(text: str) -> str:
    return text if len(text) <= CONTEXT else f"…{text[-CONTEXT:]}"


def head(text: str) -> str:
    return text if len(text) <= CONTEXT else f"{text[:CONTEXT]}…"


def shortened(text: str) -> str:
    return text if len(text) <= 2 * CONTEXT else f"{text[:CONTEXT]} … {text[-CONTEXT:]}"
