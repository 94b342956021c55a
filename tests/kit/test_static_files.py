"""Static files have names that say what they hold, so browsers may keep them for a year."""

import gzip
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from httpx2 import Response
from sqladmin.exceptions import ImproperlyConfigured
from sqlalchemy import make_url
from starlette.testclient import TestClient

from admin.kit.static_files import StaticFiles, compress, linked
from models.database import connect
from tests.kit.app import make_app
from tests.personas import visit

NOWHERE = connect(make_url("sqlite://"))
YEAR = "public, max-age=31536000, immutable"
STYLE = b".x { color: red }\n" * 40

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write files into a folder, by default an application's only one."""

    def write(files: dict[str, bytes | str], folder: str = "static") -> Path:
        for path, content in files.items():
            file = tmp_path / folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content.encode() if isinstance(content, str) else content)
        return tmp_path / folder

    return write


def browser(*folders: Path, **options: Any) -> TestClient:
    return visit(make_app(NOWHERE, static_folders=folders, **options))


def ask(client: TestClient, path: str, accept: str = "", **headers: str) -> Response:
    headers = {"Accept-Encoding": accept, **headers}
    return client.get(f"/admin/statics/{path}", headers=headers)


def hashed(folder: Path, path: str) -> str:
    return StaticFiles([folder]).hashed_path(path)


def body(folder: Path, path: str) -> str:
    return StaticFiles([folder]).files[path].body.decode()


def test_a_name_with_a_hash_is_kept_for_a_year(write: Write) -> None:
    folder = write({"css/my.css": STYLE})
    path = hashed(folder, "css/my.css")
    answer = ask(browser(folder), path)
    assert re.fullmatch(r"css/my\.[0-9a-f]{12}\.css", path)
    assert (answer.content, answer.headers["cache-control"]) == (STYLE, YEAR)
    assert answer.headers["content-type"] == "text/css; charset=utf-8"


def test_a_plain_name_is_revalidated(write: Write) -> None:
    answer = ask(browser(write({"my.css": STYLE})), "my.css")
    assert (answer.content, answer.headers["cache-control"]) == (STYLE, "no-cache")


def test_other_contents_have_another_name(write: Write) -> None:
    one = write({"my.css": "a {}"}, "one")
    two = write({"my.css": "b {}"}, "two")
    assert hashed(one, "my.css") != hashed(two, "my.css")


def test_the_same_files_are_the_same_bytes_at_each_start() -> None:
    first = StaticFiles()
    linked.cache_clear()
    compress.cache_clear()
    second = StaticFiles()
    assert first.by_hash == second.by_hash
    compressed = first.files["css/tabler.min.css"].compressed
    assert compressed is not None
    assert compressed[3:8] == bytes(5)  # no name and no time
    assert gzip.decompress(compressed) == second.files["css/tabler.min.css"].body


@pytest.mark.parametrize(
    ("accept", "is_compressed"),
    [
        ("gzip", True),
        ("br;q=1, GZIP;q=0.5", True),
        ("x-gzip", True),
        ("*", True),
        ("gzip;q=1.0, identity;q=0.5", True),
        ("", False),
        ("gzip;q=0", False),
        ("gzip; q=0.000, *", False),
        ("*;q=0", False),
        ("identity, gzip;q=0.5", False),
        ("br, gzipped", False),
        ("gzip;q=much", False),
    ],
)
def test_texts_are_compressed_for_those_who_ask(
    write: Write, accept: str, is_compressed: bool
) -> None:
    answer = ask(browser(write({"my.css": STYLE})), "my.css", accept)
    assert answer.content == STYLE
    assert set(answer.headers["vary"].split(", ")) == {"Accept-Encoding"}
    assert (answer.headers.get("content-encoding") == "gzip") is is_compressed
    assert (int(answer.headers["content-length"]) < len(STYLE)) is is_compressed


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("a.png", "image/png"),
        ("a.woff2", "font/woff2"),
        ("a.bin", "application/octet-stream"),
        ("LICENSE", "application/octet-stream"),
    ],
)
def test_what_is_no_text_is_sent_as_it_is(write: Write, name: str, media_type: str) -> None:
    answer = ask(browser(write({name: bytes(2000)})), name, "gzip")
    assert (answer.headers["content-type"], len(answer.content)) == (media_type, 2000)
    assert not {"content-encoding", "vary"} & set(answer.headers)


@pytest.mark.parametrize("accept", ["gzip", ""])
@pytest.mark.parametrize("sent", ["{}", "W/{}", '"other", {}', "*"])
def test_who_has_it_gets_a_304(write: Write, accept: str, sent: str) -> None:
    folder = write({"my.css": STYLE})
    client, path = browser(folder), hashed(folder, "my.css")
    tag = ask(client, path, accept).headers["etag"]
    answer = ask(client, path, accept, **{"If-None-Match": sent.format(tag)})
    assert (answer.status_code, answer.content) == (304, b"")
    kept = ("etag", "cache-control", "vary")
    assert [answer.headers[name] for name in kept] == [tag, YEAR, "Accept-Encoding"]
    assert "content-encoding" not in answer.headers


def test_the_tag_of_other_bytes_is_not_taken_for_theirs(write: Write) -> None:
    client = browser(write({"my.css": STYLE}))
    tag = ask(client, "my.css", "gzip").headers["etag"]
    answer = ask(client, "my.css", **{"If-None-Match": tag})
    assert (answer.status_code, answer.content) == (200, STYLE)


@pytest.mark.parametrize("accept", ["gzip", "identity"])
def test_head_is_answered_as_get_is(accept: str) -> None:
    client, path = browser(), "/admin/statics/css/tabler.min.css"
    headers = {"Accept-Encoding": accept}
    head, get = client.head(path, headers=headers), client.get(path, headers=headers)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers == get.headers


@pytest.mark.parametrize(
    "path",
    [
        "none.css",
        "admin.000000000000.css",
        "",
        "css",
        "../templating.py",
        "..%2Ftemplating.py",
        "%2e%2e/%2e%2e/settings.py",
        "/etc/passwd",
        ".env",
        "js/jquery.min.js",
    ],
)
def test_nothing_else_is_there(write: Write, path: str) -> None:
    folder = write({"a.css": STYLE, ".env": "SECRET_KEY=x", ".git/config": "x"})
    answer = ask(browser(folder), path)
    assert answer.status_code == 404
    assert answer.headers["cache-control"] == "no-store"


def test_a_file_can_not_be_written() -> None:
    assert browser().post("/admin/statics/admin.css").status_code == 405


def test_the_first_folder_wins(write: Write) -> None:
    one = write({"admin.css": "one {}"}, "one")
    two = write({"admin.css": "two {}", "two.css": "two {}"}, "two")
    client = browser(one, two)
    assert ask(client, "admin.css").text == "one {}"
    assert ask(client, "two.css").text == "two {}"
    assert ask(client, "admin.js").status_code == 200


def test_references_lead_to_names_with_a_hash(write: Write) -> None:
    folder = write(
        {
            "css/a.css": """@import "b.css"; /* url(old.png) */
                i { background: url(../img/a%20b.png?v=1#x), url('b.css'), url("data:,url(c)") }
                j { fill: url(#d); background: url(https://example.org/e.png), url("/f.png") }""",
            "css/b.css": "b {}",
            "img/a b.png": b"x",
        }
    )
    png, css = hashed(folder, "img/a b.png"), hashed(folder, "css/b.css").removeprefix("css/")
    assert body(folder, "css/a.css") == (
        f"""@import "{css}"; /* url(old.png) */
                i {{ background: url(../{png}?v=1#x), url('{css}'), url("data:,url(c)") }}
                j {{ fill: url(#d); background: url(https://example.org/e.png), url("/f.png") }}"""
    )
    assert ask(browser(folder), png).content == b"x"


@pytest.mark.parametrize(
    "code",
    [
        'import {{ a }} from "./{}";',
        "import * as b from '../js/{}';",
        'import"./{}";const c=1;',
        'export * from "./{}";',
        'const d = await import("./{}");',
        '/** As in `import "./old.js"`. */\n  // import "./older.js"\nimport "./{}";',
        'const any = "*/*";import "./{}";',
    ],
)
def test_modules_import_each_other_by_names_with_a_hash(write: Write, code: str) -> None:
    folder = write({"js/a.js": code.format("b.js"), "js/b.js": "export const a = 1;"})
    assert body(folder, "js/a.js") == code.format(hashed(folder, "js/b.js").removeprefix("js/"))


def test_what_only_looks_like_an_import_is_left_alone(write: Write) -> None:
    code = 'import x from "bare"; say("from here", "./b.js"); Array.from("abc");'
    assert body(write({"a.js": code}), "a.js") == code


def test_a_change_changes_the_names_of_all_that_refer_to_it(write: Write) -> None:
    files = {"a.js": 'import "./b.js";', "b.js": 'import "./c.js";', "c.js": "1"}
    one, two = write(files, "one"), write({**files, "c.js": "2"}, "two")
    assert hashed(one, "a.js") != hashed(two, "a.js")


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({"css/a.css": "url(b.png)"}, "css/a.css refers to css/b.png, which is missing"),
        ({"a.js": 'import "../b.js"'}, "a.js refers to ../b.js, which is missing"),
        ({"a.js": 'import "./a.js"'}, "in a circle: a.js → a.js"),
        (
            {"x.js": 'import "./a.js"', "a.js": 'import "./b.js"', "b.js": 'import "./a.js"'},
            "in a circle: a.js → b.js → a.js",
        ),
        ({"a.css": b"\xff"}, "a.css is not UTF-8"),
    ],
)
def test_what_can_not_be_served_stops_the_start(
    write: Write, files: dict[str, bytes | str], sentence: str
) -> None:
    folder = write(files)
    with pytest.raises(ImproperlyConfigured, match=re.escape(sentence)):
        make_app(NOWHERE, static_folders=[folder])


def test_a_missing_folder_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(ImproperlyConfigured, match="none is missing"):
        make_app(NOWHERE, static_folders=[tmp_path / "none"])


@pytest.mark.parametrize("comment", ["//# sourceMappingURL={}", "/*# sourceMappingURL={} */"])
def test_a_source_map_is_named_only_if_it_is_there(write: Write, comment: str) -> None:
    """Debuggers would ask for it."""
    lost, kept, inside = map(comment.format, ["lost.map", "kept.map", "data:,x"])
    folder = write({"a.js": f"1;\n{lost}", "b.js": kept, "c.js": inside, "kept.map": "{}"})
    assert body(folder, "a.js") == "1;\n"
    assert (body(folder, "b.js"), body(folder, "c.js")) == (kept, inside)


def test_templates_name_a_file_by_its_path(write: Write) -> None:
    """The name without a hash, which SQLAdmin's templates use, works as well."""
    page = '{{ static("my file.css") }} {{ url_for("admin:statics", path="my file.css") }}'
    templates, statics = write({"sqladmin/index.html": page}), write({"my file.css": "a {}"}, "s")
    client = visit(make_app(NOWHERE, templates=[templates], static_folders=[statics]))
    with_hash, without = client.get("/admin/").text.split(" /admin")
    assert with_hash == f"/admin/statics/{hashed(statics, 'my file.css')}"
    assert client.get(with_hash).text == client.get(f"/admin{without}").text == "a {}"


def test_a_template_can_not_name_a_file_that_is_missing(
    write: Write, caplog: pytest.LogCaptureFixture
) -> None:
    folder = write({"sqladmin/index.html": '{{ static("none.css") }}'})
    assert visit(make_app(NOWHERE, templates=[folder])).get("/admin/").status_code == 500
    assert "There is no static file 'none.css'." in caplog.text


def test_the_title_logo_and_icon_of_the_application_are_shown() -> None:
    options = {"title": "Books", "logo_url": "/logo.png", "favicon_url": "/icon.png"}
    page = browser(**options, logo_width=32).get("/admin/").text
    assert '<link rel="icon" href="/icon.png">' in page
    assert 'src="/logo.png" width="32" height="64" alt="">' in page
    assert "<span>Books</span>" in page


def test_no_page_waits_for_a_script() -> None:
    page = browser().get("/admin/").text
    assert "<script" in page
    assert not re.search(r'<script(?![^>]*(?:type="module"|defer))', page)


def test_the_kits_own_comments_stay_at_home() -> None:
    """A browser needs none of them, and they would be a fortieth of what a first visit loads."""
    files = StaticFiles().files
    for path in ("admin.css", "matrix.css", "admin.js", "palette.js", "shortcuts.js"):
        text = files[path].body.decode()
        assert not re.search(r"/\*|^\s*//", text, re.MULTILINE), path
        assert "{" in text
