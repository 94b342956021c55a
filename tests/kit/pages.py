"""What the tests read from the toy's pages, and what they put behind them."""

import csv
import io
import json
import re
from html import unescape
from typing import Any
from urllib.parse import urljoin

from httpx2 import Response
from sqladmin.authorization import AuthorizationBackend
from starlette.requests import Request
from starlette.testclient import TestClient

from models.database import Database
from tests.pages import Page

TAG = re.compile(r"<[^>]*>")


class Allow(AuthorizationBackend):
    """Allows what is named, such as `book:list`, and nothing else."""

    def __init__(self, *rights: str) -> None:
        self.rights = set(rights)

    def has_permission(
        self, request: Request, identity: str, action: str, obj: Any | None = None
    ) -> bool:
        return f"{identity}:{action}" in self.rights


def store(library: Database, *objects: Any) -> None:
    library.write(lambda session: session.add_all(objects))


def texts(pattern: str, page: str) -> list[str]:
    """Return what an operator reads of each match."""
    return [unescape(TAG.sub("", found)).strip() for found in re.findall(pattern, page, re.DOTALL)]


def headings(response: Response) -> list[str]:
    return texts(r'<th scope="col".*?>(.*?)</th>', response.text)


def keys(response: Response) -> list[str]:
    """Return the keys of a list's rows, in order."""
    assert response.status_code == 200, response.text
    boxes = Page(response).root.find("input", name="pks")
    return [box.attributes["value"] for box in boxes if "value" in box.attributes]


def cells(response: Response) -> list[list[str]]:
    """Return the texts of a list's rows, without the boxes to tick."""
    body = response.text.partition("<tbody>")[2].partition("</tbody>")[0]
    rows = body.split("<tr>")[1:]
    return [
        texts(r"<t[dh](?!><input type=checkbox name=pks).*?>(.*?)(?=<t[dh]|$)", row) for row in rows
    ]


def boxes(response: Response) -> list[str]:
    """Return what the boxes that select rows are called, as a screen reader says it."""
    page = Page(response)
    texts = {
        found.attributes["id"]: found.text
        for tag in ("span", "a")
        for found in page.root.find(tag)
        if "id" in found.attributes
    }
    return [
        " ".join(texts[id_] for id_ in box.attributes.get("aria-labelledby", "").split())
        or box.attributes["aria-label"]
        for box in page.root.find("input", name="pks")
    ]


def fields(response: Response) -> dict[str, str]:
    """Return labels and values of a details page."""
    assert response.status_code == 200, response.text
    pairs = re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", response.text, re.DOTALL)
    return {label: unescape(TAG.sub("", value)) for label, value in pairs}


def links(response: Response, text: str) -> list[str]:
    """Return where the links with this text lead, from the root of the site."""
    found = re.findall(r'<a [^>]*?href="?([^">]*)"?[^>]*>(.*?)</a>', response.text, re.DOTALL)
    named = [href for href, label in found if unescape(TAG.sub("", label)).strip() == text]
    return [urljoin(response.url.path, unescape(href)) for href in named]


def follow(client: TestClient, response: Response, text: str) -> Response:
    """Follow the first link with this text, relative to the page as browsers do."""
    return client.get(str(response.url.join(links(response, text)[0])))


def sentence(response: Response) -> str:
    """Return what an error page says."""
    return " ".join(texts(r"<main.*?>(.*?)</main>", response.text))


def titles(client: TestClient, **query: str) -> list[str]:
    """Return the first words of each row of the books' list, sorted."""
    page = client.get("/admin/book/list", params=query)
    assert page.status_code == 200, sentence(page)
    return sorted(row[0] for row in cells(page))


def rows(client: TestClient, query: str = "", kind: str = "json") -> list[dict[str, Any]]:
    """Return the rows of the books' file."""
    answer = client.get(f"/admin/book/export/{kind}?{query}")
    assert answer.status_code == 200
    if kind == "json":
        found: list[dict[str, Any]] = json.loads(answer.text)
        return found
    return list(csv.DictReader(io.StringIO(answer.text, newline="")))
