"""Keys in addresses and forms."""

import re
from html import unescape
from typing import Any
from urllib.parse import quote, urljoin

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import BigInteger, SmallInteger, create_engine, delete, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from starlette.datastructures import ImmutableMultiDict
from starlette.testclient import TestClient

from admin.kit.keys import BadKeyError, key_of, matches_keys, parse_key, selected_keys
from models.database import Database
from tests.kit.app import Book, Chapter, Publisher, Tag
from tests.kit.pages import keys, links, store

ODD = [
    *("a/b", "/a/", "//", "..", ".", "a/../b", "?x=1#y", "100%", "%2F", "a;b", "a,b", "a\\", "\\;"),
    *("~", "~n", "~.", "~p", "a\nb", "a\n", "\r\n", "'\"<&>", " a ", "+", "é\u2028ÿ😀", "\x7f\x01"),
]

any_text = st.text(
    st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=50
)
SETTINGS = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


class Base(DeclarativeBase):
    pass


class Pair(Base):
    __tablename__ = "pairs"

    left: Mapped[str] = mapped_column(primary_key=True)
    right: Mapped[str] = mapped_column(primary_key=True)


class Small(Base):
    __tablename__ = "smalls"

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True)


class Big(Base):
    __tablename__ = "bigs"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)


def delete_all(library: Database, model: type) -> None:
    with Session(library.writer) as session, session.begin():
        session.execute(delete(model))


def check_round_trip(client: TestClient, library: Database, key: str) -> None:
    delete_all(library, Tag)
    store(library, Tag(id=key), Tag(id="other"))
    page = client.get("/admin/tag/list?search=x")
    found = dict(zip(keys(page), rows_paths(page.text), strict=True))
    spelled = next(k for k in found if parse_key(Tag, k) == (key,))
    opened = client.get(found[spelled])
    assert opened.status_code == 200
    assert opened.context["opened"].key == spelled  # type: ignore[attr-defined]
    client.post("/admin/tag/delete", data={"pks": spelled, "_back": ""})
    with Session(library.writer) as session:
        assert session.scalars(select(Tag.id)).all() == ["other"]


def rows_paths(page: str) -> list[str]:
    found = re.findall(r"<th scope=row[^>]*><a id=r\d+ href=(.*?)>", page)
    return [urljoin("/admin/tag/list", unescape(path)) for path in found]


@pytest.mark.parametrize("key", ODD, ids=ascii)
def test_a_row_is_opened_and_deleted_by_any_key(
    client: TestClient, library: Database, key: str
) -> None:
    check_round_trip(client, library, key)


@SETTINGS
@given(key=any_text.filter(lambda key: key != "other"))
def test_a_row_is_opened_and_deleted_by_random_keys(
    client: TestClient, library: Database, key: str
) -> None:
    check_round_trip(client, library, key)


def test_keys_that_look_alike_are_deleted_apart(client: TestClient, library: Database) -> None:
    store(library, *(Tag(id=key) for key in ("a", "b", "a,b", "a;b", " a", "A")))
    client.post("/admin/tag/delete", data={"pks": ["a,b", " a"], "_back": ""})
    with Session(library.writer) as session:
        assert set(session.scalars(select(Tag.id))) == {"a", "b", "a;b", "A"}


@given(key=any_text)
@example("..")
def test_no_browser_or_server_changes_a_path_with_a_key(key: str) -> None:
    spelled = key_of(Tag(id=key))
    assert not re.search(r"[\r\n]", spelled)
    assert quote(spelled, safe="") not in (".", "..")
    assert parse_key(Tag, spelled) == (key,)


@given(left=any_text | st.just(""), right=any_text | st.just(""))
@example("\\", ";")
@example("..", "")
def test_keys_of_two_texts_are_read_as_they_were_written(left: str, right: str) -> None:
    assert parse_key(Pair, key_of(Pair(left=left, right=right))) == (left, right)


def test_a_row_with_a_key_of_two_columns_is_opened_and_deleted(
    client: TestClient, library: Database
) -> None:
    chapters = [Chapter(slug=slug, heading=slug) for slug in ("a;b/..\\", "a")]
    store(library, Book(title="B", chapters=chapters))
    page = client.get("/admin/chapter/list")
    [path] = links(page, "a;b/..\\")
    assert "a;b/..\\" in client.get(path).text
    spelled = key_of(chapters[0])
    client.post("/admin/chapter/delete", data={"pks": spelled, "_back": ""})
    assert keys(client.get("/admin/chapter/list")) == ["1;a"]


@pytest.mark.parametrize(
    "key",
    [
        *(
            "01",
            "1_0",
            "+1",
            "-0",
            " 1",
            "1 ",
            "１",
            "1.0",
            "1e0",
            "0x1",
            "abc",
            "1,1",
            "1;1",
            "1/",
        ),
        *("", "99999999999", "9" * 5000, "-1", "0", "1\0", "1\n", "~1", "None", "inf"),
    ],
    ids=ascii,
)
@pytest.mark.parametrize("page", ["details", "edit"])
def test_a_number_has_one_spelling(
    client: TestClient, library: Database, page: str, key: str
) -> None:
    store(library, Publisher(name="One"))
    assert client.get(f"/admin/publisher/{page}/1").status_code == 200
    assert client.get(f"/admin/publisher/{page}/{quote(key, safe='')}").status_code == 404


@pytest.mark.parametrize("key", ["1", "1;", ";a", "01;a", "1;a;b", "x;a", "1;a\\", "１;a"])
def test_a_key_of_two_columns_has_one_spelling(
    client: TestClient, library: Database, key: str
) -> None:
    store(library, Book(title="B", chapters=[Chapter(slug="a", heading="H")]))
    assert client.get("/admin/chapter/details/1%3Ba").status_code == 200
    assert client.get(f"/admin/chapter/details/{quote(key, safe='')}").status_code == 404


@pytest.mark.parametrize(("model", "bits"), [(Small, 16), (Publisher, 32), (Big, 64)])
def test_numbers_that_the_column_can_not_hold_are_no_keys(model: Any, bits: int) -> None:
    largest = 2 ** (bits - 1) - 1
    assert parse_key(model, str(largest)) == (largest,)
    assert parse_key(model, str(-largest - 1)) == (-largest - 1,)
    with pytest.raises(BadKeyError):
        parse_key(model, str(largest + 1))


def test_several_keys_are_one_condition() -> None:
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all(Pair(left=left, right=right) for left in "ab" for right in "xy")
        session.flush()
        counted = select(func.count()).select_from(Pair)
        assert session.scalar(counted.where(matches_keys(Pair, ["a;x", "b;y", "b;z"]))) == 2
        assert session.scalar(counted.where(matches_keys(Pair, []))) == 0
    engine.dispose()


def test_keys_joined_by_commas_are_taken_apart_unless_a_comma_may_belong_to_one() -> None:
    sent = ImmutableMultiDict([("pks", "1,2"), ("pks", "2"), ("pks", ""), ("other", "3")])
    assert selected_keys(Publisher, sent) == ["1", "2"]
    assert selected_keys(Tag, sent) == ["1,2", "2"]
