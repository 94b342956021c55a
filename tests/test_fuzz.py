"""A short run of the fuzzer; `make fuzz` is the long one."""

import pytest
from sqlalchemy import text
from starlette.requests import Request

from admin.kit import index_page
from admin.kit.site import AdminSite
from models import User
from tests.databases import Backend, Sqlite
from tests.fuzz.running import run

SHORT = 600


def quiet(_text: str) -> None:
    """Say nothing on the way."""


def test_nothing_that_is_asked_breaks_it_or_changes_what_it_may_not(backend: Backend) -> None:
    report = run(backend, SHORT, 6, quiet)
    assert report.requests == SHORT
    assert report.problems == []
    assert report.changes


def found(sqlite: Sqlite, monkeypatch: pytest.MonkeyPatch, fault: object) -> str:
    """Fuzz a site whose front page has a fault, and return what was said of it."""
    shown = index_page.show

    async def show(site: AdminSite, request: Request) -> object:
        answer = await shown(site, request)
        await fault(site, answer)  # type: ignore[operator]
        return answer

    monkeypatch.setattr(index_page, "show", show)
    return str(run(sqlite, 100, 1, quiet))


async def fail(site: AdminSite, answer: object) -> None:
    raise RuntimeError("a fault")


async def change(site: AdminSite, answer: object) -> None:
    await site.write(lambda session: session.add(User(name="Eve", email="eve@example.org")))


async def change_unseen(site: AdminSite, answer: object) -> None:
    stmt = text("UPDATE users SET name = 'Eve' WHERE id = 1").execution_options(unrecorded=True)
    await site.write(lambda session: session.execute(stmt))


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (fail, "It was answered 500"),
        (change, "users (7,) was changed"),
        (change_unseen, "users (1,) was changed"),
    ],
)
def test_a_fault_is_found(
    sqlite: Sqlite, monkeypatch: pytest.MonkeyPatch, fault: object, said: str
) -> None:
    assert said in found(sqlite, monkeypatch, fault)
