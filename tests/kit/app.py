"""A toy application of the kit: a library, with every kind of relation and of column."""

from __future__ import annotations

import enum
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    MetaData,
    Numeric,
    SmallInteger,
    String,
    Table,
    Text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
from starlette.applications import Starlette

from admin.kit import AdminSite, Authentication, ModelAdmin, RelatedFilter
from admin.kit.forms import posted
from models.base import Base as AppBase
from models.base import UTCDateTime, Versioned
from models.trigrams import trigram_index

if TYPE_CHECKING:
    from starlette.requests import Request

    from models.database import Database


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=AppBase.metadata.naming_convention)


class Binding(enum.Enum):
    HARD_COVER = "hard cover"
    PAPERBACK = "paperback"


# Many-to-many: a book has many tags, a tag many books.
book_tags = Table(
    "book_tags",
    Base.metadata,
    Column("book_id", ForeignKey("books.id", ondelete="CASCADE"), primary_key=True),
    Column("tag_id", ForeignKey("tags.id", ondelete="CASCADE"), primary_key=True),
)


class Publisher(Base):
    """One-to-many: a publisher has many books; it can't go while it has any."""

    __tablename__ = "publishers"
    __table_args__ = (trigram_index("name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(50), unique=True)

    books: Mapped[list[Book]] = relationship(back_populates="publisher", passive_deletes="all")

    def __str__(self) -> str:
        return self.name


class Book(Versioned, Base):
    """Many-to-one: a book has one publisher, or none."""

    __tablename__ = "books"
    __table_args__ = (
        CheckConstraint("pages > 0", name="pages_positive"),
        trigram_index("title", "subtitle"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(100))
    subtitle: Mapped[str | None] = mapped_column(String(100))
    summary: Mapped[str] = mapped_column(Text, default="")
    pages: Mapped[int | None]
    shelf: Mapped[int | None] = mapped_column(SmallInteger)
    barcode: Mapped[int | None] = mapped_column(BigInteger)
    price: Mapped[Decimal | None] = mapped_column(Numeric(8, 2))
    binding: Mapped[Binding | None]
    lendable: Mapped[bool | None]
    printed_on: Mapped[date | None]
    acquired_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    publisher_id: Mapped[int | None] = mapped_column(ForeignKey("publishers.id"))

    publisher: Mapped[Publisher | None] = relationship(back_populates="books")
    cover: Mapped[Cover | None] = relationship(
        back_populates="book", cascade="all, delete-orphan", passive_deletes=True
    )
    chapters: Mapped[list[Chapter]] = relationship(
        back_populates="book", cascade="all, delete-orphan", passive_deletes=True
    )
    tags: Mapped[list[Tag]] = relationship(secondary=book_tags, back_populates="books")

    def __str__(self) -> str:
        return self.title


class Cover(Base):
    """One-to-one: a book has one cover at most."""

    __tablename__ = "covers"

    id: Mapped[int] = mapped_column(primary_key=True)
    artist: Mapped[str] = mapped_column(String(50))
    book_id: Mapped[int] = mapped_column(ForeignKey("books.id", ondelete="CASCADE"), unique=True)

    book: Mapped[Book] = relationship(back_populates="cover")

    def __str__(self) -> str:
        # Touches a relation, as real models do.
        return f"{self.book.title} by {self.artist}"


class Chapter(Base):
    """A key of two columns, one of them text."""

    __tablename__ = "chapters"

    book_id: Mapped[int] = mapped_column(
        ForeignKey("books.id", ondelete="CASCADE"), primary_key=True
    )
    slug: Mapped[str] = mapped_column(String(50), primary_key=True)
    heading: Mapped[str] = mapped_column(String(100))

    book: Mapped[Book] = relationship(back_populates="chapters")

    def __str__(self) -> str:
        return self.heading


class Tag(Base):
    """A key of text, with any characters."""

    __tablename__ = "tags"

    id: Mapped[str] = mapped_column(String(50), primary_key=True)

    books: Mapped[list[Book]] = relationship(secondary=book_tags, back_populates="tags")

    def __str__(self) -> str:
        return self.id


class PublisherAdmin(ModelAdmin, model=Publisher):
    column_list = [Publisher.name]
    column_searchable_list = [Publisher.name]
    column_sortable_list = [Publisher.name]
    form_columns = [Publisher.name]


class BookAdmin(ModelAdmin, model=Book):
    column_list = [Book.title, Book.publisher, Book.pages]
    column_searchable_list = [Book.title, "publisher.name"]
    column_sortable_list = [Book.title, Book.pages, "publisher.name", Book.acquired_at]
    column_filters = [RelatedFilter(Book.publisher)]
    form_ajax_refs = {"publisher": {"fields": ("name",), "order_by": "name"}}


class CoverAdmin(ModelAdmin, model=Cover):
    column_list = [Cover.artist, Cover.book]
    form_columns = [Cover.artist, Cover.book]
    form_ajax_refs = {"book": {"fields": ("title",), "order_by": "title"}}


class TagAdmin(ModelAdmin, model=Tag):
    column_list = [Tag.id]
    form_include_pk = True
    form_columns = [Tag.id]


class ChapterAdmin(ModelAdmin, model=Chapter):
    column_list = [Chapter.heading, Chapter.book]
    form_columns = [Chapter.heading]


VIEWS: list[type[ModelAdmin]] = [PublisherAdmin, BookAdmin, CoverAdmin, TagAdmin, ChapterAdmin]


class EveryoneIsOlga(Authentication):
    """Lets everyone in."""

    def __init__(self) -> None:
        super().__init__(secret_key="a secret of the toy")

    async def identify(self, request: Request) -> bool:
        request.state.operator_name = "olga"
        return True

    def had_session(self, request: Request) -> bool:
        return False

    async def login(self, request: Request) -> bool:
        return (await posted(request)).get("username") == "olga"

    async def logout(self, request: Request) -> bool:
        return True


def make_app(database: Database, *views: type[ModelAdmin], **options: Any) -> Starlette:
    """Return an application with these views, or with all of them."""
    app = Starlette()
    site = AdminSite(
        app,
        database,
        authentication_backend=options.pop("authentication_backend", EveryoneIsOlga()),
        allowed_hosts=["testserver"],
        refuses_lazy_loads=options.pop("refuses_lazy_loads", True),
        **options,
    )
    for view in views or VIEWS:
        site.add_view(view)
    app.state.site = site
    return app
