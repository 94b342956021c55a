"""Where the application keeps its history."""

from admin.auth.granting import guard
from admin.kit.history import Journal
from models import Base, Change, ChangeSet, HistoryHead

JOURNAL = Journal(
    Base.registry, change_sets=ChangeSet, changes=Change, heads=HistoryHead, guard=guard
)
