"""Demo data: believable users and posts, the same ones for the same random seed."""

from seed.demo import Added, Rows, clear, count_rows, has_users, seed
from seed.factories import Fake, make_post, make_user

__all__ = [
    "Added",
    "Fake",
    "Rows",
    "clear",
    "count_rows",
    "has_users",
    "make_post",
    "make_user",
    "seed",
]
