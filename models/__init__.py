"""The tables, one file each."""

from models.backup_code import BackupCode
from models.base import Base
from models.card_snapshot import CardSnapshot
from models.change import Change
from models.change_set import ChangeSet
from models.history_head import HistoryHead
from models.list_choice import ListChoice
from models.one_time_link import OneTimeLink
from models.operator import Operator
from models.operator_session import OperatorSession
from models.passkey import Passkey
from models.post import Post
from models.role import OperatorRole, Role
from models.saved_view import SavedView
from models.sign_in_counter import SignInCounter
from models.user import User

__all__ = [
    "BackupCode",
    "Base",
    "CardSnapshot",
    "Change",
    "ChangeSet",
    "HistoryHead",
    "ListChoice",
    "OneTimeLink",
    "Operator",
    "OperatorRole",
    "OperatorSession",
    "Passkey",
    "Post",
    "Role",
    "SavedView",
    "SignInCounter",
    "User",
]
