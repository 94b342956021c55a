"""The texts of code, templates and scripts, and the catalogues they are translated in.

`make translations` writes new texts into the catalogues and takes out what nothing says any more;
then somebody translates what is empty.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from babel.messages import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

from tests.project import ROOT

if TYPE_CHECKING:
    from pathlib import Path

LANGUAGES = ("de", "ar")
METHODS = {".py": "python", ".html": "jinja2.ext:babel_extract", ".js": "javascript"}
KEYWORDS = {
    "_": None,
    "gettext": None,
    "lazy_gettext": None,
    "ngettext": (1, 2),
}


@dataclass(frozen=True)
class Domain:
    """A part of the project with catalogues of its own, without the parts below it."""

    folder: Path
    others: tuple[Path, ...] = ()

    def __str__(self) -> str:
        return self.folder.name

    def sources(self) -> list[Path]:
        """Return the files that may say something."""
        found = sorted(path for path in self.folder.rglob("*") if path.suffix in METHODS)
        return [path for path in found if not any(path.is_relative_to(o) for o in self.others)]

    def extract(self) -> Catalog:
        """Return all that is said, and where."""
        catalogue = Catalog()
        for path in self.sources():
            place = path.relative_to(ROOT).as_posix()
            method = METHODS[path.suffix]
            for line, said, comments, _context in extract_from_file(method, path, KEYWORDS):
                catalogue.add(said, locations=[(place, line)], auto_comments=comments)
        return catalogue

    def path(self, language: str) -> Path:
        return self.folder / "locale" / language / "LC_MESSAGES" / "messages.po"

    def read(self, language: str) -> Catalog:
        with self.path(language).open("rb") as file:
            return read_po(file)

    def update(self, language: str) -> None:
        """Rewrite a catalogue: new texts are empty in it, and none is guessed."""
        path, catalogue = self.path(language), self.read(language)
        catalogue.update(self.extract(), no_fuzzy_matching=True)
        # Babel's own header has dates and names of nobody, which would differ each time.
        header = path.read_bytes().partition(b"\n\n")[0].strip() + b"\n\n"
        texts = io.BytesIO()
        options = {"omit_header": True, "ignore_obsolete": True, "include_lineno": False}
        write_po(texts, catalogue, width=99, sort_by_file=True, **options)
        path.write_bytes(header + texts.getvalue().rstrip() + b"\n")


KIT = Domain(ROOT / "admin" / "kit")
APPLICATION = Domain(ROOT / "admin", others=(KIT.folder,))
DOMAINS = (KIT, APPLICATION)

if __name__ == "__main__":
    for domain in DOMAINS:
        for code in LANGUAGES:
            domain.update(code)
