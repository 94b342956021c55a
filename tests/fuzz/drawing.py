"""Drawing requests: valid ones, the same with something wrong, and nonsense."""

import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from http import HTTPStatus
from urllib.parse import parse_qsl, quote_from_bytes, urlencode

from starlette.applications import Starlette
from starlette.routing import Mount, Route

from tests.asking import Answer, Sent
from tests.fuzz.harvest import FoundForm, read
from tests.routes import METHODS, methods_of, routes

FORM = b"application/x-www-form-urlencoded"
HTML = b"text/html"
WHO = ("anonymous", "viewer", "editor", "owner")
READ_SHARE = 0.15  # of the pages: reading one takes as long as making it
MOST_FOUND = 400

JUNK: list[str | bytes] = [
    *("", " ", "0", "1", "2", "-1", "-0", "+1", "01", "1.5", "1e3", "1e309", "NaN", "Infinity"),
    *("99999999999999999999", "2147483648", "-9223372036854775809", "9" * 5000, "٣", "0x10"),
    *("true", "false", "None", "null", "on", "y", "*", "_", "%", "\\", "/", "//evil.example", "."),
    *("..", "../../../etc/passwd", "..\\..\\boot.ini", "javascript:alert(1)", "data:text/html,x"),
    *("\0", "a\0b", "\r\nSet-Cookie: a=b", "\x1b[31m", "\x7f", "\u202eabc", "\u200b", "\ufeff"),
    *("é", "e\u0301", "İstanbul", "ß", "𝒳" * 60, "👩‍👩‍👧" * 20, "\ufdfd", "\uffff", "漢" * 300),
    *("' OR '1'='1", "1; DROP TABLE users; --", "1)--", '"><img src=x onerror=alert(1)>'),
    *("{{7*7}}", "${7*7}", "%(name)s", "%s%n", "{0.__class__}", "$(id)", "=1+1", "@SUM(A1)"),
    *(
        "[]",
        "{}",
        "[" * 500,
        '{"a":' * 200,
        '{"may": ["*"]}',
        '[["a", 1]]',
        "__proto__",
        "__class__",
    ),
    *("A" * 60, "A" * 300, "A" * 5_000, "A" * 20_000, "a b " * 400, ",".join("123456789") * 50),
    *("2026-02-30", "2026-13-01", "0000-00-00", "9999-12-31T23:59", "2026-01-01T00:00:00+99:99"),
    *("2026", "2026-05", "12:61", "Europe/Berlin", "../UTC", "de", "xx", "csv", "xml"),
    *(
        "a@b",
        "user@example.org",
        "Owner",
        "Viewer",
        "owner",
        "00000000-0000-0000-0000-000000000000",
    ),
    *(b"\xff\xfe", b"\xed\xa0\x80", b"\xc0\xaf", b"%zz", b"\x80", b"\xf4\x90\x80\x80"),
]
NAMES = [
    *("search", "sortBy", "page", "pageSize", "after", "before", "from", "pks", "name", "term"),
    *("next", "at", "error", "q", "_view", "_date", "_edit", "_all", "where", "save", "do"),
    *("username", "password", "email", "is_active", "is_superuser", "roles", "id", "rights"),
]
TYPES = [
    *(FORM, b"multipart/form-data", b"multipart/form-data; boundary=", b"application/json", b""),
    *(b"multipart/form-data; boundary=b", b"text/plain", b"text/xml", b"application/octet-stream"),
    *(FORM + b"; charset=utf-16", FORM + b"; charset=utf-8", b";;;", b"\xff", b'a/b; c="', b"*/*"),
    b"multipart/form-data; boundary=" + b"b" * 300,
]
BODIES = [
    b"",
    b"\0",
    b"{",
    b'{"name": "x", "pks": [1]}',
    b"&&&=&=&",
    b"%ff%fe=%zz",
    b"a" * 20_000,
    b"&".join(b"f%d=1" % n for n in range(12_000)),
    b"x" * 2_200_000,
    b'--b\r\nContent-Disposition: form-data; name="name"\r\n\r\nx\r\n--b--\r\n',
    b'--b\r\nContent-Disposition: form-data; name="f"; filename="../x"\r\n\r\nx\r\n--b--\r\n',
    b"--b\r\nContent-Disposition: form-data\r\n\r\nx",
    b"--b\r\n" + b"X: y\r\n" * 500 + b"\r\n",
    b"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><x>&a;</x>",
]
ODD_HEADERS: list[tuple[bytes, Sequence[bytes]]] = [
    (b"host", [b"evil.example", b"", b"testserver:99999", b"[::1", b"testserver@evil", b"\xff"]),
    (b"origin", [b"https://evil.example", b"null", b"", b"http://[", b"http://testserver"]),
    (b"referer", [b"http://testserver/admin/user/list?page=x", b"http://[", b"\xff", b"//"]),
    (b"sec-fetch-site", [b"cross-site", b"same-site", b"same-origin", b"none", b"", b"\xff"]),
    (b"sec-fetch-mode", [b"navigate", b"cors", b"no-cors", b"x"]),
    (b"sec-fetch-dest", [b"document", b"script", b"image", b"x"]),
    (b"accept-language", [b"de", b"ar;q=0", b"*;q=x", b"en-" * 3000, b"\xff", b",,,;;;", b"xx"]),
    (b"accept-encoding", [b"gzip", b"gzip;q=0", b"*;q=9", b"br", b"\xff", b"gzip," * 500]),
    (b"accept", [b"application/json", b"*/*", b"\xff", b"text/html;q=x"]),
    (b"range", [b"bytes=0-1", b"bytes=-1", b"bytes=9-1", b"x", b"bytes=" + b"0-1," * 2000]),
    (b"if-none-match", [b"*", b'"x"', b"W/", b"\xff", b'"a",' * 2000]),
    (b"if-modified-since", [b"x", b"Thu, 01 Jan 1970 00:00:00 GMT", b"9" * 300]),
    (b"content-length", [b"0", b"-1", b"9" * 5000, b"x", b"1", "٣".encode()]),
    (b"transfer-encoding", [b"chunked", b"gzip, chunked", b"x"]),
    (b"x-forwarded-host", [b"evil.example"]),
    (b"x-forwarded-for", [b"127.0.0.1", b"\xff" * 100, b"', (", b"1" * 500]),
    (b"x-forwarded-proto", [b"https", b"gopher"]),
    (b"forwarded", [b"host=evil.example;proto=https"]),
    (b"x-http-method-override", [b"DELETE"]),
    (b"user-agent", [b"", b"\xff\0", b"M" * 5000, b"<script>"]),
    (b"upgrade", [b"websocket"]),
    (b"authorization", [b"Basic eDp5", b"Bearer x", b"\xff"]),
    (b"x", [b"y" * 40_000]),
]
COOKIES = [
    *(b"", b"=", b";;;", b"admin", b"admin=", b"admin=x", b"admin=e30=.x.y", b"\xff=\xff"),
    *(b"admin=" + b"A" * 9000, b"admin_language=xx; admin_theme=<b>; admin_timezone=../../x"),
    *(b"admin_timezone=A/" + b"B" * 300, b"admin_density=\xff", b"admin=a; admin=b; admin=c"),
]


class Drawing:
    """Draws requests from a seed, from the routes of the application and from what it answers.

    `cookies` are what the browser of each person sends, `values` the keys of rows that exist.
    """

    def __init__(
        self, app: Starlette, seed: str, cookies: dict[str, bytes], values: Sequence[str]
    ) -> None:
        self.random = random.Random(seed)
        self.cookies = cookies
        self.values = list(values)
        self.routes = list(routes(app))
        self.identities = identities(app)
        self.names = list(NAMES)
        self.links: dict[str, list[str]] = {who: [] for who in WHO}
        self.forms: dict[str, dict[str, FoundForm]] = {who: {} for who in WHO}
        self.kinds: list[tuple[Callable[[str], Sent], int]] = [
            (self.followed, 20),
            (self.filled, 35),
            (self.routed, 35),
            (self.wild, 10),
        ]
        self.faults: list[Callable[[Sent], Sent]] = [
            *(self.with_method, self.with_cookie, self.with_body, self.cut, self.in_pieces),
            *(self.with_odd_header, self.with_odd_header, self.with_second_header),
            *(self.with_many_headers, self.with_client),
        ]

    def tour(self) -> Iterator[Sent]:
        """Visit what is mounted as a browser would, to see what the pages lead on to."""
        for who in ("viewer", "owner"):
            headers = [(b"host", b"testserver"), *self.cookie(who)]
            for prefix, route in self.routes:
                for identity in self.identities if "{identity}" in route.path else ("",):
                    filled = re.sub(r"\{identity\}", identity, route.path)
                    path = prefix + re.sub(r"\{\w+(?::\w+)?\}", self.values[0], filled)
                    query = f"?pks={self.values[0]}" if "delete" in path else ""
                    if "GET" in methods_of(route):
                        yield Sent(who, "GET", address(path + query), headers)

    def batch(self, size: int) -> list[Sent]:
        return [self.request() for _ in range(size)]

    def request(self) -> Sent:
        who = self.random.choices(WHO, (15, 20, 20, 45))[0]
        (draw,) = self.random.choices(*zip(*self.kinds, strict=True))
        sent: Sent = draw(who)
        sent.headers = [(b"host", b"testserver"), *self.cookie(who), *sent.headers]
        return self.spoiled(sent) if self.chance(0.3) else sent

    def learn(self, sent: Sent, answer: Answer, share: float = READ_SHARE) -> None:
        """Remember where some of the pages lead on to."""
        is_page = answer.header(b"content-type").startswith(HTML) and answer.status == HTTPStatus.OK
        if not is_page or answer.header(b"content-encoding") or not self.chance(share):
            return
        links, forms = read(sent.target.partition("?")[0], answer.body.decode())
        found = self.links[sent.who]
        found += self.random.sample(links, min(len(links), 20))
        del found[:-MOST_FOUND]
        # Of the same form, the newest one; the one that signs out would end most of the others.
        self.forms[sent.who] |= {form.kind: form for form in forms if "logout" not in form.action}
        new = {name for form in forms for name, _ in form.fields} - set(self.names)
        self.names.extend(sorted(new)[: max(0, MOST_FOUND - len(self.names))])

    # Kinds of requests

    def followed(self, who: str) -> Sent:
        """Follow a link that somebody was shown."""
        links = self.links[self.somebody(who)]
        if not links:
            return self.routed(who)
        target = self.random.choice(links).partition("#")[0]
        if self.chance(0.5):
            path, _, query = target.partition("?")
            target = f"{path}?{self.query(parse_qsl(query, keep_blank_values=True))}"
        return Sent(who, self.random.choice(("GET", "GET", "GET", "HEAD")), address(target))

    def filled(self, who: str) -> Sent:
        """Send a form that somebody was shown, as it is or with something changed."""
        forms = self.forms[self.somebody(who)]
        if not forms:
            return self.routed(who)
        form = forms[self.random.choice([*forms])]
        fields = [*form.fields, *self.random.sample(form.buttons, min(1, len(form.buttons)))]
        sent = self.changed(fields) if self.chance(0.7) else encoded(fields)
        if form.method == "POST":
            return Sent(who, "POST", address(form.action), [(b"content-type", FORM)], sent)
        path = form.action.partition("?")[0]
        return Sent(who, "GET", address(f"{path}?{sent.decode()}"))

    def routed(self, who: str) -> Sent:
        """Ask for a route of the application, with values that exist or don't."""
        prefix, route = self.random.choice(self.routes)
        target = prefix + self.path(route)
        if self.chance(0.6):
            target += f"?{self.query([])}"
        method = self.random.choice(sorted(methods_of(route)))
        if method in ("GET", "HEAD"):
            return Sent(who, method, address(target))
        return Sent(who, method, address(target), [(b"content-type", FORM)], self.changed([]))

    def wild(self, who: str) -> Sent:
        """Ask for nothing that makes sense."""
        method = self.random.choice((*METHODS, "TRACE", "CONNECT", "BREW", "get", "PROPFIND"))
        steps = [self.value() for _ in range(self.random.randint(0, 5))]
        start = self.random.choice(("/admin/", "/", "/admin", "/admin/user/", "//", "/admin/../"))
        target = start + "/".join(quote_from_bytes(as_bytes(step)) for step in steps)
        headers = [(b"content-type", self.random.choice(TYPES))]
        return Sent(who, method, address(target), headers, self.random.choice(BODIES))

    # What is wrong with them

    def spoiled(self, sent: Sent) -> Sent:
        """Break something about a request that says how it is sent."""
        return self.random.choice(self.faults)(sent)

    def with_method(self, sent: Sent) -> Sent:
        return replace(sent, method=self.random.choice((*METHODS, "TRACE", "BREW")))

    def with_cookie(self, sent: Sent) -> Sent:
        return with_header(sent, b"cookie", self.broken_cookie(sent.who))

    def with_body(self, sent: Sent) -> Sent:
        typed = with_header(sent, b"content-type", self.random.choice(TYPES))
        return replace(typed, body=self.random.choice(BODIES))

    def cut(self, sent: Sent) -> Sent:
        return replace(sent, is_cut=True, pieces=3)

    def in_pieces(self, sent: Sent) -> Sent:
        return replace(sent, pieces=self.random.choice((2, 7)))

    def with_odd_header(self, sent: Sent) -> Sent:
        name, values = self.random.choice(ODD_HEADERS)
        return with_header(sent, name, self.random.choice(values))

    def with_second_header(self, sent: Sent) -> Sent:
        name, values = self.random.choice(ODD_HEADERS)
        return replace(sent, headers=[*sent.headers, (name, self.random.choice(values))])

    def with_many_headers(self, sent: Sent) -> Sent:
        return replace(sent, headers=sent.headers + [(b"x-%d" % n, b"y") for n in range(120)])

    def with_client(self, sent: Sent) -> Sent:
        return replace(sent, client=self.random.choice(("", "x" * 500, "\0", "::1", "é")))

    def broken_cookie(self, who: str) -> bytes:
        cookie = bytearray(self.cookies.get(who, b"admin=x"))
        if self.chance(0.5):
            cookie[self.random.randrange(len(cookie))] = self.random.randrange(33, 127)
            return bytes(cookie)
        return self.random.choice([*COOKIES, *(bytes(cookie) + b"; " + odd for odd in COOKIES)])

    # Parts of requests

    def somebody(self, who: str) -> str:
        """Return whose pages to use: often those of somebody who may do more."""
        return who if self.chance(0.5) else self.random.choice(WHO)

    def cookie(self, who: str) -> Iterator[tuple[bytes, bytes]]:
        if who in self.cookies:
            yield b"cookie", self.cookies[who]

    def path(self, route: Route | Mount) -> str:
        return re.sub(r"\{(\w+)(?::\w+)?\}", lambda found: self.step(found[1]), route.path)

    def step(self, name: str) -> str:
        value: str | bytes = self.random.choice(self.values) if self.chance(0.7) else self.value()
        if name == "identity" and self.chance(0.9):
            value = self.random.choice(self.identities)
        return quote_from_bytes(as_bytes(value), safe="")

    def query(self, pairs: list[tuple[str, str]]) -> str:
        return self.changed(pairs).decode()

    def changed(self, pairs: Sequence[tuple[str, str]]) -> bytes:
        """Return fields, percent-encoded, some of them other ones, left out, twice or new."""
        kept: list[tuple[str | bytes, str | bytes]] = []
        for pair in pairs:
            fate = self.random.random()
            if fate < 0.05:
                continue
            kept.append((pair[0], self.value()) if fate < 0.2 else pair)
            if fate > 0.95:
                kept.append(pair)
        extra = self.random.choices((0, 1, 3, 8), (50, 30, 15, 5))[0] if pairs else 3
        kept += [(self.random.choice(self.names), self.value()) for _ in range(extra)]
        return encoded(kept)

    def value(self) -> str | bytes:
        if self.chance(0.35):
            return self.random.choice(self.values)
        return self.random.choice(JUNK)

    def chance(self, share: float) -> bool:
        return self.random.random() < share


def identities(app: Starlette) -> list[str]:
    """Return what the addresses of the screens call them."""
    (site,) = {r.endpoint.__self__ for _, r in routes(app) if r.name == "list"}  # type: ignore[union-attr]
    return [view.identity for view in site.model_views()]


def with_header(sent: Sent, name: bytes, value: bytes) -> Sent:
    others = [pair for pair in sent.headers if pair[0] != name]
    return replace(sent, headers=[*others, (name, value)])


def encoded(pairs: Sequence[tuple[str | bytes, str | bytes]]) -> bytes:
    return urlencode([(as_bytes(n), as_bytes(v)) for n, v in pairs]).encode()


def as_bytes(value: str | bytes) -> bytes:
    return value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value


def address(target: str) -> str:
    """Return what can stand in the first line of a request."""
    return "".join(c if "!" <= c <= "~" else quote_from_bytes(as_bytes(c)) for c in target)
