"""What an action is: who may run it, where it is offered, what it asks, and what it does."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import anyio.to_thread
import sqladmin
from sqladmin.authorization import custom_action

from admin.kit.keys import key_of
from admin.kit.naming import label_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from sqlalchemy.orm import Session
    from starlette.datastructures import FormData
    from starlette.requests import Request
    from wtforms import Field, Form

    from admin.kit.model_admin import ModelAdmin
    from admin.kit.progress import Progress
    from admin.kit.seen import Seen
    from admin.kit.selection import Selection

PLACES = ("list", "details", "form")


@dataclass
class Work:
    """One run of an action: for whom, on which rows, and with what was typed into its form.

    `seen` is what the page showed that asked, and `progress` what a page shows meanwhile.
    """

    view: ModelAdmin
    request: Request
    selection: Selection
    data: dict[str, Any]
    seen: Seen | None
    progress: Progress


@dataclass
class Question:
    """What a page asks before an action: its form, if it has one, and what was wrong with it."""

    form: Form | None = None
    fields: Sequence[Field] = ()
    data: dict[str, Any] = field(default_factory=dict)
    is_valid: bool = True
    is_answered: bool = False
    error: str = ""
    chosen: Collection[str] | None = None
    plan: str = ""


@dataclass(frozen=True)
class Example:
    """One of the rows, and what will be made of it: label, old and new value of each column."""

    key: str
    label: str
    changes: Sequence[tuple[str, Any, Any]] = ()


class Action:
    """Something that is done to rows; subclasses say what, in `run`.

    An operator needs one of the `permissions`; without any named, `action:<slug>`, as SQLAdmin
    asks. `places` are where it is offered: "list", "details" and "form". Its page asks `question`,
    and the fields of `form`, a class of WTForms, whose values `run` gets as `work.data`.
    """

    is_dangerous = False
    is_long = True
    """Whether it may take long: then a page shows how far it is, and it can't answer by itself."""
    button = ""
    """What the button of its page says; "" is its label."""

    def __init__(
        self,
        name: str,
        label: str,
        *,
        permissions: Sequence[str] = (),
        question: str = "",
        form: type[Form] | None = None,
        places: Collection[str] = PLACES,
    ) -> None:
        self.slug = re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-").lower()
        self.label = label
        self.permissions = permissions
        self.question = question
        self.form = form
        self.places = places

    def is_allowed(self, view: ModelAdmin, request: Request) -> bool:
        """Say whether the operator may run it on this view: it is hidden and refused if not."""
        return any(view.has_permission(request, permission) for permission in self.rights)

    @property
    def rights(self) -> Sequence[str]:
        """The rights of which an operator needs one, for the rows it is run on."""
        return self.permissions or (custom_action(self.slug),)

    @property
    def slug_right(self) -> str:
        """What the action is called among what may be done to an object."""
        return custom_action(self.slug)

    def must_ask(self, _selection: Selection) -> bool:
        """Say whether a page asks before it is run."""
        return True

    async def ask(self, view: ModelAdmin, request: Request, sent: FormData) -> Question:
        """Return what to ask, and what was answered; a form is filled once its page was shown."""
        if self.form is None:
            return Question(is_answered=is_confirmed(sent))
        is_answered = is_confirmed(sent)
        form = self.form(sent if is_answered else None)
        is_valid = not is_answered or form.validate()
        return Question(form, list(form), form.data, is_valid, is_answered)

    def examples(
        self,
        view: ModelAdmin,
        request: Request,
        session: Session,
        objects: Sequence[Any],
        question: Question,
    ) -> list[Example]:
        """Return the first rows, and what will become of them if that is known."""
        return [Example(key_of(obj), label_of(obj)) for obj in objects]

    def check(self, view: ModelAdmin) -> str:
        """Return what is wrong with the declaration, or ""."""
        unknown = sorted(set(self.places) - set(PLACES))
        return f"{unknown[0]!r} is no place for an action." if unknown else ""

    async def run(self, work: Work) -> Any:
        """Do it, and return an answer, or what is said on the list."""
        raise NotImplementedError


class MethodAction(Action):
    """A method of a view, under the decorator `action`; it may answer by itself."""

    is_long = False

    def __init__(self, method: Any, **options: Any) -> None:
        super().__init__(method._slug, method._label, **options)  # noqa: SLF001 - SQLAdmin's marks
        self.method = inspect.unwrap(method)

    def must_ask(self, selection: Selection) -> bool:
        return bool(self.question or self.form or selection.is_all)

    async def run(self, work: Work) -> Any:
        """Call the method; a plain function runs in a thread, not on the event loop."""
        arguments = (work.view, work.request, *([work.data] if self.form else []))
        if inspect.iscoroutinefunction(self.method):
            return await self.method(*arguments)
        return await anyio.to_thread.run_sync(self.method, *arguments)


def action(
    name: str,
    label: str | None = None,
    confirmation_message: str | None = None,
    *,
    permissions: Sequence[str] = (),
    form: type[Form] | None = None,
    add_in_form: bool | None = None,
    **options: Any,
) -> Callable[..., Any]:
    """Declare a method of a view as an action: SQLAdmin's decorator, with permissions and a form.

    The operator needs one of the permissions, else `action:<name>`. A method with a form gets, as
    its third argument, what was typed. Its rows it gets from `selected_objects`.
    """

    def wrap(method: Any) -> Any:
        method._permissions = permissions  # noqa: SLF001 - where SQLAdmin keeps such marks
        method._form = form  # noqa: SLF001
        method._add_in_form = add_in_form  # noqa: SLF001
        return sqladmin.action(name, label, confirmation_message, **options)(method)

    return wrap


def action_of(method: Any) -> MethodAction:
    """Return the action that a decorator, SQLAdmin's or the kit's, has made of a method."""
    in_form = getattr(method, "_add_in_form", None)
    in_detail = method._add_in_detail  # noqa: SLF001 - SQLAdmin's marks
    is_in = (method._add_in_list, in_detail, in_detail if in_form is None else in_form)  # noqa: SLF001
    return MethodAction(
        method,
        permissions=getattr(method, "_permissions", ()),
        question=method._confirmation_message or "",  # noqa: SLF001
        form=getattr(method, "_form", None),
        places=[place for place, is_there in zip(PLACES, is_in, strict=True) if is_there],
    )


def is_confirmed(sent: FormData) -> bool:
    return sent.get("confirmed") == "yes"
