"""The languages of the pages: which one a request gets, and the texts in it.

English is the source. Other languages have a catalogue at `<lang>/LC_MESSAGES/messages.po` in the
kit's folder and in those of the application, whose texts win. The language is a context variable,
so that worker threads and whatever a request calls find it.
"""

from __future__ import annotations

import functools
import gettext as gettext_module
import io
import json
import re
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from babel import Locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import LazyProxy, Translations
from sqladmin.exceptions import ImproperlyConfigured
from wtforms.i18n import get_builtin_gnu_translations

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from babel.messages import Catalog, Message

SOURCE = "en"
LOCALE = Path(__file__).parent / "locale"
# Languages that write every noun with a capital letter, in the middle of a sentence too.
CAPITAL_NOUNS = {"de", "lb"}
ACCEPTED = re.compile(
    r"([A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*)\s*(?:;\s*q\s*=\s*([01](?:\.\d{0,3})?))?"
)


@dataclass(frozen=True, eq=False)
class Language:
    """A language; `script_texts` is what scripts say in it, as JSON, or "" for the source."""

    code: str
    catalogue: gettext_module.NullTranslations = field(
        default_factory=gettext_module.NullTranslations
    )
    script_texts: str = ""

    @functools.cached_property
    def locale(self) -> Locale:
        return Locale.parse(self.code, sep="-")

    @functools.cached_property
    def direction(self) -> str:
        return self.locale.text_direction

    @functools.cached_property
    def name(self) -> str:
        """What the language calls itself."""
        return (self.locale.display_name or self.code).capitalize()


ENGLISH = Language(SOURCE)
_current: ContextVar[Language] = ContextVar("language", default=ENGLISH)


def get_language() -> Language:
    """Return the language of this request, or English outside of one."""
    return _current.get()


def set_language(language: Language) -> None:
    """Choose the language for what this task does from here on."""
    _current.set(language)


# Texts


def gettext(message: str, /, **values: Any) -> str:
    """Return the message in the language of the request, with the values put in."""
    text = _current.get().catalogue.gettext(message)
    return text % values if values else text


def ngettext(singular: str, plural: str, count: int, /, **values: Any) -> str:
    """Return the message as the language says it for this count, with the values put in."""
    text = _current.get().catalogue.ngettext(singular, plural, count)
    return text % values if values else text


class LazyText(LazyProxy):
    """A text that is looked up each time it is used, and that may be a key, as texts may."""

    def __hash__(self) -> int:
        return hash(str(self))


def lazy_gettext(message: str, /) -> str:
    """Return a text that is translated when it is printed, for what is declared once for all."""
    return LazyText(gettext, message, enable_cache=False)  # type: ignore[return-value]


@contextmanager
def speaking(language: Language) -> Iterator[None]:
    """Choose the language for what is done meanwhile."""
    token = _current.set(language)
    try:
        yield
    finally:
        _current.reset(token)


def untranslated(text: str) -> str:
    """Return a text as the code has it, for what is stored and read in any language."""
    with speaking(ENGLISH):
        return str(text)


def in_sentence(name: str) -> str:
    """Return a noun as it stands within a sentence: in lower case, where the language does so."""
    language = _current.get().code.partition("-")[0]
    return str(name) if language in CAPITAL_NOUNS else str(name).lower()


# Which one


class Languages:
    """The languages of a site, read once; the first one is for those who take none of them."""

    def __init__(self, codes: Sequence[str], folders: Sequence[str | Path] = ()) -> None:
        places = (*map(Path, folders), LOCALE)
        self.by_code = {code: read(code, places) for code in codes}
        self.default = self.by_code[codes[0]]
        self.by_tag = {code.lower(): language for code, language in self.by_code.items()}

    def __iter__(self) -> Iterator[Language]:
        return iter(self.by_code.values())

    def choose(self, chosen: str, header: str) -> Language:
        """Return the language that somebody chose, else the one the browser likes best."""
        if chosen in self.by_code:
            return self.by_code[chosen]
        for tag in by_preference(header):
            # Austrians get German, rather than English.
            for known in (tag, tag.partition("-")[0]):
                if known in self.by_tag:
                    return self.by_tag[known]
        return self.default


def by_preference(header: str) -> list[str]:
    """Return the languages of an Accept-Language header, best first; junk is left out."""
    matches = [ACCEPTED.fullmatch(item.strip()) for item in header[:1000].split(",")]
    weighed = [(float(match[2] or 1), match[1].lower()) for match in matches if match]
    likes = sorted((item for item in weighed if item[0]), key=lambda item: -item[0])
    return [tag for _, tag in likes]


# Catalogues


# A process may make many sites of the same languages.
@functools.cache
def read(code: str, folders: tuple[Path, ...]) -> Language:
    """Return a language with the texts of all folders; raise an error if none knows it."""
    paths = [folder / code / "LC_MESSAGES" / "messages.po" for folder in folders]
    found = [compiled(path) for path in paths if path.is_file()]
    if not found:
        if code == SOURCE:
            return Language(code)
        raise ImproperlyConfigured(f"There is no catalogue of the language {code!r}.")
    catalogues: list[gettext_module.NullTranslations] = [
        *(Translations(io.BytesIO(file)) for file, _ in found),
        *of_wtforms(code),
    ]
    for catalogue, next_one in pairwise(catalogues):
        catalogue.add_fallback(next_one)
    texts = {key: text for _, said in reversed(found) for key, text in said.items()}
    return Language(code, catalogues[0], json.dumps(texts, ensure_ascii=False))


def of_wtforms(code: str) -> list[gettext_module.NullTranslations]:
    """Return what WTForms brings for its own sentences."""
    try:
        return [get_builtin_gnu_translations([code])]
    except FileNotFoundError:
        return []


@functools.cache
def compiled(path: Path) -> tuple[bytes, dict[str, Any]]:
    """Return a catalogue as `gettext` reads it, and what of it scripts say."""
    with path.open("rb") as file:
        catalogue = read_po(file)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    said = [message for message in catalogue if message.id and is_said_by_script(message)]
    return compiled.getvalue(), dict(script_text(message, catalogue) for message in said)


def is_said_by_script(message: Message) -> bool:
    return any(str(path).endswith((".js", ".mjs")) for path, _ in message.locations)


def script_text(message: Message, catalogue: Catalog) -> tuple[str, Any]:
    """Return what a script asks for and its text; several forms by the names browsers give them."""
    if isinstance(message.id, str):
        return message.id, message.string
    # Every catalogue names its language, and its plurals are texts.
    assert catalogue.locale and message.string  # noqa: S101, PT018
    rule, plural = catalogue.locale.plural_form, gettext_module.c2py(catalogue.plural_expr)
    forms = {rule(count): message.string[plural(count)] for count in range(200)}
    return message.id[0], forms
