"""Search terms as a condition: every word in at least one of the columns, in any case.

SQLite ignores the case of ASCII letters only.
"""

import re
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Enum, String, and_, cast, or_, true
from sqlalchemy.orm import QueryableAttribute
from starlette.exceptions import HTTPException

from admin.kit.languages import gettext, ngettext

LONGEST_SEARCH = 200  # characters
LIKE_WILDCARDS = str.maketrans({"\\": "\\\\", "%": "\\%", "_": "\\_"})
WORDS = re.compile(r'"([^"]+)"(?!\S)|(\S+)')

Column = str | ColumnElement[Any] | QueryableAttribute[Any]


def words(term: str) -> list[str]:
    """Split at blanks, keeping what is in double quotes whole; any other quote means itself.

    Raises a 400 for a NUL, which no database text can hold, and for an endless term.
    """
    if "\0" in term:
        sentence = gettext("The search contains a character that can't be searched for.")
        raise HTTPException(400, sentence)
    if len(term) > LONGEST_SEARCH:
        sentence = ngettext(
            "The search is longer than %(count)s character.",
            "The search is longer than %(count)s characters.",
            LONGEST_SEARCH,
            count=LONGEST_SEARCH,
        )
        raise HTTPException(400, sentence)
    return [phrase or word for phrase, word in WORDS.findall(term)]


def contains_words(model: type, columns: Sequence[Column], term: str) -> ColumnElement[bool]:
    """Return the condition; `%`, `_` and the backslash mean themselves.

    A dotted path leads through to-one relations without joining them: an index on the other table
    can serve, and a row that has no related one stays.
    """
    return and_(
        true(), *(or_(*(found(model, column, word) for column in columns)) for word in words(term))
    )


def found(model: Any, column: Column, word: str) -> ColumnElement[bool]:
    """Say where one word is in one column, which may be named by a path such as `author.name`."""
    if not isinstance(column, str):
        return contains(column, word)
    name, _, rest = column.partition(".")
    attribute = getattr(model, name)
    if not rest:
        return contains(attribute, word)
    return attribute.has(found(attribute.property.mapper.class_, rest, word))  # type: ignore[no-any-return]


def contains(
    column: ColumnElement[Any] | QueryableAttribute[Any], word: str
) -> ColumnElement[bool]:
    is_text = isinstance(column.type, String) and not isinstance(column.type, Enum)
    text = column if is_text else cast(column, String)
    return text.ilike(f"%{word.translate(LIKE_WILDCARDS)}%", escape="\\")
