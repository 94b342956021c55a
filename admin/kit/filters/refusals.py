"""What an address asks for and no list can answer: a 400 with a sentence, and a way out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from admin.kit.errors import BadAddress
from admin.kit.languages import gettext

if TYPE_CHECKING:
    from collections.abc import Collection


class BadFilter(BadAddress):
    """`clear_path` leads to the same list without its filters."""

    clear_path = ""


def cannot_be_set(title: str, parameters: Collection[str] = ()) -> BadFilter:
    said = gettext("The filter “%(title)s” can't be set to this.", title=title)
    return BadFilter(said, parameters)


def is_no_filter(parameters: Collection[str] = ()) -> BadFilter:
    """Say the same about columns that exist and those that don't."""
    return BadFilter(gettext("The list can't be filtered by what this address names."), parameters)
