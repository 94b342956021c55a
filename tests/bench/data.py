"""The tables that are measured, filled by the server itself, the same rows each time."""

import psycopg
from sqlalchemy import URL

RARE_NAME = "quillon"  # in 7 names
COMMON_NAME = "berg"  # in one name of 16
RARE_TITLE = "xylograph"  # in 9 titles
# A few authors write most, as in life; user 1 writes more than anybody else.
BUSIEST_AUTHOR = 1

USERS = """
INSERT INTO users (name, email, is_active, created_at)
SELECT
    (ARRAY['Ann', 'Bob', 'Chloé', 'Dai', 'Eve', 'Finn', 'Gül', 'Hana'])[1 + n % 8] || ' '
    || CASE WHEN n % greatest(1, %(users)s / 7) = 0 THEN 'Quillon' ELSE (ARRAY[
        'Adams', 'Berg', 'Costa', 'Dubois', 'Evans', 'Fischer', 'García', 'Hansen', 'Ito', 'Jones',
        'Kaya', 'López', 'Moreau', 'Novak', 'Olsen', 'Park'])[1 + n / 8 % 16] END
    || ' ' || left(md5(n::text), 6),
    left(md5(n::text), 8) || n || '@example.org',
    n % 7 <> 0,
    timestamptz '2024-01-01 00:00Z' + interval '2 years' * (n::float8 / %(users)s)
FROM generate_series(1, %(users)s) n
"""
POSTS = """
INSERT INTO posts (title, content, user_id, published_at)
SELECT
    (ARRAY['How to ', 'Why we ', 'Notes on ', 'A year of '])[1 + n % 4]
    || CASE WHEN n % greatest(1, %(posts)s / 9) = 0 THEN 'xylograph' ELSE (ARRAY[
        'bread', 'bicycles', 'gardens', 'letters', 'maps', 'rivers', 'songs'])[1 + n % 7] END
    || ' ' || md5(n::text),
    repeat(md5(n::text) || ' ', 4 + n % 20),
    1 + floor(%(users)s * power((n::bigint * 7919 % 10007) / 10007.0, 3)),
    CASE WHEN n % 10 > 0
        THEN timestamptz '2025-01-01 00:00Z' + interval '1 year' * (n::float8 / %(posts)s) END
FROM generate_series(1, %(posts)s) n
"""


def fill(url: URL, users: int, posts: int) -> str:
    """Fill empty tables as autovacuum would leave them; return the version of the server."""
    sizes = {"users": users, "posts": posts}
    with connect(url) as connection:
        connection.execute(escaped(USERS), sizes)
        connection.execute(escaped(POSTS), sizes)
        connection.execute("VACUUM ANALYZE users, posts")
        row = connection.execute("SHOW server_version").fetchone()
        return str(row and row[0]).split()[0]


def connect(url: URL) -> psycopg.Connection:
    """Connect without the ORM, and without prepared plans that forget the term searched for."""
    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(address, autocommit=True, prepare_threshold=None)


def escaped(sql: str) -> bytes:
    """Double the percent signs that are arithmetic, not parameters."""
    return sql.replace(" % ", " %% ").encode()
