"""What operators do with the views of the users' list, and what they see of them."""

from httpx2 import Response
from sqlalchemy import select
from starlette.testclient import TestClient

from models import SavedView
from models.database import Database
from tests.pages import Page

LIST, VIEWS, CHOICES = "/admin/user/list", "/admin/user/views", "/admin/user/choices"


def save(client: TestClient, name: str, query: str = "", **sent: str) -> Response:
    return client.post(VIEWS, data={"name": name, "_back": query, **sent})


def key_of(answer: Response) -> str:
    """Return the key of the view that was saved."""
    return answer.headers["location"].partition("_view=")[2]


def choose(client: TestClient, query: str = "", **sent: str | list[str]) -> Response:
    return client.post(CHOICES, data={"_back": query, **sent})


def saved(database: Database) -> list[SavedView]:
    return database.read(lambda session: list(session.scalars(select(SavedView).order_by("id"))))


def tabs(page: Page) -> list[str]:
    (nav,) = page.root.find("nav", **{"class": "tabs"})
    return [item.text for item in nav.find("li")]


def active(page: Page) -> list[tuple[str, str]]:
    (nav,) = page.root.find("nav", **{"class": "tabs"})
    links = [link for link in nav.find("a") if "aria-current" in link.attributes]
    return [(link.text, link.attributes["aria-current"]) for link in links]
