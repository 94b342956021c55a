"""What an address asks for and no list can answer: a 400 with a sentence, and a way out."""

from __future__ import annotations

from starlette.exceptions import HTTPException

from admin.kit.languages import gettext


class BadFilter(HTTPException):
    """`clear_path` leads to the same list without its filters."""

    clear_path = ""

    def __init__(self, sentence: str) -> None:
        super().__init__(400, sentence)


def cannot_be_set(title: str) -> BadFilter:
    return BadFilter(gettext("The filter “%(title)s” can't be set to this.", title=title))


def is_no_filter() -> BadFilter:
    """Say the same about columns that exist and those that don't."""
    return BadFilter(gettext("The list can't be filtered by what this address names."))
