"""How the databases find what is searched for: by indexes, at any size of the table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import ColumnElement, Select, func, select, text

from admin.kit.lists import nearest as nearest_rows
from admin.kit.lists.counting import Count, Kind
from admin.kit.lists.counting import count as counted
from admin.kit.lists.keyset import Term
from admin.kit.lists.query import Query
from admin.kit.search import first_rows
from admin.views.posts import PostAdmin
from admin.views.users import UserAdmin
from models import Post, User
from tests.databases import statements
from tests.kit.app import make_app
from tests.pages import get
from tests.personas import visit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.orm import Session
    from starlette.applications import Starlette

    from admin.kit import ModelAdmin
    from models.database import Database
    from tests.databases import Backend

# Every sixteenth name is common, one is rare; a user has written two posts.
USERS = """
INSERT INTO users (name, email, created_at)
SELECT CASE WHEN n = 700 THEN 'Quillon' WHEN {modulo} = 0 THEN 'Berg ' || n ELSE 'Name ' || n END,
'u' || n || '@example.org', {moment} FROM {numbers}
"""
POSTS = """
INSERT INTO posts (title, content, published_at, user_id)
SELECT CASE WHEN n = 900 THEN 'A xylograph' WHEN {modulo} = 3 THEN 'On rivers' ELSE 'Letter ' || n
END, '', {moment}, (n + 1) / 2 FROM {numbers}
"""
ON = {
    "postgresql": {
        "modulo": "n % 16",
        "moment": "timestamptz '2025-01-01' + n * interval '1 minute'",
        "numbers": "generate_series(1, {size}) n",
    },
    "sqlite": {
        "modulo": "n % 16",
        "moment": "datetime('2025-01-01', n || ' minutes')",
        "numbers": "(WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s "
        "WHERE n < {size}) SELECT n FROM s)",
    },
}
NEWEST_USERS = (User.created_at.desc(), User.id.desc())
NEWEST_POSTS = (Post.id.desc(),)

on_sqlite = pytest.mark.parametrize("large", ["sqlite"], indirect=True, scope="module")
on_postgresql = pytest.mark.parametrize("large", ["postgresql"], indirect=True, scope="module")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def large(request: pytest.FixtureRequest) -> Iterator[Database]:
    """Lend a database with 30,000 users and 60,000 posts, which the planner knows of."""
    backend: Backend = request.getfixturevalue(request.param)
    database = backend.open(backend.migrated())
    database.write(fill)
    yield database
    database.dispose()
    backend.drop(database.writer.engine.url)


def fill(session: Session) -> None:
    parts = ON[session.get_bind().dialect.name]
    for statement, size in ((USERS, 30_000), (POSTS, 60_000)):
        numbers = parts["numbers"].format(size=size)
        session.execute(text(statement.format(**{**parts, "numbers": numbers})))
    if session.get_bind().dialect.name == "postgresql":
        # What a vacuum does in the background: sort what is new into the indexes.
        for index in ("ix_users_name_email_trigrams", "ix_posts_title_trigrams"):
            session.execute(text(f"SELECT gin_clean_pending_list('{index}')"))
    session.execute(text("ANALYZE"))


@pytest.fixture
def site(large: Database) -> Starlette:
    return make_app(large, UserAdmin, PostAdmin)


def view_of(site: Starlette, model: type) -> ModelAdmin:
    view: ModelAdmin = next(v for v in site.state.site.model_views() if v.model is model)
    return view


def searched(site: Starlette, model: type, term: str) -> Select[Any]:
    order: tuple[ColumnElement[Any], ...] = NEWEST_USERS if model is User else NEWEST_POSTS
    ways = view_of(site, model).search_alternatives(term)
    return first_rows(select(model), ways, order, 51)


def plan(database: Database, stmt: Select[Any]) -> str:
    """Return the plan, with the values that were searched for."""

    def explain(session: Session) -> str:
        dialect = session.get_bind().dialect
        compiled = stmt.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
        how = "EXPLAIN QUERY PLAN" if dialect.name == "sqlite" else "EXPLAIN"
        positional = [compiled.params[name] for name in compiled.positiontup or ()]
        values = tuple(positional) if compiled.positional else dict(compiled.params)
        rows = session.connection().exec_driver_sql(f"{how} {compiled}", values)
        return "\n".join(str(row[-1]) for row in rows)

    return database.read(explain)


CASES = [
    (User, "quillon", 1, "users"),
    (User, "berg", 51, "users"),
    (User, "u123@", 1, "users"),
    (User, "quillon u700", 1, "users"),
    (Post, "xylograph", 1, "posts"),
    (Post, "rivers", 51, "posts"),
    (Post, "quillon", 2, "users"),
    (Post, "berg", 51, "users"),
]


@pytest.mark.parametrize(("model", "term", "hits", "table"), CASES)
def test_an_index_serves_rare_and_common_terms_alike(
    large: Database, site: Starlette, model: type, term: str, hits: int, table: str
) -> None:
    stmt = searched(site, model, term)
    assert len(large.read(lambda session: session.scalars(stmt).all())) == hits
    found = plan(large, stmt)
    assert "Seq Scan" not in found
    if large.writer.dialect.name == "sqlite":
        assert f"SCAN {table}_trigrams VIRTUAL TABLE" in found
    elif hits <= 2:
        assert f"ix_{table}_" in found
        assert "_trigrams" in found


@pytest.mark.parametrize("model", [User, Post])
@pytest.mark.parametrize("term", ["quillon", "berg", "be", "rivers", "quillon rivers"])
def test_the_alternatives_find_the_first_rows_of_the_whole_search(
    large: Database, site: Starlette, model: type, term: str
) -> None:
    view = view_of(site, model)
    order = NEWEST_USERS if model is User else NEWEST_POSTS
    whole = view.search_query(select(model), term).order_by(*order).limit(51)
    expected = large.read(lambda session: session.scalars(whole).all())
    found = large.read(lambda session: session.scalars(searched(site, model, term)).all())
    assert [row.id for row in found] == [row.id for row in expected]


def test_the_palette_asks_the_same_indexes(large: Database, site: Starlette) -> None:
    with statements(large) as seen:
        found = visit(site).get("/admin/search?q=quillon", headers={"Accept": "application/json"})
    assert [len(group["hits"]) for group in found.json()["groups"]] == [1, 2]
    is_sqlite = large.writer.dialect.name == "sqlite"
    assert all(("MATCH" if is_sqlite else "ILIKE") in sql for sql in seen)
    assert not any(" OR users." in sql or "lower(" in sql for sql in seen if is_sqlite)


def test_a_picker_asks_them_too(large: Database, site: Starlette) -> None:
    with statements(large) as seen:
        answer = visit(site).get("/admin/post/ajax/lookup?name=author&term=quillon")
    assert [choice["text"] for choice in answer.json()["results"]] == ["Quillon"]
    is_sqlite = large.writer.dialect.name == "sqlite"
    assert len([sql for sql in seen if ("MATCH" if is_sqlite else "ILIKE") in sql]) == 1


@on_sqlite
def test_sqlite_walks_the_order_for_a_common_term(site: Starlette, large: Database) -> None:
    few, walk = view_of(site, User).search_alternatives("name")
    limits = select(*(func.coalesce(way.limit(51), 0) for way in (few, walk)))
    assert tuple(large.read(lambda session: session.execute(limits).one())) == (0, 51)
    stmt = select(User.id).where(walk.condition).order_by(*NEWEST_USERS).limit(51)
    assert plan(large, stmt) == "SCAN users USING INDEX ix_users_created_at_id"


@on_postgresql
def test_cheaper_comparisons_leave_out_nothing(large: Database, site: Starlette) -> None:
    """The Kelvin sign and the dotted capital I are k and i in lower case, to some languages."""
    (way,) = view_of(site, User).search_alternatives("kim ipek")
    assert way.implied is not None
    names = {"KIM IPEK", "\N{KELVIN SIGN}im \N{LATIN CAPITAL LETTER I WITH DOT ABOVE}pek"}
    with large.sessions() as session:
        session.add_all(User(name=name, email=f"{n}@x.org") for n, name in enumerate(names))
        session.flush()
        assert set(session.scalars(select(User.name).where(way.implied))) == names


@on_sqlite
def test_sqlite_begins_with_the_words_whatever_else_has_an_index(
    site: Starlette, large: Database
) -> None:
    view = view_of(site, User)
    filtered, ways = select(User).where(User.is_active), view.search_alternatives("quillon")
    whole = view.search_query(filtered, "quillon")
    query = Query(User, whole, filtered, ways[:1], unfiltered=select(User))
    found = plan(large, query.first([Term(User.name.expression), Term(User.id.expression)], [], 51))
    assert "SEARCH users USING INTEGER PRIMARY KEY (rowid=?)" in found
    assert "ix_users_is_active" not in found


@on_sqlite
def test_sqlite_begins_with_the_relation_that_orders(site: Starlette, large: Database) -> None:
    query = Query(Post, select(Post), is_whole=True)
    name, _ = query.column("author.name")
    stmt = query.first([Term(name.expression), Term(Post.id.expression)], [], 51)
    first, second, *_ = plan(large, stmt).splitlines()
    assert first.endswith("USING COVERING INDEX ix_users_name_id")
    assert second.endswith("USING INDEX ix_posts_user_id_id (user_id=?)")


@on_sqlite
@pytest.mark.parametrize(
    ("term", "count"),
    [("quillon", Count(2)), ("berg", Count(1000, Kind.AT_LEAST)), ("rivers name", None)],
)
def test_a_search_is_counted_as_far_as_a_few_rows_tell(
    site: Starlette, large: Database, term: str, count: Count | None
) -> None:
    """Of one title in sixteen by nearly any author a sample has enough, or all there are."""
    view = view_of(site, Post)
    stmt, ways = select(Post), view.search_alternatives(term)
    query = Query(Post, view.search_query(stmt, term), stmt, ways, unfiltered=stmt)
    found = large.read(lambda session: counted(session, query))
    assert found == count if count else found.kind is Kind.AT_LEAST
    assert found.number <= 1000


def rows(site: Starlette, path: str) -> list[str]:
    return [row[1] for row in get(visit(site), path).table]


@pytest.mark.parametrize(
    "path",
    [
        "/admin/user/list?is_active=true&sortBy=name",
        "/admin/user/list?is_active=true&sortBy=-name&from=Berg",
        "/admin/user/list?created_at=2025-01-03&sortBy=name",
        "/admin/post/list?published_at=2025-01-03",
        "/admin/post/list?published_at=2025-01-03&sort=asc&sortBy=title",
    ],
)
@pytest.mark.parametrize("near", [3, 500, 100_000])
def test_near_or_far_a_filter_finds_the_same_rows(
    site: Starlette, monkeypatch: pytest.MonkeyPatch, path: str, near: int
) -> None:
    monkeypatch.setattr("admin.kit.lists.pages.nearest", lambda *_: None)
    expected = rows(site, path)
    monkeypatch.undo()
    monkeypatch.setattr(nearest_rows, "NEAR", near)
    assert rows(site, path) == expected
    assert expected
