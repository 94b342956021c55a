"""The demo data, and the command that makes it."""

import math
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click.testing
import pytest
from sqlalchemy import create_engine, event, func, inspect, make_url, select

from models import Base, Post, User
from models.base import utc_now
from models.database import Database, connect
from seed import Added, Fake, Rows, clear, count_rows, has_users, make_post, make_user, seed
from seed.command import seed_command
from seed.factories import (
    JOINING,
    MOST_POSTS,
    POSTING,
    PRESENT,
    STRIDE,
    author_number,
    is_newcomer,
)

ROOT = Path(__file__).parent.parent
TABLES = set(Base.metadata.tables)
PRODUCTION = {
    "ENV": "production",
    "SECRET_KEY": "0123456789abcdef0123456789abcdef",
    "ALLOWED_HOSTS": "admin.example.org",
    "ALLOW_SQLITE": "1",
}

Run = Callable[..., click.testing.Result]


@pytest.fixture(scope="module")
def fake() -> Fake:
    return Fake(random_seed=1)


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Database]:
    """Make an empty SQLite file with all tables, for the command to open by its address."""
    with_tables = connect(make_url(f"sqlite:///{tmp_path}/demo.db"))
    Base.metadata.create_all(with_tables.writer.engine)
    yield with_tables
    with_tables.dispose()


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run the command on the file of `demo`, with nobody at the terminal."""
    address = {"ENV": "development", "DATABASE_URL": f"sqlite:///{tmp_path}/demo.db"}

    def run_seed(*arguments: str, typed: str = "", **environ: str) -> click.testing.Result:
        runner = click.testing.CliRunner(env=address | environ)
        return runner.invoke(seed_command, arguments, input=typed)

    return run_seed


def contents(database: Database) -> tuple[list[Any], list[Any]]:
    """Return all that is stored, without the keys."""
    users = select(User.name, User.email, User.is_active, User.created_at).order_by(User.email)
    posts = select(Post.title, Post.content, Post.published_at, User.email).join(Post.author)
    return database.read(
        lambda session: (
            [tuple(row) for row in session.execute(users)],
            [tuple(row) for row in session.execute(posts.order_by(Post.title))],
        )
    )


def change(database: Database, model: type[Any], **values: Any) -> int:
    """Change the first row as an operator would, and return its key."""

    def work(session: Any) -> int:
        row = session.scalars(select(model).order_by(model.id).limit(1)).one()
        for name, value in values.items():
            setattr(row, name, value)
        return int(row.id)

    return database.write(work)


# The factories


def test_a_row_depends_on_its_number_and_the_random_seed_alone(fake: Fake) -> None:
    again, other = Fake(random_seed=1), Fake(random_seed=2)
    assert make_user(fake, 7).email == make_user(again, 7).email != make_user(other, 7).email
    assert make_post(fake, 7).content == make_post(again, 7).content != make_post(other, 7).content


def test_a_factory_takes_changes(fake: Fake) -> None:
    user = make_user(fake, 1, name="Zoë", is_active=False)
    assert (user.name, user.is_active) == ("Zoë", False)
    assert make_post(fake, 1, author=user).author is user


def test_users_are_plausible(fake: Fake) -> None:
    users = [make_user(fake, number) for number in range(1, 2001)]
    assert len({user.email for user in users}) == 2000
    assert all(len(user.name) <= 50 and len(user.email) <= 100 for user in users)
    assert all(user.email.isascii() and user.email == user.email.lower() for user in users)
    assert {user.email.partition("@")[2] for user in users} == {
        "example.com",
        "example.net",
        "example.org",
    }
    assert 0.8 < sum(user.is_active for user in users) / 2000 < 0.9
    assert all(PRESENT - POSTING - JOINING <= user.created_at < PRESENT for user in users)


def test_posts_are_plausible(fake: Fake) -> None:
    posts = [make_post(fake, number) for number in range(1, 2001)]
    times = [post.published_at for post in posts if post.published_at]
    assert all(len(post.title) <= 200 and post.title[0].isupper() for post in posts)
    assert all(post.content.count("\n") >= 2 for post in posts)
    assert 0.06 < 1 - len(times) / 2000 < 0.14
    assert all(PRESENT - POSTING <= time < PRESENT for time in times)


def test_no_two_posts_share_a_title(fake: Fake) -> None:
    assert math.gcd(STRIDE, MOST_POSTS) == 1
    assert len({fake.subject(number).title for number in range(50_000)}) == 50_000


def test_a_few_authors_write_most_and_some_nothing(fake: Fake) -> None:
    authors = [author_number(fake, number, 50) for number in range(1, 201)]
    assert set(authors) < set(range(1, 51))
    assert authors.count(1) > 20


@pytest.mark.parametrize("users", [1, 2, 3, 50])
def test_no_post_is_older_than_its_author(fake: Fake, users: int) -> None:
    authors = {author_number(fake, number, users) for number in range(1, 2001)}
    assert authors <= set(range(1, users + 1))
    joined = [make_user(fake, number).created_at for number in authors]
    assert max(joined) < PRESENT - POSTING


def test_newcomers_come_up_to_the_present(fake: Fake) -> None:
    ages = [PRESENT - make_user(fake, n).created_at for n in range(1, 51) if is_newcomer(n)]
    assert timedelta() < min(ages) < timedelta(days=7)
    assert sum(age < timedelta(days=31) for age in ages) >= 3
    assert max(ages) <= POSTING


def test_to_another_present_all_times_keep_their_distance(fake: Fake) -> None:
    later = PRESENT + timedelta(days=100)
    for number in range(1, 51):
        user, post = make_user(fake, number), make_post(fake, number)
        moved_user = make_user(fake, number, present=later)
        moved_post = make_post(fake, number, present=later)
        assert later - moved_user.created_at == PRESENT - user.created_at
        assert (moved_user.email, moved_post.content) == (user.email, post.content)
        if post.published_at and moved_post.published_at:
            assert later - moved_post.published_at == PRESENT - post.published_at


# Filling the database


def test_it_adds_the_numbers_asked_for(database: Database) -> None:
    assert seed(database, users=12, posts=30) == Added(users=12, posts=30)
    assert count_rows(database) == Rows(users=12, posts=30)


def test_it_asks_for_fifty_users_and_two_hundred_posts(database: Database) -> None:
    assert seed(database) == Added(users=50, posts=200)


def test_a_second_run_adds_nothing(database: Database) -> None:
    seed(database, users=12, posts=30)
    before = contents(database)
    assert seed(database, users=12, posts=30) == Added(users=0, posts=0)
    assert contents(database) == before


def test_rows_are_as_old_as_if_it_were_told_today(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seed.demo.utc_now", lambda: datetime(2031, 5, 17, 15, 30, tzinfo=UTC))
    seed(database)
    users, posts = contents(database)
    times = [user[3] for user in users] + [post[2] for post in posts if post[2]]
    today = datetime(2031, 5, 17, tzinfo=UTC)
    assert today - timedelta(days=3) < max(times) < today


def test_a_run_of_another_day_goes_on_from_the_first(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed(database, users=12, posts=30)
    before = contents(database)
    change(database, User, email="someone.else@example.org")
    change(database, Post, title="Another title")
    tomorrow = utc_now() + timedelta(days=1)
    monkeypatch.setattr("seed.demo.utc_now", lambda: tomorrow)
    assert seed(database, users=12, posts=30) == Added(users=0, posts=0)
    clear(database)
    seed(database, users=12, posts=30)
    assert contents(database)[0][0][3] == before[0][0][3] + timedelta(days=1)


def test_larger_numbers_add_only_the_rest(database: Database) -> None:
    seed(database, users=12, posts=30)
    assert seed(database, users=20, posts=50) == Added(users=8, posts=20)
    assert count_rows(database) == Rows(users=20, posts=50)


def test_smaller_numbers_add_and_remove_nothing(database: Database) -> None:
    seed(database, users=12, posts=30)
    assert seed(database, users=3, posts=5) == Added(users=0, posts=0)
    assert count_rows(database) == Rows(users=12, posts=30)


def test_the_same_seed_fills_an_emptied_database_alike(database: Database) -> None:
    seed(database, users=12, posts=30)
    before = contents(database)
    clear(database)
    seed(database, users=12, posts=30)
    assert contents(database) == before


def test_two_databases_are_filled_alike(database: Database, demo: Database) -> None:
    seed(database, users=12, posts=30, random_seed=5)
    seed(demo, users=12, posts=30, random_seed=5)
    assert contents(database) == contents(demo)


def test_another_random_seed_adds_other_rows(database: Database) -> None:
    seed(database, users=12, posts=30, random_seed=1)
    assert seed(database, users=12, posts=30, random_seed=2) == Added(users=12, posts=30)


def test_posts_without_users_are_refused(database: Database) -> None:
    with pytest.raises(ValueError, match="at least one user"):
        seed(database, users=0, posts=1)


def test_plain_addresses_stay_free(database: Database) -> None:
    seed(database)
    addresses = select(User.email)
    taken = set(database.read(lambda session: session.scalars(addresses).all()))
    for name in ("alice", "bob", "charlie"):
        assert taken.isdisjoint(f"{name}@example.{end}" for end in ("com", "net", "org"))


@pytest.mark.parametrize(
    ("model", "values"),
    [
        (User, {"name": "Someone Else", "is_active": False}),
        (User, {"email": "someone.else@example.org"}),
        (User, {"created_at": PRESENT}),
        (Post, {"title": "Another title"}),
        (Post, {"content": "Another text", "published_at": None}),
        (Post, {"published_at": PRESENT + timedelta(days=1)}),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else value.__name__,
)
def test_what_an_operator_edited_stays(
    database: Database, model: type[Any], values: dict[str, Any]
) -> None:
    seed(database, users=12, posts=30)
    key = change(database, model, **values)
    assert seed(database, users=12, posts=30) == Added(users=0, posts=0)
    row = database.read(lambda session: session.get_one(model, key))
    assert {name: getattr(row, name) for name in values} == values


def test_what_an_operator_added_stays(database: Database, fake: Fake) -> None:
    alice = make_user(fake, 1, name="Alice", email="alice@example.com")
    database.write(lambda session: session.add(alice))
    assert seed(database, users=12, posts=30) == Added(users=12, posts=30)
    assert count_rows(database).users == 13


def test_what_was_deleted_comes_back(database: Database) -> None:
    seed(database, users=12, posts=30)
    database.write(lambda session: session.delete(session.scalars(select(Post)).first()))
    assert seed(database, users=12, posts=30) == Added(users=0, posts=1)


def test_an_interrupted_run_is_completed(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seed.demo.BATCH", 10)
    done = 0

    def interrupt(rows: int) -> None:
        nonlocal done
        done += rows
        if done > 30:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        seed(database, users=25, posts=45, on_progress=interrupt)
    assert count_rows(database) == Rows(users=25, posts=10)
    assert seed(database, users=25, posts=45) == Added(users=0, posts=35)


def test_progress_adds_up(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seed.demo.BATCH", 10)
    steps: list[int] = []
    seed(database, users=25, posts=12, on_progress=steps.append)
    assert steps == [10, 10, 5, 10, 2]


def test_an_author_deleted_meanwhile_is_made_again(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seed.demo.BATCH", 10)
    steps: list[int] = []

    def delete_all(rows: int) -> None:
        steps.append(rows)
        if len(steps) == 1:
            clear(database)

    assert seed(database, users=10, posts=10, on_progress=delete_all).posts == 10
    orphans = select(func.count()).select_from(Post).where(~Post.author.has())
    assert database.read(lambda session: session.scalar(orphans)) == 0


def test_clear_deletes_rows_and_nothing_else(database: Database) -> None:
    seed(database, users=12, posts=30)
    assert has_users(database)
    clear(database)
    assert not has_users(database)
    assert count_rows(database) == Rows(users=0, posts=0)
    assert set(inspect(database.writer).get_table_names()) >= TABLES


# The command


def test_the_command_says_what_it_added(run: Run, demo: Database) -> None:
    result = run("--users", "12", "--posts", "30")
    assert (result.exit_code, result.output) == (0, "Added 12 users and 30 posts.\n")
    assert count_rows(demo) == Rows(users=12, posts=30)


def test_the_command_says_what_was_there(run: Run, demo: Database) -> None:
    run("--users", "12", "--posts", "30")
    result = run("--users", "12", "--posts", "31")
    assert result.output == ("Added 0 users and 1 posts.\nThere already: 12 users and 30 posts.\n")


def test_the_command_takes_a_random_seed(run: Run, demo: Database, fake: Fake) -> None:
    run("--users", "1", "--posts", "0", "--random-seed", "2")
    assert contents(demo)[0][0][1] == make_user(Fake(2), 1).email


def test_if_empty_leaves_a_filled_database_alone(run: Run, demo: Database) -> None:
    assert run("--users", "3", "--posts", "5", "--if-empty").output.startswith("Added 3 users")
    result = run("--if-empty")
    assert (result.exit_code, result.output) == (
        0,
        "There are users already: nothing was added.\n",
    )
    assert count_rows(demo) == Rows(users=3, posts=5)


def test_production_is_refused(run: Run, demo: Database) -> None:
    result = run(**PRODUCTION)
    assert result.exit_code == 1
    assert "This is production" in result.stderr
    assert count_rows(demo) == Rows(users=0, posts=0)


def test_production_is_seeded_by_force(run: Run, demo: Database) -> None:
    assert run("--users", "3", "--posts", "5", "--force", **PRODUCTION).exit_code == 0
    assert count_rows(demo) == Rows(users=3, posts=5)


def test_reset_is_refused_where_nobody_answers(run: Run, demo: Database) -> None:
    run("--users", "3", "--posts", "5")
    result = run("--reset")
    assert result.exit_code == 1
    assert "--yes" in result.stderr
    assert count_rows(demo) == Rows(users=3, posts=5)


@pytest.mark.parametrize(("answer", "users_after"), [("\n", 3), ("n\n", 3), ("y\n", 2)])
def test_reset_asks_on_a_terminal(
    run: Run, demo: Database, monkeypatch: pytest.MonkeyPatch, answer: str, users_after: int
) -> None:
    monkeypatch.setattr("seed.command._can_answer", lambda: True)
    seed(demo, users=3, posts=5)
    result = run("--reset", "--users", "2", "--posts", "0", typed=answer)
    assert "Delete 3 users and 5 posts, whoever made them? [y/N]" in result.output
    assert count_rows(demo).users == users_after


def test_reset_starts_over(run: Run, demo: Database, fake: Fake) -> None:
    demo.write(lambda session: session.add(make_user(fake, 1, email="alice@example.com")))
    assert run("--reset", "--yes", "--users", "3", "--posts", "5").exit_code == 0
    assert count_rows(demo) == Rows(users=3, posts=5)


def test_reset_never_drops_a_table(
    run: Run, demo: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    statements: list[str] = []

    def recorded(*arguments: Any, **options: Any) -> Database:
        database = connect(*arguments, **options)
        event.listen(
            database.writer.engine,
            "before_cursor_execute",
            lambda *execution: statements.append(execution[2].upper()),
        )
        return database

    monkeypatch.setattr("seed.command.connect", recorded)
    run("--users", "3", "--posts", "5")
    run("--reset", "--yes", "--users", "3", "--posts", "5")
    verbs = {statement.split()[0] for statement in statements}
    assert verbs == {"BEGIN", "SELECT", "INSERT", "DELETE"}
    names = inspect(demo.writer).get_table_names()
    assert {name for name in names if "_trigrams" not in name} == TABLES


@pytest.mark.parametrize(
    "arguments", [("--reset", "--if-empty"), ("--users", "0"), ("--users", "-1")]
)
def test_contradictions_are_a_usage_error(
    run: Run, demo: Database, arguments: tuple[str, ...]
) -> None:
    assert run(*arguments).exit_code == 2


def test_missing_tables_are_one_sentence(run: Run, tmp_path: Path) -> None:
    create_engine(f"sqlite:///{tmp_path}/demo.db").dispose()
    result = run()
    assert (result.exit_code, result.stdout, result.stderr) == (
        1,
        "",
        "Error: The database has no tables yet: run `python main.py migrate` first.\n",
    )


def test_an_unreachable_database_is_one_sentence(run: Run) -> None:
    result = run(DATABASE_URL="postgresql://app:hush@127.0.0.1:1/app", DB_WAIT="0")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("Error: The database can't be used: ")
    assert result.stderr.count("\n") == 1
    assert "hush" not in result.stderr


def test_a_wrong_setting_is_one_sentence(run: Run) -> None:
    result = run(ENV="staging")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "Error: ENV must be one of: development, production.\n"


def test_it_runs_as_a_module(demo: Database) -> None:
    finished = subprocess.run(
        [sys.executable, "-m", "seed", "--users", "3", "--posts", "5"],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": str(demo.writer.engine.url)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert finished.stdout == "Added 3 users and 5 posts.\n"
