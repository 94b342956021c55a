"""Nothing tells of what an operator's roles withhold: random roles, at all pages."""

import base64
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from httpx2 import Response
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from admin.history import JOURNAL
from admin.kit.permissions import Permissions, RoleRights, read_rights
from main import create_app
from models import Post, Role, User
from models.database import Database
from tests.databases import Backend, settings_for
from tests.personas import sign_in

MARK = re.compile(r"zq-?(user|post)-?(\d+)-?([a-z]+)-?qz", re.IGNORECASE)
COLUMNS = {"user": ("name", "email", "phone"), "post": ("title", "content")}
USERS, POSTS = 6, 12


def marker(kind: str, number: int, column: str) -> str:
    return f"zq-{kind}-{number}-{column}-qz"


@dataclass
class Stage:
    """The demo with an operator whose role each example writes anew."""

    database: Database
    client: TestClient
    role_ids: list[int]

    def play(self, roles: list[dict[str, Any]]) -> None:
        def work(session: Any) -> None:
            for key, rights in zip(self.role_ids, roles, strict=True):
                session.execute(update(Role).where(Role.id == key).values(rights=rights))

        self.database.write(work)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    backend: Backend = request.getfixturevalue(request.param)
    database = backend.open(backend.migrated())
    recorded = database.recorded_by(JOURNAL)
    recorded.write(add_rows)
    recorded.write(change_some)
    app = create_app(settings_for(database.writer.engine.url), database)
    roles = [Role(name="First", rights={}), Role(name="Second", rights={})]
    database.write(lambda session: session.add_all(roles))
    client = sign_in(app, database, "ruth", "First", "Second")
    yield Stage(database, client, [role.id for role in roles])
    database.dispose()
    backend.drop(database.writer.engine.url)


def add_rows(session: Session) -> None:
    session.add_all(make_user(number) for number in range(1, USERS + 1))
    session.flush()
    session.add_all(make_post(number) for number in range(1, POSTS + 1))


def make_user(number: int) -> User:
    values = {column: marker("user", number, column) for column in COLUMNS["user"]}
    return User(id=number, **values, is_active=number % 2 == 0)


def make_post(number: int) -> Post:
    values = {column: marker("post", number, column) for column in COLUMNS["post"]}
    return Post(id=number, **values, user_id=1 + number % USERS)


def change_some(session: Session) -> None:
    """Give the history something to tell of every row, and delete one of each."""
    for post in session.scalars(select(Post)):
        post.content += " twice"
    for user in session.scalars(select(User)):
        user.phone = f"{user.phone}-2"


# What roles may say


def rights_on(kind: str, scope: str) -> st.SearchStrategy[dict[str, Any]]:
    actions = ["list", "details", "edit", "delete", "create", "export", "reveal", "action:x"]
    hidden = [*COLUMNS[kind], "author", "is_active", "created_at", "published_at"]
    return st.fixed_dictionaries(
        {
            "may": st.lists(st.sampled_from(actions), max_size=5),
            "scope": st.sampled_from(["", "", scope, "gone"]),
            "hidden": st.lists(st.sampled_from(hidden), max_size=2),
            "readonly": st.lists(st.sampled_from(hidden), max_size=2),
        }
    )


ROLE = st.fixed_dictionaries(
    {}, optional={"user": rights_on("user", "active"), "post": rights_on("post", "active-authors")}
)
KEYS = st.sampled_from([str(n) for n in range(1, POSTS + 1)])
PATHS = st.sampled_from(
    [
        "/",
        "/history",
        "/history?search=zq",
        "/history?model=user",
        "/history/{}",
        "/search?q=zq",
        "/search?q=zq-user-1",
        *(
            f"/{kind}/{page}"
            for kind in ("user", "post")
            for page in (
                "list",
                "list?search=zq",
                "list?search=zq-user-1",
                "list?_counts=1",
                "list?_count=exact",
                "list?_facets=1",
                "list?pageSize=2&page=2",
                "list?_columns=name,email,phone,title,content,author,author.email",
                "list?_edit=1",
                "list?sortBy=author.name&pageSize=2",
                "list?sortBy=-author.name&pageSize=2",
                "list?sortBy=name",
                "list?sortBy=-email",
                "list?_date=2026",
                "list?is_active=true",
                "list?author={}",
                "list?_where=author.name__contains%3Dzq",
                "list?_where=name__contains%3Dzq",
                "list?_where=phone__contains%3Dzq",
                "list?_build=open",
                "views/counts",
                "details/{}",
                "edit/{}",
                "history/{}",
                "history/{}?at=20",
                "delete?pks={}",
                "trash",
                "reveal/{}",
                "create",
                "export/json",
                "export/csv",
                "cell/{}?name=name",
                "ajax/lookup?name=author&term=zq",
                "ajax/lookup?_filter=1&name=author&term=zq",
                "ajax/lookup?_filter=1&name=name&term=z",
            )
        ),
    ]
)
WRITES = st.sampled_from(
    [
        ("/post/edit/{}", {"author": "1", "title": "New"}),
        ("/post/edit/{}", {"title": ""}),
        ("/post/create", {"author": "{}", "title": "New", "content": ""}),
        ("/user/edit/{}", {"name": "", "email": "x"}),
        ("/user/edit/{}", {"email": marker("user", 4, "email").replace("zq-user", "ZQ")}),
        ("/post/action/publish", {"pks": "{}"}),
        ("/user/action/deactivate", {"pks": "{}"}),
        ("/user/action/change", {"pks": "{}"}),
        ("/user/action/deactivate", {"_all": "1"}),
        (
            "/post/action/change",
            {"_all": "1", "confirmed": "yes", "_change": "author", "author": "1"},
        ),
        ("/user/reveal/{}", {"_reason": ""}),
        ("/user/history/{}?at=20", {}),
        ("/user/trash", {"pks": "{}"}),
        ("/history/{}/undo", {}),
    ]
)
QUIET = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


# What they mean, in plain Python


@dataclass
class Sight:
    """What a role lets one see."""

    permissions: Permissions

    @classmethod
    def of(cls, roles: list[dict[str, Any]]) -> "Sight":
        return cls(Permissions([RoleRights("", read_rights(role)) for role in roles]))

    def rows(self, kind: str, action: str = "list") -> set[int]:
        scopes = self.permissions.scopes(kind, action)
        numbers = range(1, (USERS if kind == "user" else POSTS) + 1)
        return {n for n in numbers if scopes is None or self.is_in(kind, n, scopes)}

    def is_in(self, kind: str, number: int, scopes: frozenset[str]) -> bool:
        name = "active" if kind == "user" else "active-authors"
        user = number if kind == "user" else 1 + number % USERS
        return name in scopes and user % 2 == 0

    def may_see(self, kind: str, number: int, column: str) -> bool:
        is_hidden = column in self.permissions.hidden(kind)
        return column != "phone" and not is_hidden and number in self.rows(kind)

    def named(self, user: int) -> bool:
        return self.may_see("user", user, "name")


def told(response: Response) -> set[tuple[str, int, str]]:
    text = response.text + repr(response.headers)
    # Where a page begins is told by the values its list is sorted by.
    text += " ".join(map(decoded, re.findall(r"(?:after|before|at)=([\w-]{8,})", text)))
    return {(kind.lower(), int(n), column.lower()) for kind, n, column in MARK.findall(text)}


def decoded(token: str) -> str:
    return base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode(errors="replace")


@QUIET
@given(
    roles=st.tuples(ROLE, ROLE),
    asked=st.lists(st.tuples(PATHS, KEYS), min_size=4, max_size=8),
)
def test_no_page_tells_of_what_is_withheld(
    stage: Stage, roles: tuple[Any, Any], asked: list[tuple[str, str]]
) -> None:
    stage.play(list(roles))
    sight = Sight.of(list(roles))
    for path, key in asked:
        response = stage.client.get(f"/admin{path.replace('{}', key)}")
        assert response.status_code < 500, (path, key, response.text)
        betrayed = [one for one in told(response) if not sight.may_see(*one)]
        assert not betrayed, (path, key, betrayed)


@QUIET
@given(
    roles=st.tuples(ROLE, ROLE),
    sent=st.lists(st.tuples(WRITES, KEYS), min_size=2, max_size=5),
)
def test_no_answer_to_a_write_tells_of_what_is_withheld(
    stage: Stage, roles: tuple[Any, Any], sent: list[tuple[Any, str]]
) -> None:
    stage.play(list(roles))
    sight = Sight.of(list(roles))
    before = stored(stage.database)
    for (path, fields), key in sent:
        # Nothing of it is stored: there is a rule that each breaks, or a page that asks first.
        data = {name: value.replace("{}", key) for name, value in fields.items()}
        response = stage.client.post(f"/admin{path.replace('{}', key)}", data=data)
        assert response.status_code < 500, (path, key, response.text)
        betrayed = [one for one in told(response) if not sight.may_see(*one)]
        assert not betrayed, (path, key, betrayed)
        put_back(stage.database, before, sight)


@QUIET
@given(roles=st.tuples(ROLE, ROLE), kind=st.sampled_from(["user", "post"]))
def test_counts_are_those_of_the_rows_one_may_see(
    stage: Stage, roles: tuple[Any, Any], kind: str
) -> None:
    stage.play(list(roles))
    sight = Sight.of(list(roles))
    page = stage.client.get(f"/admin/{kind}/list?pageSize=3&_count=exact")
    if page.status_code == 200:
        assert page.context["page"].count.number == len(sight.rows(kind))  # type: ignore[attr-defined]
    tabs = stage.client.get(f"/admin/{kind}/views/counts")
    if tabs.status_code == 200:
        assert tabs.json()["views"][0]["count"] == str(len(sight.rows(kind)))
    file = stage.client.get(f"/admin/{kind}/export/json")
    if file.status_code == 200:
        expected = sight.rows(kind) & sight.rows(kind, "export")
        assert len(json.loads(file.text)) == len(expected)


@QUIET
@given(roles=st.tuples(ROLE, ROLE), number=st.integers(1, USERS))
def test_nothing_is_found_or_ordered_by_what_is_withheld(
    stage: Stage, roles: tuple[Any, Any], number: int
) -> None:
    """A search, a condition and an order by the author's name know those one may see."""
    stage.play(list(roles))
    sight = Sight.of(list(roles))
    mine = sorted(sight.rows("post"))
    authors = {post: 1 + post % USERS for post in mine}
    named = {post: sight.named(author) for post, author in authors.items()}
    found = [post for post in mine if authors[post] == number and named[post]]
    name = f"zq-user-{number}-name"
    for query in (f"search={name}", f"_where=author.name__contains%3D{name}"):
        page = stage.client.get(f"/admin/post/list?{query}&_count=exact")
        if page.status_code == 200:
            searched = page.context["view"].search_names  # type: ignore[attr-defined]
            # A title has no such words; a list that searches nothing shows all.
            wanted = found if "author.name" in searched else [] if searched else mine
            assert page.context["page"].count.number == len(wanted), query  # type: ignore[attr-defined]
    page = stage.client.get("/admin/post/list?sortBy=author.name&pageSize=100")
    if page.status_code == 200:
        rows = [row.obj.id for row in page.context["page"].rows]  # type: ignore[attr-defined]
        assert [post for post in rows if not named[post]] == [p for p in mine if not named[p]]
        seen = [post for post in mine if named[post]]
        assert [post for post in rows if named[post]] == sorted(seen, key=lambda p: (authors[p], p))


def stored(database: Database) -> list[Any]:
    columns = [*User.__table__.columns], [*Post.__table__.columns]
    return [database.read(partial(rows_of, columns=some)) for some in columns]


def rows_of(session: Session, columns: Sequence[Any]) -> list[Any]:
    return list(session.execute(select(*columns)).all())


def put_back(database: Database, before: list[Any], sight: Sight) -> None:
    """Check that only rows in sight were changed, and put all back as it was."""
    now = stored(database)
    for kind, model, old, new in zip(("user", "post"), (User, Post), before, now, strict=True):
        was, is_now = ({row.id: tuple(row) for row in rows} for rows in (old, new))
        for number in was.keys() | is_now.keys():
            if was.get(number) != is_now.get(number):
                may_be = number in sight.rows(kind) or number not in was
                assert may_be, (kind, number, was.get(number), is_now.get(number))
        if was != is_now:
            restore(database, model, old)


def restore(database: Database, model: Any, rows: Any) -> None:
    table = model.__table__
    with database.writer.engine.begin() as connection:
        for row in rows:
            values = dict(zip(table.columns.keys(), row, strict=True))
            same = table.update().where(table.c.id == row.id)
            if not connection.execute(same.values(values)).rowcount:
                connection.execute(table.insert().values(values))
        connection.execute(table.delete().where(table.c.id.not_in([row.id for row in rows])))
