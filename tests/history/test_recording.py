"""Every change leaves an entry in its own transaction, and no entry stays without its change."""

import json
from functools import partial
from typing import Any

import pytest
from sqlalchemy import delete, exc, func, insert, select, text, update
from sqlalchemy.orm import Session

from admin.history import JOURNAL
from admin.kit.history import (
    UnrecordedWriteError,
    origin,
    recorded_delete,
    recorded_update,
)
from models import Change, Operator, Post, User
from models.base import utc_now
from models.database import Database
from tests.databases import statements
from tests.history.conftest import change_sets, changes, summary
from tests.records import add_post, add_user

HELD = '{"id":%d,"title":"%s","content":"Text","user_id":%d,"published_at":null,"version":1}'


def rename(session: Session, user: User, name: str = "Alicia") -> None:
    found = session.get_one(User, user.id)
    found.name = name


def test_a_new_row_is_kept_whole(recorded: Database) -> None:
    alice = add_user(recorded, "Alice")
    ((action, table, key, before, after),) = summary(recorded)
    assert (action, table, key, before) == ("create", "users", str(alice.id), None)
    image = json.loads(after)
    assert list(image) == ["id", "name", "email", "phone", "is_active", "created_at", "version"]
    assert image["created_at"] == {"datetime": alice.created_at.isoformat()}


def test_of_a_changed_row_what_changed_is_kept(recorded: Database) -> None:
    alice = add_user(recorded, "Alice")
    recorded.write(partial(rename, user=alice))
    (entry,) = summary(recorded)
    assert entry == ("update", "users", str(alice.id), '{"name":"Alice"}', '{"name":"Alicia"}')


def test_a_value_that_was_never_loaded_is_known_all_the_same(recorded: Database) -> None:
    alice = add_user(recorded, "Alice")

    def change(session: Session) -> None:
        session.expire(found := session.get_one(User, alice.id), ["name"])
        found.name = "Alicia"

    recorded.write(change)
    assert summary(recorded)[0][3:] == ('{"name":"Alice"}', '{"name":"Alicia"}')


def test_what_the_database_computes_is_read(recorded: Database) -> None:
    alice = add_user(recorded, "Alice")

    def change(session: Session) -> None:
        session.get_one(User, alice.id).name = func.upper(User.name)

    recorded.write(change)
    assert summary(recorded)[0][3:] == ('{"name":"Alice"}', '{"name":"ALICE"}')


def test_a_value_set_back_before_it_was_sent_is_no_change(recorded: Database) -> None:
    alice = add_user(recorded, "Alice")

    def change(session: Session) -> None:
        rename(session, alice)
        rename(session, alice, "Alice")

    recorded.write(change)
    assert len(change_sets(recorded)) == 1


def test_a_deletion_keeps_what_the_database_takes_along(recorded: Database) -> None:
    alice = add_user(recorded, "Alice")
    post = add_post(recorded, alice, "Hello")
    recorded.write(lambda session: session.delete(session.get_one(User, alice.id)))
    first, second = summary(recorded)
    assert first[:2] == ("delete", "posts")
    assert json.loads(first[3])["title"] == post.title
    assert second[:3] == ("delete", "users", str(alice.id))
    assert change_sets(recorded)[-1].label == "Alice"


def test_a_post_that_was_moved_away_is_not_taken_along(recorded: Database) -> None:
    alice, bob = add_user(recorded, "Alice"), add_user(recorded, "Bob")
    post = add_post(recorded, alice)

    def move_and_delete(session: Session) -> None:
        session.get_one(Post, post.id).author = session.get_one(User, bob.id)
        session.delete(session.get_one(User, alice.id))

    recorded.write(move_and_delete)
    assert [entry[:2] for entry in summary(recorded)] == [("update", "posts"), ("delete", "users")]


def test_an_orphan_is_recorded_though_nobody_deleted_it(recorded: Database) -> None:
    alice = add_user(recorded, "Alice")
    add_post(recorded, alice)

    def disown(session: Session) -> None:
        found = session.get_one(User, alice.id)
        found.posts.clear()

    recorded.write(disown)
    assert [entry[:2] for entry in summary(recorded)] == [("delete", "posts")]


def test_all_flushes_of_one_piece_of_work_are_one_change_set(recorded: Database) -> None:
    def work(session: Session) -> None:
        user = User(name="Alice", email="a@example.org")
        session.add(user)
        session.flush()
        session.add(Post(title="Hello", content="", author=user))

    recorded.write(work)
    (found,) = change_sets(recorded)
    assert json.loads(found.summary) == [["posts", "create", 1], ["users", "create", 1]]


def test_it_says_who_asked_from_where_and_why(recorded: Database) -> None:
    told = {"operator_id": 7, "operator_name": "olga", "source": "form", "reason": "a typo"}
    with origin(**told, request_id="abc", address="203.0.113.9"):
        add_user(recorded, "Alice")
    (found,) = change_sets(recorded)
    assert {name: getattr(found, name) for name in told} == told
    assert (found.request_id, found.address) == ("abc", "203.0.113.9")


def test_work_that_changes_nothing_leaves_nothing(recorded: Database) -> None:
    recorded.write(lambda session: session.scalar(select(User.id)))
    assert change_sets(recorded) == []


def test_what_fails_leaves_no_entry(recorded: Database) -> None:
    alice = add_user(recorded, "Alice")
    with pytest.raises(exc.IntegrityError):
        recorded.write(lambda session: session.add(User(name="Al", email=alice.email)))
    assert len(change_sets(recorded)) == 1


def test_without_its_entry_no_change_is_made(real_database: Database) -> None:
    database = real_database
    alice = add_user(database, "Alice")
    database.write(lambda session: session.execute(text("DROP TABLE changes")))
    with pytest.raises(exc.DBAPIError, match="changes"):
        database.recorded_by(JOURNAL).write(partial(rename, user=alice))
    assert database.read(lambda session: session.get_one(User, alice.id).name) == "Alice"


def test_a_savepoint_takes_its_entries_back(recorded: Database) -> None:
    def work(session: Session) -> None:
        session.add(User(name="Alice", email="a@example.org"))
        savepoint = session.begin_nested()
        session.add(User(name="Bob", email="b@example.org"))
        session.flush()
        savepoint.rollback()
        session.add(User(name="Carol", email="c@example.org"))

    recorded.write(work)
    (found,) = change_sets(recorded)
    assert json.loads(found.summary) == [["users", "create", 2]]
    assert [change.label for change in changes(recorded, found)] == ["Alice", "Carol"]


def test_a_session_that_commits_by_itself_is_recorded(recorded: Database) -> None:
    with recorded.sessions() as session:
        for name in ("Alice", "Bob"):
            session.add(User(name=name, email=f"{name}@example.org"))
            session.commit()
    assert [found.label for found in change_sets(recorded)] == ["Alice", "Bob"]


def test_a_secret_is_named_and_never_kept(recorded: Database) -> None:
    def work(session: Session) -> None:
        session.add(Operator(username="olga", password_hash="first hash"))
        session.flush()
        operator = session.scalars(select(Operator)).one()
        operator.password_hash = "second hash"

    recorded.write(work)
    _, (_, _, _, before, after) = summary(recorded)
    assert before == after == '{"password_hash":{"secret":true}}'
    kept = recorded.read(lambda session: [c.after for c in session.scalars(select(Change))])
    assert not any("hash" in str(text).replace("password_hash", "") for text in kept)


def test_a_column_that_asks_for_no_record_leaves_none(recorded: Database) -> None:
    recorded.write(lambda s: s.add(Operator(username="olga", password_hash="a hash")))

    def work(session: Session) -> None:
        session.scalars(select(Operator)).one().last_sign_in_at = utc_now()

    recorded.write(work)
    assert len(change_sets(recorded)) == 1


ESCAPES: list[Any] = [
    update(User).values(name="x"),
    delete(Post),
    insert(User).values(name="x", email="x"),
    text("UPDATE users SET name = 'x'"),
    text('delete from "posts"'),
    text("WITH old AS (SELECT 1) DELETE FROM posts"),
]


@pytest.mark.parametrize("stmt", ESCAPES, ids=str)
def test_a_statement_that_would_escape_is_refused_by_name(recorded: Database, stmt: Any) -> None:
    with pytest.raises(UnrecordedWriteError, match=r"'(users|posts)'"):
        recorded.write(lambda session: session.execute(stmt))
    with pytest.raises(UnrecordedWriteError):
        recorded.write(lambda session: session.connection().execute(stmt))


def test_a_statement_may_say_that_it_leaves_no_trace(recorded: Database) -> None:
    stmt = update(User).values(name="x").execution_options(unrecorded=True)
    recorded.write(lambda session: session.execute(stmt))
    assert change_sets(recorded) == []


def test_bulk_objects_can_not_slip_by(recorded: Database) -> None:
    with pytest.raises(UnrecordedWriteError):
        recorded.write(
            lambda session: session.bulk_insert_mappings(User, [{"name": "x", "email": "x"}])
        )


def test_a_set_based_update_has_an_entry_for_each_row(recorded: Database) -> None:
    users = [add_user(recorded, f"User {number}") for number in range(3)]
    condition = User.id > users[0].id
    count = recorded.write(lambda s: recorded_update(s, User, condition, {"name": "Same"}))
    assert count == 2
    assert [entry[3:] for entry in summary(recorded)] == [
        ('{"name":"User 1"}', '{"name":"Same"}'),
        ('{"name":"User 2"}', '{"name":"Same"}'),
    ]
    versions = recorded.read(lambda s: list(s.scalars(select(User.version).order_by(User.id))))
    assert versions == [1, 2, 2]


def test_a_set_based_update_may_compute(recorded: Database) -> None:
    add_user(recorded, "Alice")
    recorded.write(lambda s: recorded_update(s, User, User.id > 0, {"name": func.upper(User.name)}))
    assert summary(recorded)[0][3:] == ('{"name":"Alice"}', '{"name":"ALICE"}')


def test_a_set_based_delete_records_what_goes_with_it(recorded: Database) -> None:
    alice, bob = add_user(recorded, "Alice"), add_user(recorded, "Bob")
    add_post(recorded, alice)
    assert recorded.write(lambda s: recorded_delete(s, User, User.name == "Alice")) == 1
    assert [entry[:2] for entry in summary(recorded)] == [("delete", "posts"), ("delete", "users")]
    assert recorded.read(lambda s: list(s.scalars(select(User.id)))) == [bob.id]


def test_a_set_based_statement_can_not_change_keys(recorded: Database) -> None:
    with pytest.raises(ValueError, match="key"):
        recorded.write(lambda s: recorded_update(s, User, User.id > 0, {"id": 1}))


def test_many_rows_are_sent_in_batches_and_keep_their_order(recorded: Database) -> None:
    def work(session: Session) -> None:
        session.add_all(User(name=f"{n}", email=f"{n}@example.org") for n in range(2500))

    recorded.write(work)
    (found,) = change_sets(recorded)
    assert [change.label for change in changes(recorded, found)] == [str(n) for n in range(2500)]


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_recording_a_save_takes_one_round_trip(database: Database) -> None:
    alice = add_user(database, "Alice")
    with statements(database) as plain:
        database.write(partial(rename, user=alice))
    with statements(database) as recorded:
        database.recorded_by(JOURNAL).write(partial(rename, user=alice, name="Al"))
    assert len(recorded) == len(plain) + 1
