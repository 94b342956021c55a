"""What is done to selected rows: declared as attributes to set, or in code of one's own."""

from admin.kit.actions.bulk_edit import BulkEdit
from admin.kit.actions.declared import Action, Work, action
from admin.kit.actions.set_values import SetValues

__all__ = ["Action", "BulkEdit", "SetValues", "Work", "action"]
