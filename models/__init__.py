"""The tables, one file each."""

from models.base import Base
from models.card_snapshot import CardSnapshot
from models.change import Change
from models.change_set import ChangeSet
from models.history_head import HistoryHead
from models.list_choice import ListChoice
from models.operator import Operator
from models.operator_session import OperatorSession
from models.post import Post
from models.saved_view import SavedView
from models.sign_in_failure import SignInFailure
from models.user import User

__all__ = [
    "Base",
    "CardSnapshot",
    "Change",
    "ChangeSet",
    "HistoryHead",
    "ListChoice",
    "Operator",
    "OperatorSession",
    "Post",
    "SavedView",
    "SignInFailure",
    "User",
]
