"""What is asked for, and the best statement that answers it.

Lists show 100 rows a page, as where other admins were measured.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from html import unescape
from urllib.parse import urljoin

from tests.bench.data import (
    BUSIEST_AUTHOR,
    COMMON_NAME,
    COMMON_TITLE,
    RARE_NAME,
    RARE_TITLE,
    YEAR,
    today,
)

ROWS = 100
USER = "SELECT id, name, email, is_active, created_at FROM users"
POST = "SELECT p.id, p.title, u.name, p.published_at FROM posts p JOIN users u ON u.id = p.user_id"
NEWEST_USERS = f"ORDER BY created_at DESC, id DESC LIMIT {ROWS}"
NEWEST_POSTS = f"ORDER BY p.id DESC LIMIT {ROWS}"
MIDDLE_USER = "(SELECT max(id) / 2 FROM users)"
MIDDLE_POST = "(SELECT max(id) / 2 FROM posts)"
THIS_YEAR = f"'{today():%Y}-01-01'"


@dataclass(frozen=True)
class Case:
    """A request to the admin, and the statement of the floor's page.

    `follow` names a link of the page at `path`, by its `rel`: where it leads is what is measured,
    as an operator gets there.
    """

    name: str
    path: str
    floor: str
    follow: str = ""

    @property
    def is_export(self) -> bool:
        return "/export/" in self.path


def address(case: Case, page: Callable[[str], str]) -> str:
    """Return the path of a case, given a way to see pages; without the link it is the page's."""
    path = f"/admin{case.path}"
    links = re.findall(r"<a\b[^>]*>", page(path)) if case.follow else []
    for link in links:
        href = re.search(r'\bhref="([^"]*)"', link)
        if href and f'rel="{case.follow}"' in link:
            return urljoin(path, unescape(href[1]))
    return path


def cases(posts: int) -> list[Case]:
    """Return the requests, where there are so many posts; the floor's don't depend on that."""
    return [*user_lists(), *post_lists(posts), *other_pages()]


def user_lists() -> list[Case]:
    path = f"/user/list?pageSize={ROWS}"
    oldest = f"SELECT * FROM ({USER} ORDER BY created_at, id LIMIT {ROWS}) oldest {NEWEST_USERS}"
    middle = f"(SELECT created_at, id FROM users WHERE id = {MIDDLE_USER})"
    combined = (
        f"{USER} WHERE name LIKE '%{RARE_NAME.capitalize()}%' AND is_active "
        f"ORDER BY name, id LIMIT {ROWS}"
    )
    return [
        Case("users, first page", path, f"{USER} {NEWEST_USERS}"),
        Case(
            "users, deep page",
            f"{path}&from={today() - YEAR:%Y-%m-%d}",
            f"{USER} WHERE (created_at, id) < {middle} {NEWEST_USERS}",
            follow="next",
        ),
        Case("users, last page", path, oldest, follow="last"),
        Case("users, by name", f"{path}&sortBy=name&sort=asc", by("name")),
        Case(
            "users, by e-mail",
            f"{path}&sortBy=email&sort=asc",
            f"{USER} ORDER BY email LIMIT {ROWS}",
        ),
        Case("users, oldest first", f"{path}&sortBy=created_at&sort=asc", by("created_at")),
        Case(
            "users, not active",
            f"{path}&is_active=false",
            f"{USER} WHERE NOT is_active {NEWEST_USERS}",
        ),
        Case(
            "users, this year",
            f"{path}&created_at=year",
            f"{USER} WHERE created_at >= {THIS_YEAR} {NEWEST_USERS}",
        ),
        Case("users, rare term", f"{path}&search={RARE_NAME}", users_with(RARE_NAME)),
        Case("users, common term", f"{path}&search={COMMON_NAME}", users_with(COMMON_NAME)),
        Case(
            "users, two words",
            f"{path}&search=bob+{COMMON_NAME}",
            f"{USER} WHERE {found('name', 'email', 'bob')}"
            f" AND {found('name', 'email', COMMON_NAME)} {NEWEST_USERS}",
        ),
        Case(
            "users, search + filter + sort",
            f"{path}&search={RARE_NAME}&is_active=true&sortBy=name&sort=asc",
            combined,
        ),
    ]


def post_lists(count: int) -> list[Case]:
    path = f"/post/list?pageSize={ROWS}"
    oldest = f"SELECT * FROM ({POST} ORDER BY p.id LIMIT {ROWS}) oldest ORDER BY id DESC"
    by_author = f"SELECT id FROM users ORDER BY name, id LIMIT {10 * ROWS}"
    return [
        Case("posts, first page", path, f"{POST} {NEWEST_POSTS}"),
        Case(
            "posts, deep page",
            f"{path}&from={max(1, count // 2)}",
            f"{POST} WHERE p.id < {MIDDLE_POST} {NEWEST_POSTS}",
            follow="next",
        ),
        Case("posts, last page", path, oldest, follow="last"),
        Case(
            "posts, by title",
            f"{path}&sortBy=title&sort=asc",
            f"{POST} ORDER BY p.title, p.id LIMIT {ROWS}",
        ),
        Case(
            "posts, by author's name",
            f"{path}&sortBy=author.name&sort=asc",
            f"{POST} WHERE u.id IN ({by_author}) ORDER BY u.name, u.id, p.id LIMIT {ROWS}",
        ),
        Case(
            "posts, by date",
            f"{path}&sortBy=published_at&sort=asc",
            f"{POST} ORDER BY p.published_at, p.id LIMIT {ROWS}",
        ),
        Case(
            "posts, one author",
            f"{path}&author={BUSIEST_AUTHOR}",
            f"{POST} WHERE p.user_id = {BUSIEST_AUTHOR} {NEWEST_POSTS}",
        ),
        Case(
            "posts, this year",
            f"{path}&published_at=year",
            f"{POST} WHERE p.published_at >= {THIS_YEAR} {NEWEST_POSTS}",
        ),
        Case("posts, rare term", f"{path}&search={RARE_TITLE}", posts_with(RARE_TITLE)),
        Case(
            "posts, common term",
            f"{path}&search={COMMON_TITLE}",
            f"{POST} WHERE p.title ILIKE '%{COMMON_TITLE}%' {NEWEST_POSTS}",
        ),
        Case("posts, author's name only", f"{path}&search={RARE_NAME}", posts_with(RARE_NAME)),
        Case(
            "posts, two words",
            f"{path}&search={COMMON_TITLE}+{COMMON_NAME}",
            f"{POST} WHERE p.title ILIKE '%{COMMON_TITLE}%' AND u.name ILIKE '%{COMMON_NAME}%'"
            f" {NEWEST_POSTS}",
        ),
        Case(
            "posts, search + filter + sort",
            f"{path}&search={COMMON_TITLE}&published_at=any&sortBy=published_at&sort=desc",
            f"{POST} WHERE p.title ILIKE '%{COMMON_TITLE}%' AND p.published_at IS NOT NULL"
            f" ORDER BY p.published_at DESC, p.id DESC LIMIT {ROWS}",
        ),
    ]


def other_pages() -> list[Case]:
    return [
        Case("index, cards", "/", "SELECT name, data, computed_at, claimed_at FROM card_snapshots"),
        Case(
            "user, details",
            "/user/details/42",
            "SELECT *, (SELECT count(*) FROM (SELECT 1 FROM posts WHERE user_id = 42 LIMIT 1001) p)"
            " FROM users WHERE id = 42",
        ),
        Case(
            "post, edit form",
            "/post/edit/42",
            "SELECT p.*, u.name FROM posts p JOIN users u ON u.id = p.user_id WHERE p.id = 42",
        ),
        Case("users, CSV", "/user/export/csv", f"{USER} ORDER BY created_at DESC, id DESC"),
    ]


def by(column: str) -> str:
    return f"{USER} ORDER BY {column}, id LIMIT {ROWS}"


def found(one: str, other: str, term: str) -> str:
    return f"({one} ILIKE '%{term}%' OR {other} ILIKE '%{term}%')"


def users_with(term: str) -> str:
    return f"{USER} WHERE {found('name', 'email', term)} {NEWEST_USERS}"


def posts_with(term: str) -> str:
    """Return the statement for a rare term: each table is searched by itself."""
    titles = f"SELECT id FROM posts WHERE title ILIKE '%{term}%'"
    authors = f"SELECT id FROM users WHERE name ILIKE '%{term}%'"
    authored = f"SELECT id FROM posts WHERE user_id IN ({authors})"
    return f"{POST} WHERE p.id IN ({titles} UNION {authored}) {NEWEST_POSTS}"
