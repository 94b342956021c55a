"""Fills the database with the users and posts that the factories make."""

from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterable
from datetime import UTC, datetime, time
from functools import partial
from typing import NamedTuple

from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session

from models import Post, User
from models.base import utc_now
from models.database import Database
from seed.factories import PRESENT, Fake, author_number, make_post, make_user, vocabulary

BATCH = 1000  # rows in a transaction, and in memory


class Rows(NamedTuple):
    """A number of users and a number of posts."""

    users: int
    posts: int


class Added(Rows):
    """What a run has added; the rest was there."""


class Demo(NamedTuple):
    """The rows of a random seed, as they are told at a time."""

    fake: Fake
    present: datetime

    def user(self, number: int) -> User:
        return make_user(self.fake, number, present=self.present)

    def post(self, number: int) -> Post:
        return make_post(self.fake, number, present=self.present)


def seed(
    database: Database,
    *,
    users: int = 50,
    posts: int = 200,
    random_seed: int = 1,
    present: datetime | None = None,
    on_progress: Callable[[int], object] | None = None,
) -> Added:
    """Add what is missing of the first `users` users and `posts` posts of a random seed.

    A second run adds nothing, a run with larger numbers adds the rest, and a run after one that was
    interrupted completes it. No row that is there is changed: it counts as there if its e-mail or
    title is, or else if its name and time of joining, or its text and time of publication, are. So
    what an operator edited stays as it is. What was deleted comes back, and so does a draft
    whose title was changed, or a row changed in both respects: nothing tells it from any other.
    Another version of Faker may draw other rows for the same random seed.

    All times lie before `present`: this day's beginning, unless users of the same random seed are
    there already, whose present then goes on.

    Each batch is one transaction; `on_progress` hears its number of rows once it is stored.
    """
    if posts and not users:
        raise ValueError("Posts need at least one user to write them.")
    fake = vocabulary(random_seed)
    known = partial(_known_present, fake=fake, users=users)
    demo = Demo(fake, present or database.read(known) or _today())
    add_posts = partial(_add_posts, demo=demo, users=users)
    return Added(
        users=_in_batches(database, users, partial(_add_users, demo=demo), on_progress),
        posts=_in_batches(database, posts, add_posts, on_progress),
    )


def has_users(database: Database) -> bool:
    return database.read(lambda session: session.scalar(select(User.id).limit(1)) is not None)


def count_rows(database: Database) -> Rows:
    """Count all users and posts, whoever made them."""
    return database.read(lambda session: Rows(_count(session, User), _count(session, Post)))


def clear(database: Database) -> None:
    """Delete all users and posts, whoever made them, in one transaction; the tables stay."""
    database.write(_delete_rows)


def _count(session: Session, model: type[User | Post]) -> int:
    return session.scalar(select(func.count()).select_from(model)) or 0


def _delete_rows(session: Session) -> None:
    session.execute(delete(Post))
    session.execute(delete(User))


def _today() -> datetime:
    return datetime.combine(utc_now(), time(), tzinfo=UTC)


def _known_present(session: Session, *, fake: Fake, users: int) -> datetime | None:
    """Return what most of the first users that are there say; one of them may have been changed."""
    made = {user.email: user for user in _first_users(fake, users)}
    there = select(User.email, User.created_at).where(User.email.in_(made))
    times = [
        PRESENT + (joined - made[email].created_at) for email, joined in session.execute(there)
    ]
    return Counter(times).most_common(1)[0][0] if times else None


def _first_users(fake: Fake, users: int) -> list[User]:
    return [make_user(fake, number) for number in range(1, min(users, BATCH) + 1)]


def _in_batches(
    database: Database,
    count: int,
    add: Callable[..., int],
    on_progress: Callable[[int], object] | None,
) -> int:
    added = 0
    for start in range(1, count + 1, BATCH):
        numbers = range(start, min(start + BATCH, count + 1))
        # A write may be run again, so the rows are made inside it, never handed over.
        added += database.write(partial(add, numbers=numbers))
        if on_progress:
            on_progress(len(numbers))
    return added


def _add_users(session: Session, *, demo: Demo, numbers: Iterable[int]) -> int:
    wanted = [demo.user(number) for number in numbers]
    known = _known_users(session, wanted)
    missing = [user for user in wanted if known.keys().isdisjoint(_user_keys(user))]
    session.add_all(missing)
    return len(missing)


def _add_posts(session: Session, *, demo: Demo, users: int, numbers: Iterable[int]) -> int:
    wanted = {number: demo.post(number) for number in numbers}
    known = _known_posts(session, wanted.values())
    missing = {n: post for n, post in wanted.items() if known.isdisjoint(_post_keys(post))}
    writers = {number: author_number(demo.fake, number, users) for number in missing}
    authors = _authors(session, demo, set(writers.values()))
    for number, post in missing.items():
        post.author = authors[writers[number]]
    session.add_all(missing.values())
    return len(missing)


def _authors(session: Session, demo: Demo, numbers: Iterable[int]) -> dict[int, User]:
    """Return the users of these numbers; one that was deleted just now is made again."""
    wanted = {number: demo.user(number) for number in numbers}
    known = _known_users(session, wanted.values())
    return {
        number: next((known[key] for key in _user_keys(user) if key in known), user)
        for number, user in wanted.items()
    }


def _known_users(session: Session, wanted: Collection[User]) -> dict[Hashable, User]:
    emails = User.email.in_([user.email for user in wanted])
    moments = User.created_at.in_([user.created_at for user in wanted])
    found = session.scalars(select(User).where(or_(emails, moments)))
    return {key: user for user in found for key in _user_keys(user)}


def _known_posts(session: Session, wanted: Collection[Post]) -> set[Hashable]:
    titles = Post.title.in_([post.title for post in wanted])
    moments = Post.published_at.in_([post.published_at for post in wanted if post.published_at])
    found = session.scalars(select(Post).where(or_(titles, moments)))
    return {key for post in found for key in _post_keys(post)}


def _user_keys(user: User) -> tuple[Hashable, ...]:
    """Return what tells a user from others; either is enough."""
    return user.email, (user.name, user.created_at)


def _post_keys(post: Post) -> tuple[Hashable, ...]:
    """Return what tells a post from others; either is enough."""
    if post.published_at is None:
        return (post.title,)
    return post.title, (post.content, post.published_at)
