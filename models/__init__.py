"""The tables, one file each."""

from models.base import Base
from models.card_snapshot import CardSnapshot
from models.operator import Operator
from models.operator_session import OperatorSession
from models.post import Post
from models.sign_in_failure import SignInFailure
from models.user import User

__all__ = ["Base", "CardSnapshot", "Operator", "OperatorSession", "Post", "SignInFailure", "User"]
