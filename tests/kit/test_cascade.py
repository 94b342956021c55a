"""The page that asks before a deletion shows what the cascades take, at any size."""

from typing import Any

import pytest
from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship
from starlette.testclient import TestClient

from admin.kit import ModelAdmin
from models.database import Database
from tests.databases import statements
from tests.kit.app import Base, Chapter, Cover, make_app
from tests.kit.test_deletion import add_chapters, count, delete, shelve
from tests.personas import visit

OWNS: dict[str, Any] = {"cascade": "all, delete-orphan", "passive_deletes": True}


class Room(Base):
    __tablename__ = "rooms"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(50))
    cupboards: Mapped[list["Cupboard"]] = relationship(**OWNS)

    def __str__(self) -> str:
        return self.name


class Cupboard(Base):
    __tablename__ = "cupboards"

    id: Mapped[int] = mapped_column(primary_key=True)
    room_id: Mapped[int] = mapped_column(ForeignKey("rooms.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(50))
    drawers: Mapped[list["Drawer"]] = relationship(**OWNS)

    def __str__(self) -> str:
        return self.name


class Drawer(Base):
    __tablename__ = "drawers"

    id: Mapped[int] = mapped_column(primary_key=True)
    cupboard_id: Mapped[int] = mapped_column(ForeignKey("cupboards.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(50))

    def __str__(self) -> str:
        return self.name


class RoomAdmin(ModelAdmin, model=Room):
    pass


class FixedDrawers(ModelAdmin, model=Drawer):
    def has_permission(self, request: Any, action: str, obj: Any = None) -> bool:
        return action != "delete"


def furnish(library: Database) -> None:
    drawers = [Drawer(name="Maps"), Drawer(name="Letters")]
    cupboards = [Cupboard(name="Oak", drawers=drawers), Cupboard(name="Pine")]
    library.write(lambda s: s.add(Room(name="Attic", cupboards=cupboards)))


def test_it_shows_what_goes_with_what_goes(library: Database) -> None:
    """Below the room its cupboards, and below these their drawers."""
    furnish(library)
    client = visit(make_app(library, RoomAdmin))
    page = client.get("/admin/room/delete?pks=1").text
    places = [page.index(f"<li>{name}</li>") for name in ("Attic", "Oak", "Pine", "Maps")]
    assert places == sorted(places)
    assert page.count("<strong>2</strong>") == 2
    assert delete(client, "1", view="room").status_code == 302
    assert count(library, Drawer) == 0


def test_the_right_to_delete_is_needed_all_the_way_down(library: Database) -> None:
    furnish(library)
    client = visit(make_app(library, RoomAdmin, FixedDrawers))
    answer = delete(client, "1", view="room")
    assert (answer.status_code, count(library, Drawer)) == (403, 2)
    assert "This would also delete drawers, which you may not." in answer.text


def test_it_shows_what_the_cascade_takes(library: Database, client: TestClient) -> None:
    """Counts are exact up to a limit, examples are few, and titles are escaped."""
    shelve(library, "Emma", cover=Cover(artist="Ann"))
    add_chapters(library, 1, 12)
    page = client.get("/admin/book/delete?pks=1").text
    assert "<strong>12</strong> chapters" in page
    assert "<strong>1</strong> cover\n" in page
    assert "&lt;b&gt;9" in page
    assert "&lt;b&gt;11" not in page
    assert "Emma by Ann" in page


def test_the_count_of_a_cascade_is_bounded(
    library: Database, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("admin.kit.deletion.MOST_COUNTED", 3)
    shelve(library, "Emma")
    add_chapters(library, 1, 9)
    assert "<strong>3+</strong> chapters" in client.get("/admin/book/delete?pks=1").text


def test_a_deletion_costs_the_same_however_much_it_takes(
    library: Database, client: TestClient
) -> None:
    """The database deletes the children; not one of them is loaded."""
    shelve(library, "Few", "Many")
    add_chapters(library, 1, 1)
    add_chapters(library, 2, 1000)
    costs = []
    for key in ("1", "2"):
        with statements(library) as seen:
            assert delete(client, key).status_code == 302
        costs.append(len(seen))
        assert not any("FROM chapters" in sql for sql in seen)
    assert costs[0] == costs[1]
    assert count(library, Chapter) == 0


def test_the_page_that_asks_costs_the_same_however_much_goes(
    library: Database, client: TestClient
) -> None:
    shelve(library, "Few", "Many")
    add_chapters(library, 1, 1)
    add_chapters(library, 2, 1000)
    costs = []
    for key in ("1", "2"):
        with statements(library) as seen:
            assert client.get(f"/admin/book/delete?pks={key}").status_code == 200
        costs.append(len(seen))
    assert costs[0] == costs[1]
