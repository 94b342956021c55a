"""What is done to operators beyond their form: each ends what they were signed in to."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from sqladmin.authorization import Action as Permission

from admin.account.forms import NewPasswordForm
from admin.auth.access import permissions_of
from admin.auth.door import auth_of
from admin.auth.factors import reset_factors
from admin.auth.granting import require_no_more
from admin.auth.guessing import unlock
from admin.auth.operators import change_password
from admin.auth.passwords import random_password
from admin.auth.sessions import end_sessions
from admin.kit import Action, Refused
from admin.kit.actions.declared import Question, is_confirmed
from admin.kit.choice_fields import CheckField, RadioField
from admin.kit.forms import TranslatedForm
from admin.kit.languages import gettext, lazy_gettext
from admin.kit.saving import write
from admin.operators import links
from admin.operators.fields import LINK, MAIL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session
    from starlette.datastructures import FormData
    from starlette.requests import Request

    from admin.kit import ModelAdmin, Work
    from admin.kit.actions.declared import Example
    from models import Operator


class OperatorAction(Action):
    """Something that is done by whoever may edit operators, to those who may do no more."""

    is_long = False

    def __init__(self, name: str, label: str, **options: Any) -> None:
        super().__init__(name, label, permissions=[Permission.EDIT], **options)

    def examples(
        self,
        view: ModelAdmin,
        request: Request,
        session: Session,
        objects: Sequence[Operator],
        question: Question,
    ) -> list[Example]:
        """Return whom it is about, or refuse before anything is typed."""
        if not question.error:
            self.require(request, objects)
        return super().examples(view, request, session, objects, question)

    def require(self, request: Request, objects: Sequence[Operator]) -> None:
        """Refuse at once what the guard of the history would refuse once it is done."""
        for operator in objects:
            theirs = permissions_of(operator)
            require_no_more(request.state.permissions, theirs, operator.username)


class SetActive(OperatorAction):
    """Keeps operators out, or lets them in again."""

    def __init__(self, name: str, label: str, *, is_active: bool, **options: Any) -> None:
        super().__init__(name, label, **options)
        self.is_active = is_active

    async def run(self, work: Work) -> int:
        count: int = await write(work.view, partial(self.change, work))
        return count

    def change(self, work: Work, session: Session) -> int:
        """Change those that are not so yet, and return how many that were."""
        count = 0
        for batch in work.selection.batches(session, work.seen):
            for operator in batch.objects():
                if operator.is_active != self.is_active:
                    operator.is_active = self.is_active
                    count += 1
        return count


class OneOperatorAction(OperatorAction):
    """Something that is done to one operator, from the page that shows them."""

    def __init__(self, name: str, label: str, **options: Any) -> None:
        super().__init__(name, label, places=["details"], **options)

    def require(self, request: Request, objects: Sequence[Operator]) -> None:
        if len(objects) != 1:
            raise Refused(gettext("Choose one operator."))
        if objects[0].id == request.state.operator.id:
            raise Refused(gettext("For yourself, use the page of your account."))
        super().require(request, objects)

    def find(self, work: Work, session: Session, *, lock: bool = True) -> Operator:
        """Return the operator, whom one may touch."""
        keys = work.selection.keys
        objects: Sequence[Operator] = work.selection.objects(session, keys, lock=lock)
        self.require(work.request, objects)
        return objects[0]


class PasswordForm(NewPasswordForm):
    """A password typed twice, or none at all."""

    must_change = CheckField(
        lazy_gettext("They have to choose another one when they sign in"), default=True
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        made = gettext("Leave it empty to have one made, which is shown once.")
        self.new_password.description = f"{made} {self.new_password.description}"


class SetPassword(OneOperatorAction):
    """Gives an operator another password, typed or made."""

    def __init__(self, name: str, label: str) -> None:
        super().__init__(name, label, form=PasswordForm)

    async def ask(self, view: ModelAdmin, request: Request, sent: FormData) -> Question:
        """Return the question; a password that is typed keeps the rules."""
        if not is_confirmed(sent):
            return await super().ask(view, request, sent)
        form = PasswordForm(sent, names=await self.names(view, request, sent))
        return Question(form, list(form), form.data, form.validate(), is_answered=True)

    async def names(self, view: ModelAdmin, request: Request, sent: FormData) -> list[str | None]:
        """Return what a password must not be like."""
        keys = [str(key) for key in sent.getlist("pks")][:1]
        stmt = view.objects_query(request, keys, Permission.EDIT)
        found = await view.site.read(lambda session: session.scalar(stmt))
        return [found.username, found.email] if found else []

    async def run(self, work: Work) -> Any:
        """Store it, and show one that was made."""
        typed = work.data["new_password"]
        password = typed or random_password()
        password_hash = await auth_of(work.view.site).hash(password)
        must_change = bool(work.data["must_change"])

        def change(session: Session) -> Operator:
            operator = self.find(work, session)
            change_password(session, operator, password_hash, must_change=must_change)
            return operator

        operator = await write(work.view, change)
        if not typed:
            return await links.show_password(work.view, work.request, operator, password)
        return gettext("The password of %(name)s was set.", name=operator.username)


class LinkForm(TranslatedForm):
    """Where a link goes."""

    access = RadioField(
        lazy_gettext("Where the link goes"),
        choices={LINK: lazy_gettext("Show it to me"), MAIL: lazy_gettext("Send it by e-mail")},
        default=LINK,
    )


class MakeLink(OneOperatorAction):
    """Makes a link by which an operator chooses a password."""

    async def ask(self, view: ModelAdmin, request: Request, sent: FormData) -> Question:
        # Only where messages are sent is there something to choose.
        if auth_of(view.site).mailer is None:
            return await super().ask(view, request, sent)
        is_answered = is_confirmed(sent)
        form = LinkForm(sent if is_answered else None)
        is_valid = not is_answered or form.validate()
        return Question(form, list(form), form.data, is_valid, is_answered)

    async def run(self, work: Work) -> Any:
        operator = await work.view.site.read(partial(self.find, work, lock=False))
        is_mailed = work.data.get("access") == MAIL
        return await links.hand_out(work.view, work.request, operator.id, is_mailed=is_mailed)


class SignOut(OneOperatorAction):
    """Ends all sessions of an operator."""

    async def run(self, work: Work) -> str:
        def change(session: Session) -> str:
            operator = self.find(work, session)
            end_sessions(session, operator.id, label=operator.username)
            return operator.username

        name = await write(work.view, change)
        return gettext("%(name)s is signed out everywhere.", name=name)


class Unlock(OneOperatorAction):
    """Lets an operator sign in who has to wait after failures."""

    async def run(self, work: Work) -> str:
        def change(session: Session) -> str:
            return unlock(session, self.find(work, session).username)

        name = await write(work.view, change)
        return gettext("%(name)s can sign in without waiting.", name=name)


class ResetFactors(OneOperatorAction):
    """Takes an operator's second factors away."""

    async def run(self, work: Work) -> str:
        def change(session: Session) -> str:
            operator = self.find(work, session)
            reset_factors(session, operator.id)
            return operator.username

        name = await write(work.view, change)
        return gettext("%(name)s has no second factor any more.", name=name)
