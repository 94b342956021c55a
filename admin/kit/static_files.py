"""Static files: read at the start, named by what they hold, compressed once, kept for a year."""

from __future__ import annotations

import functools
import gzip
import hashlib
import posixpath
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

import sqladmin
from sqladmin.exceptions import ImproperlyConfigured
from starlette.exceptions import HTTPException
from starlette.responses import Response

from admin.kit.compression import accepts_gzip

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from starlette.requests import Request

STATIC = Path(__file__).parent / "static"
# All that the pages use of what SQLAdmin brings; its scripts, fonts and icons are not served.
SQLADMIN = Path(sqladmin.__file__).parent / "statics"
SQLADMIN_FILES = ("css/tabler.min.css",)

YEAR = "public, max-age=31536000, immutable"
REVALIDATE = "no-cache"
# Not the machine's table of types, which differs from one to the next; browsers must not guess.
TEXT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
}
BINARY_TYPES = {
    ".avif": "image/avif",
    ".gif": "image/gif",
    ".ico": "image/x-icon",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".ttf": "font/ttf",
    ".webp": "image/webp",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
}
UNKNOWN_TYPE = "application/octet-stream"

# How a file names another: in the one group that is matched, or none in comments, stepped over.
CSS_REFERENCE = re.compile(
    r"/\*(?!#).*?\*/"
    r"|url\(\s*(?:\"(?P<double>[^\"]*)\"|'(?P<single>[^']*)'|(?P<bare>[^)\s\"']*))\s*\)"
    r"|@import\s+(?:\"(?P<import_double>[^\"]*)\"|'(?P<import_single>[^']*)')",
    re.DOTALL,
)
# A comment counts if a line begins with it: within a line, "/*" may as well be text.
JS_REFERENCE = re.compile(
    r"^[ \t]*(?:/\*.*?\*/|//[^\n]*)"
    r"|\b(?:from|import)\s*\(?\s*(?:\"(?P<double>\.[^\"\n]*)\"|'(?P<single>\.[^'\n]*)')",
    re.DOTALL | re.MULTILINE,
)
REFERENCES = {".css": CSS_REFERENCE, ".js": JS_REFERENCE, ".mjs": JS_REFERENCE}
# Of the kit's own files, a tenth, which no browser needs; what others wrote is sent as it is.
COMMENTS = {
    ".css": re.compile(rb"/\*.*?\*/\s*", re.DOTALL),
    ".js": re.compile(rb"^[ \t]*//[^\n]*\n\s*", re.MULTILINE),
}
SOURCE_MAP = re.compile(r"(?://|/\*)[#@] ?sourceMappingURL=(?!data:)([^\s*]+)(?:[ \t]*\*/)?")


@dataclass(frozen=True)
class StaticFile:
    """A file as it is sent."""

    path: str
    body: bytes

    @functools.cached_property
    def digest(self) -> str:
        return hashlib.sha256(self.body).hexdigest()[:12]

    @property
    def hashed_path(self) -> str:
        stem, suffix = posixpath.splitext(self.path)
        return f"{stem}.{self.digest}{suffix}"

    @functools.cached_property
    def compressed(self) -> bytes | None:
        """The gzip of a text; None for what is compressed by its nature or of unknown kind."""
        return compress(self.body) if suffix_of(self.path) in TEXT_TYPES else None

    @property
    def media_type(self) -> str:
        suffix = suffix_of(self.path)
        return TEXT_TYPES.get(suffix) or BINARY_TYPES.get(suffix, UNKNOWN_TYPE)


class StaticFiles:
    """Serves the files of the folders, the first folder that has a file winning.

    `made` are texts that are in no folder, by path. All are held in memory under the two names by
    which they may be asked for, so no request reaches the disk. A reference to a file that is
    missing stops the start.
    """

    def __init__(
        self, folders: Sequence[str | Path] = (), made: Mapping[str, str] | None = None
    ) -> None:
        contents = read(folders)
        contents.update((path, text.encode()) for path, text in (made or {}).items())
        self.files = linked(tuple(contents.items()))
        self.by_hash = {file.hashed_path: file for file in self.files.values()}
        self.hashed = {path: quote(file.hashed_path) for path, file in self.files.items()}
        for file in self.files.values():
            _ = file.compressed  # now, and not at the first request

    def hashed_path(self, path: str) -> str:
        """Return the name under which browsers may keep this file, quoted for an address."""
        if path not in self.files:
            raise LookupError(f"There is no static file {path!r}.")
        return self.hashed[path]

    async def serve(self, request: Request) -> Response:
        """Answer with the file that the address names; names without a hash are revalidated."""
        path = request.path_params["path"]
        if path in self.by_hash:
            return respond(request, self.by_hash[path], YEAR)
        if path in self.files:
            return respond(request, self.files[path], REVALIDATE)
        raise HTTPException(404)


def respond(request: Request, file: StaticFile, cache_control: str) -> Response:
    """Return the file as the client takes it, or a 304 if it has just that."""
    body, headers = file.body, {"Cache-Control": cache_control, "ETag": f'"{file.digest}"'}
    if file.compressed is not None:
        headers["Vary"] = "Accept-Encoding"
        if accepts_gzip(request.headers):
            # A tag names bytes, and these are others.
            body, headers["ETag"] = file.compressed, f'"{file.digest}-gzip"'
            headers["Content-Encoding"] = "gzip"
    if is_known(request, headers["ETag"]):
        headers.pop("Content-Encoding", None)
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type=file.media_type)


def is_known(request: Request, tag: str) -> bool:
    tags = [tag.strip() for tag in request.headers.get("if-none-match", "").split(",")]
    return tags == ["*"] or tag in [known.removeprefix("W/") for known in tags]


# A process may make many sites of the same files, and the largest takes a twentieth of a second.
@functools.lru_cache(maxsize=64)
def compress(body: bytes) -> bytes:
    return gzip.compress(body, 9, mtime=0)


def read(folders: Sequence[str | Path]) -> dict[str, bytes]:
    """Return what the folders hold, by path; hidden files are nobody's business."""
    found = {path: (SQLADMIN / path).read_bytes() for path in SQLADMIN_FILES}
    found.update((path, without_comments(path, body)) for path, body in contents_of(STATIC))
    for folder in map(Path, reversed(folders)):
        if not folder.is_dir():
            raise ImproperlyConfigured(f"The folder of static files {folder} is missing.")
        found.update(contents_of(folder))
    return found


def contents_of(folder: Path) -> Iterable[tuple[str, bytes]]:
    return [(path.as_posix(), (folder / path).read_bytes()) for path in paths(folder)]


def without_comments(path: str, body: bytes) -> bytes:
    comment = COMMENTS.get(suffix_of(path))
    return comment.sub(b"", body) if comment else body


def paths(folder: Path) -> Iterable[Path]:
    within = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return [path for path in within if not any(part.startswith(".") for part in path.parts)]


@functools.lru_cache(maxsize=8)
def linked(contents: tuple[tuple[str, bytes], ...]) -> Mapping[str, StaticFile]:
    """Return the files with these contents, by path."""
    files: dict[str, StaticFile] = {}
    for path, _ in contents:
        link(path, dict(contents), files, ())
    return files


def link(
    path: str, contents: dict[str, bytes], files: dict[str, StaticFile], via: tuple[str, ...]
) -> StaticFile:
    """Make a file of the contents, after those it refers to, whose names its own depends on."""
    if path in files:
        return files[path]
    if path in via:
        circle = " → ".join([*via[via.index(path) :], path])
        raise ImproperlyConfigured(f"Static files refer to each other in a circle: {circle}.")
    body = contents[path]
    if suffix_of(path) in REFERENCES:
        to_hashed = functools.partial(link, contents=contents, files=files, via=(*via, path))
        replace = functools.partial(hashed_reference, path, contents, to_hashed)
        text = SOURCE_MAP.sub(functools.partial(kept_map, path, contents), text_of(path, body))
        body = REFERENCES[suffix_of(path)].sub(replace, text).encode()
    files[path] = StaticFile(path, body)
    return files[path]


def hashed_reference(
    path: str,
    contents: dict[str, bytes],
    linked: functools.partial[StaticFile],
    match: re.Match[str],
) -> str:
    """Return what was matched, with the hashed name in the place of the plain one."""
    group = match.lastgroup or 0
    reference = match[group]
    if not group or not is_relative(reference):
        return match[0]
    target = resolved(path, reference)
    if target not in contents:
        raise ImproperlyConfigured(f"The static file {path} refers to {target}, which is missing.")
    parts = urlsplit(reference)
    name = quote(posixpath.basename(linked(target).hashed_path))
    address = parts._replace(path=posixpath.join(posixpath.dirname(parts.path), name)).geturl()
    start, end = (at - match.start() for at in match.span(group))
    return match[0][:start] + address + match[0][end:]


def kept_map(path: str, contents: dict[str, bytes], match: re.Match[str]) -> str:
    """Keep the comment that names a source map if there is one, else debuggers meet a 404."""
    return match[0] if resolved(path, match[1]) in contents else ""


def is_relative(reference: str) -> bool:
    """Tell a file beside this one from an address, data, and a part of the same document."""
    parts = urlsplit(reference)
    return bool(parts.path) and not (parts.scheme or parts.netloc or parts.path.startswith("/"))


def resolved(path: str, reference: str) -> str:
    target = unquote(urlsplit(reference).path)
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), target))


def suffix_of(path: str) -> str:
    return posixpath.splitext(path)[1].lower()


def text_of(path: str, body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise ImproperlyConfigured(f"The static file {path} is not UTF-8.") from None
