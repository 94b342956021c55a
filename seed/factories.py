"""Plausible users and posts that are not saved yet, for the demo and for tests.

The row of a number depends on nothing but that number and the random seed: not on the clock, not
on the other rows. Its times lie before a `present` that whoever makes it names; to another one they
all keep their distance.
"""

import random
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

from faker import Faker

from models import Post, User
from seed.wording import HEADLINES, OPENINGS, TOPICS

PRESENT = datetime(2026, 7, 1, tzinfo=UTC)  # where none is named
# Who writes has joined in the two years before the first post, so that no post is older than its
# author; newcomers join since, and haven't written yet.
POSTING = timedelta(days=365)
JOINING = timedelta(days=730)

ACTIVE_SHARE = 0.85
PHONE_SHARE = 0.6
DRAFT_SHARE = 0.1
# Reserved for examples: no mail to them ever reaches anyone.
DOMAINS = ("example.org", "example.com", "example.net")
LOCALES = ("en_US", "de_DE", "fr_FR", "es_ES")

PLACES = 2000
MOST_POSTS = len(HEADLINES) * len(TOPICS) * PLACES
# Near the golden section, and without a divisor in common with MOST_POSTS: neighbours differ, and
# each combination comes up once before any comes up again.
STRIDE = 1_898_563


class Subject(NamedTuple):
    """What a post is about; no two posts of a random seed share one."""

    headline: str
    topic: str
    place: str

    @property
    def title(self) -> str:
        title = self.headline.format(topic=self.topic, place=self.place)
        return title[0].upper() + title[1:]


class Fake:
    """The vocabulary of a random seed, drawn once; a row is put together from it.

    Asking Faker itself for each row would take longer than storing the row.
    """

    def __init__(self, random_seed: int = 1) -> None:
        self.random_seed = random_seed
        english = _faker("en_US", random_seed)
        self.places = _distinct(english.city, PLACES)
        self.sentences = [english.sentence(nb_words=10) for _ in range(1000)]
        self.people = [_people(_faker(locale, random_seed)) for locale in LOCALES]

    def dice(self, purpose: str, number: int) -> random.Random:
        """Return the random numbers of one row."""
        return random.Random(f"{self.random_seed}/{purpose}/{number}")  # noqa: S311 - not a secret

    def name(self, dice: random.Random) -> tuple[str, str]:
        """Return a first and a last name that go together."""
        first_names, last_names = dice.choice(self.people)
        return dice.choice(first_names), dice.choice(last_names)

    def subject(self, number: int) -> Subject:
        rest, headline = divmod(number * STRIDE % MOST_POSTS, len(HEADLINES))
        place, topic = divmod(rest, len(TOPICS))
        return Subject(HEADLINES[headline], TOPICS[topic], self.places[place])

    def text(self, dice: random.Random, subject: Subject) -> str:
        """Return two to six paragraphs on the subject, with an empty line between them."""
        opening = dice.choice(OPENINGS).format(topic=subject.topic, place=subject.place)
        paragraphs = [self.paragraph(dice) for _ in range(dice.randint(2, 6))]
        return f"{opening} " + "\n\n".join(paragraphs)

    def paragraph(self, dice: random.Random) -> str:
        return " ".join(dice.choices(self.sentences, k=dice.randint(2, 6)))


@cache
def vocabulary(random_seed: int) -> Fake:
    """Return the vocabulary of a random seed, which takes a moment to draw, once a process."""
    return Fake(random_seed)


def make_user(fake: Fake, number: int, *, present: datetime = PRESENT, **changes: Any) -> User:
    """Return the unsaved user of that number, with `changes` to its columns.

    The address ends in the number, so no two users of a random seed share one, and no user has an
    address as plain as alice@example.com.
    """
    dice = fake.dice("user", number)
    first, last = fake.name(dice)
    columns = {
        "name": f"{first} {last}"[:50],
        "email": f"{_mailbox(first, last)}{number}@{dice.choice(DOMAINS)}",
        "phone": _phone(fake.dice("phone", number)),
        "is_active": dice.random() < ACTIVE_SHARE,
        "created_at": present - (_newly(dice) if is_newcomer(number) else _long_ago(dice)),
    }
    return User(**{**columns, **changes})


def make_post(fake: Fake, number: int, *, present: datetime = PRESENT, **changes: Any) -> Post:
    """Return the unsaved post of that number, with `changes` to its columns, such as `author`.

    Its title is its own among the first `MOST_POSTS` of a random seed; some posts are drafts.
    """
    dice = fake.dice("post", number)
    subject = fake.subject(number)
    is_draft = dice.random() < DRAFT_SHARE
    columns = {
        "title": subject.title[:200],
        "content": fake.text(dice, subject),
        "published_at": None if is_draft else present - _since(dice, POSTING),
    }
    return Post(**{**columns, **changes})


def author_number(fake: Fake, number: int, users: int) -> int:
    """Return which of `users` wrote the post of that number: a few write most, some nothing."""
    drawn = 1 + int(users * fake.dice("author", number).random() ** 3)
    return drawn - 1 if is_newcomer(drawn) else drawn


def is_newcomer(number: int) -> bool:
    return number % 3 == 0


def _faker(locale: str, random_seed: int) -> Faker:
    faker = Faker(locale)
    faker.seed_instance(random_seed)
    return faker


def _people(faker: Faker) -> tuple[list[str], list[str]]:
    first_names = [faker.first_name() for _ in range(500)]
    return first_names, [faker.last_name() for _ in range(500)]


def _distinct(draw: Callable[[], str], count: int) -> list[str]:
    drawn: dict[str, None] = {}
    while len(drawn) < count:
        drawn[draw()] = None
    return list(drawn)


def _mailbox(first: str, last: str) -> str:
    """Return a mailbox in plain ASCII letters, short enough for the column with any number."""
    plain = unicodedata.normalize("NFKD", f"{first}.{last}".casefold())
    return "".join(sign for sign in plain if sign.isascii() and (sign.isalpha() or sign == "."))[
        :60
    ]


def _phone(dice: random.Random) -> str | None:
    """Return a number of those that are kept for stories, for some."""
    return f"+44 20 7946 0{dice.randrange(1000):03}" if dice.random() < PHONE_SHARE else None


def _long_ago(dice: random.Random) -> timedelta:
    return POSTING + _since(dice, JOINING)


def _newly(dice: random.Random) -> timedelta:
    """Return an age at which there are more users the younger they are."""
    return timedelta(seconds=1 + int(POSTING.total_seconds() * dice.random() ** 2))


def _since(dice: random.Random, longest: timedelta) -> timedelta:
    """Return an age of whole seconds, as forms keep times, above zero."""
    return longest - timedelta(seconds=dice.randrange(int(longest.total_seconds())))
