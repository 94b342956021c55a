"""What the database refuses is said in words, at the field, without a word of SQL."""

import logging
import re
from typing import Any

import pytest
from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, event
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column, relationship
from starlette.testclient import TestClient

from admin.kit import ModelAdmin
from models.database import Database
from tests.kit.app import Base, BookAdmin, Publisher, make_app
from tests.kit.browser import form_on
from tests.personas import visit


class Loan(Base):
    """A rule of each kind."""

    __tablename__ = "loans"
    __table_args__ = (
        UniqueConstraint("reader", "shelf_mark"),
        Index("ix_loans_receipt", "receipt", unique=True),
        CheckConstraint("days BETWEEN 1 AND 30", name="days_few"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    reader: Mapped[str] = mapped_column(String(50))
    shelf_mark: Mapped[str] = mapped_column(String(50))
    receipt: Mapped[str | None] = mapped_column(String(50))
    days: Mapped[int] = mapped_column(server_default="7")
    publisher_id: Mapped[int | None] = mapped_column(ForeignKey("publishers.id"))

    publisher: Mapped[Publisher | None] = relationship()


class LoanAdmin(ModelAdmin, model=Loan):
    form_ajax_refs = {"publisher": {"fields": ("name",)}}


@pytest.fixture
def loans(library: Database) -> TestClient:
    """Open a library in which Vera's loan of A1 exists, with a secret in its receipt."""
    loan = Loan(reader="vera-secret", shelf_mark="A1", receipt="r-secret")
    library.write(lambda session: session.add_all([loan, Publisher(name="Murray")]))
    return visit(make_app(library, LoanAdmin, BookAdmin))


def create(client: TestClient, **sent: str) -> Any:
    return client.post("/admin/loan/create", data={"reader": "ed", "shelf_mark": "B2", **sent})


def says(answer: Any, name: str, sentence: str) -> bool:
    """Say whether the page has this sentence at this field, and nothing of the database."""
    assert answer.status_code == 400
    assert not re.search(r"vera-secret.*exists|INSERT|UPDATE|Traceback|psycopg|sqlite", answer.text)
    return f'id="{name}-error">{sentence}<' in answer.text


def test_a_duplicate_of_several_columns(loans: TestClient) -> None:
    answer = create(loans, reader="vera-secret", shelf_mark="A1")
    assert says(answer, "reader", "A loan with this reader and shelf mark already exists.")
    assert form_on(answer.text)["shelf_mark"] == ["A1"]


def test_a_field_that_the_form_lacks_is_named_on_top(library: Database) -> None:
    class Short(LoanAdmin, model=Loan):
        form_columns = [Loan.reader]

    answer = create(visit(make_app(library, Short, BookAdmin)))
    assert answer.status_code == 400
    assert "Shelf mark: This field is required." in answer.text


def test_a_duplicate_of_an_index(loans: TestClient) -> None:
    answer = create(loans, receipt="r-secret")
    assert says(answer, "receipt", "A loan with this receipt already exists.")


def test_a_duplicate_on_edit(library: Database, client: TestClient) -> None:
    library.write(lambda s: s.add_all([Publisher(name="Murray"), Publisher(name="B")]))
    answer = client.post("/admin/publisher/edit/2", data={"name": "Murray"})
    assert says(answer, "name", "A publisher with this name already exists.")


def test_a_broken_check(loans: TestClient) -> None:
    answer = create(loans, days="31")
    assert answer.status_code == 400
    assert "A rule of the database doesn&#39;t allow this." in answer.text


def test_an_emptied_column_that_has_a_default(loans: TestClient) -> None:
    answer = loans.post("/admin/loan/edit/1", data={"days": ""})
    assert says(answer, "days", "This field is required.")


@pytest.mark.parametrize("key", ["99", "abc", "1;2", "9" * 30, "0x1", "a\0b"])
def test_a_choice_that_does_not_exist(loans: TestClient, key: str) -> None:
    """The picker's key is checked on the server, whatever a request sends."""
    assert says(create(loans, publisher=key), "publisher", "Choose one that exists.")


def test_a_row_that_others_refer_to(
    library: Database, loans: TestClient, client: TestClient
) -> None:
    library.write(lambda session: session.add(Loan(reader="x", shelf_mark="y", publisher_id=1)))
    answer = client.post("/admin/publisher/delete", data={"pks": "1"})
    assert answer.status_code == 400
    assert "This publisher is still " in answer.text
    assert library.read(lambda session: session.get(Publisher, 1))


def test_a_refusal_that_nobody_foresaw(library: Database, loans: TestClient) -> None:
    """A trigger, say: the sentence stands on top, and the typed text is kept."""

    def refuse(*_: object) -> None:
        raise IntegrityError("INSERT INTO loans", {}, Exception("vera-secret exists already"))

    event.listen(Loan, "before_insert", refuse)
    answer = create(loans)
    event.remove(Loan, "before_insert", refuse)
    assert answer.status_code == 400
    assert "A rule of the database doesn&#39;t allow this." in answer.text
    assert "vera-secret" not in answer.text
    assert form_on(answer.text)["reader"] == ["ed"]


def test_the_log_has_no_values(loans: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    """What people type is none of the log's business."""
    with caplog.at_level(logging.DEBUG, "admin"):
        create(loans, receipt="r-secret", reader="typed-secret")
        create(loans, days="31", reader="typed-secret")
    assert "secret" not in caplog.text


@pytest.fixture
def picky(library: Database) -> TestClient:
    """Open a library whose picker offers only publishers that begin with a B."""

    class Picky(LoanAdmin, model=Loan):
        form_ajax_refs = {
            "publisher": {"fields": ("name",), "where": Publisher.name.startswith("B")}
        }

    library.write(lambda s: s.add_all([Publisher(name="Murray"), Publisher(name="B")]))
    library.write(lambda s: s.add(Loan(reader="x", shelf_mark="y", publisher_id=1)))
    return visit(make_app(library, Picky))


def test_a_choice_that_is_not_offered(picky: TestClient) -> None:
    assert says(create(picky, publisher="1"), "publisher", "Choose one that exists.")
    assert create(picky, publisher="2").status_code == 302


def test_an_unchanged_choice_is_left_alone(library: Database, picky: TestClient) -> None:
    """A row chosen under other rules must not keep people from changing the rest."""
    sent = {**form_on(picky.get("/admin/loan/edit/1").text), "reader": "changed"}
    assert sent["publisher"] == ["1"]
    assert picky.post("/admin/loan/edit/1", data=sent).status_code == 302
    assert library.read(lambda session: session.get_one(Loan, 1).publisher_id) == 1


def test_a_hidden_row_can_not_be_chosen(library: Database) -> None:
    """The picker offers what the related view would list, and takes nothing else."""

    class Scoped(ModelAdmin, model=Publisher):
        def scope(self, stmt: Any, request: Any) -> Any:
            return stmt.where(Publisher.name != "Hidden")

    library.write(lambda session: session.add(Publisher(name="Hidden")))
    client = visit(make_app(library, LoanAdmin, Scoped))
    assert says(create(client, publisher="1"), "publisher", "Choose one that exists.")
