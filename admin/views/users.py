"""The users' screens."""

from admin.kit import BooleanFilter, EmailField, ModelAdmin, PeriodFilter
from admin.kit.languages import lazy_gettext as _
from models import User


class UserAdmin(ModelAdmin, model=User):
    name = _("User")
    name_plural = _("Users")
    column_list = [User.name, User.email, User.is_active, User.created_at]
    column_labels = {
        User.id: _("Id"),
        User.name: _("Name"),
        User.email: _("E-mail"),
        User.is_active: _("Active"),
        User.created_at: _("Created"),
        User.posts: _("Posts"),
        User.version: _("Version"),
    }
    column_searchable_list = [User.name, User.email]
    column_sortable_list = [User.name, User.email, User.created_at]
    column_default_sort = [(User.created_at, True)]
    column_filters = [
        BooleanFilter(User.is_active, _("Active")),
        PeriodFilter(User.created_at, _("Created")),
    ]
    column_export_list = [User.id, User.name, User.email, User.is_active, User.created_at]
    form_columns = [User.name, User.email, User.is_active]
    form_overrides = {"email": EmailField}
    form_readonly_columns = [User.created_at]
