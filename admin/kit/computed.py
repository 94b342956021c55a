"""What `@display` says of a computed column: its heading, its order, and what it needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, overload

from sqlalchemy.orm import QueryableAttribute

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Member = TypeVar("Member")


@dataclass(frozen=True)
class Options:
    """What one computed column declares; `empty_value` None means what the view says."""

    description: Any = ""
    ordering: str = ""
    boolean: bool = False
    empty_value: str | None = None
    requires: tuple[str, ...] = ()

    @property
    def problem(self) -> str:
        """Say what contradicts itself, or ""."""
        if self.boolean and self.empty_value is not None:
            return "boolean=True shows an empty value as unknown; leave out empty_value."
        return ""


UNDECLARED = Options()


@overload
def display(function: Member, /) -> Member: ...
@overload
def display(
    *,
    description: Any = ...,
    ordering: str | QueryableAttribute[Any] = ...,
    boolean: bool = ...,
    empty_value: str | None = ...,
    requires: Sequence[str] = ...,
) -> Callable[[Member], Member]: ...
def display(
    function: Any = None,
    /,
    *,
    description: Any = "",
    ordering: str | QueryableAttribute[Any] = "",
    boolean: bool = False,
    empty_value: str | None = None,
    requires: Sequence[str] = (),
) -> Any:
    """Describe a function, method or property that a view lists as a column.

    `ordering` is the column its heading sorts by, with "-" before it for descending first.
    `requires` are paths such as "author.email": what the function reads of other tables, to be
    loaded in the list's own statement.
    """
    by = ordering if isinstance(ordering, str) else ordering.key
    options = Options(description, by, boolean, empty_value, tuple(requires))

    def mark(member: Any) -> Any:
        inner_of(member).display_options = options
        return member

    return mark if function is None else mark(function)


def options_of(member: Any) -> Options:
    """Return what a function, method or property was marked with."""
    # A mapped attribute has no marks, and looks for names it doesn't know in half a dozen places.
    if isinstance(member, QueryableAttribute):
        return UNDECLARED
    options: Options = getattr(inner_of(member), "display_options", UNDECLARED)
    return options


def inner_of(member: Any) -> Any:
    """Return the function within a property, which takes no attributes itself."""
    return getattr(member, "fget", None) or getattr(member, "func", None) or member
