"""What is asked for, and the best statement without new indexes that answers it."""

from dataclasses import dataclass

from tests.bench.data import BUSIEST_AUTHOR, COMMON_NAME, RARE_NAME, RARE_TITLE

ROWS = 50
USER = "SELECT id, name, email, is_active, created_at FROM users"
POST = "SELECT p.id, p.title, u.name, p.published_at FROM posts p JOIN users u ON u.id = p.user_id"
NEWEST_USERS = f"ORDER BY created_at DESC, id DESC LIMIT {ROWS}"
NEWEST_POSTS = f"ORDER BY p.id DESC LIMIT {ROWS}"


@dataclass(frozen=True)
class Case:
    """A request to the admin, and the statement of the floor's page."""

    name: str
    path: str
    floor: str

    @property
    def is_export(self) -> bool:
        return "/export/" in self.path


def cases(users: int) -> list[Case]:
    """Return the requests for a table of that many users."""
    last_page = -(-users // ROWS)
    return [
        Case("index, cards", "/", "SELECT name, data, computed_at, claimed_at FROM card_snapshots"),
        Case("users, first page", "/user/list", f"{USER} {NEWEST_USERS}"),
        Case("users, rare term", f"/user/list?search={RARE_NAME}", search_users(RARE_NAME)),
        Case("users, common term", f"/user/list?search={COMMON_NAME}", search_users(COMMON_NAME)),
        Case(
            "users, filtered",
            "/user/list?is_active=false",
            f"{USER} WHERE NOT is_active {NEWEST_USERS}",
        ),
        Case(
            "users, by name",
            "/user/list?sortBy=name&sort=asc",
            f"{USER} ORDER BY name, id LIMIT {ROWS}",
        ),
        Case(
            "users, last page",
            f"/user/list?page={last_page}",
            f"SELECT * FROM ({USER} ORDER BY created_at, id LIMIT {ROWS}) oldest {NEWEST_USERS}",
        ),
        Case("posts, first page", "/post/list", f"{POST} {NEWEST_POSTS}"),
        Case(
            "posts, one author",
            f"/post/list?author={BUSIEST_AUTHOR}",
            f"{POST} WHERE p.user_id = {BUSIEST_AUTHOR} {NEWEST_POSTS}",
        ),
        Case("posts, rare term", f"/post/list?search={RARE_TITLE}", search_posts(RARE_TITLE)),
        Case(
            "user, details",
            "/user/details/42",
            "SELECT *, (SELECT count(*) FROM (SELECT FROM posts WHERE user_id = 42 LIMIT 1001) p)"
            " FROM users WHERE id = 42",
        ),
        Case(
            "post, edit form",
            "/post/edit/42",
            "SELECT p.*, u.name FROM posts p JOIN users u ON u.id = p.user_id WHERE p.id = 42",
        ),
        Case(
            "users, CSV",
            "/user/export/csv",
            f"COPY ({USER} ORDER BY created_at DESC, id DESC) TO STDOUT WITH (FORMAT csv, HEADER)",
        ),
    ]


def search_users(term: str) -> str:
    return f"{USER} WHERE name ILIKE '%{term}%' OR email ILIKE '%{term}%' {NEWEST_USERS}"


def search_posts(term: str) -> str:
    authors = f"SELECT id FROM users WHERE name ILIKE '%{term}%'"
    return f"{POST} WHERE p.title ILIKE '%{term}%' OR p.user_id IN ({authors}) {NEWEST_POSTS}"
