"""The users' screens."""

from admin.kit import EmailField, ModelAdmin, RowScope, SetValues
from admin.kit.languages import lazy_gettext as _
from models import User


class UserAdmin(ModelAdmin, model=User):
    name = _("User")
    name_plural = _("Users")
    column_list = [User.name, User.email, User.is_active, User.created_at]
    column_editable_list = [User.name, User.is_active]
    column_labels = {
        User.id: _("Id"),
        User.name: _("Name"),
        User.email: _("E-mail"),
        User.phone: _("Phone"),
        User.is_active: _("Active"),
        User.created_at: _("Created"),
        User.posts: _("Posts"),
        User.version: _("Version"),
    }
    column_searchable_list = [User.name, User.email]
    column_sortable_list = [User.name, User.email, User.created_at]
    column_default_sort = [(User.created_at, True)]
    date_hierarchy = User.created_at
    column_filters = [User.is_active, User.created_at]
    list_views = {_("Not active"): "is_active=false"}
    column_export_list = [
        User.id,
        User.name,
        User.email,
        User.phone,
        User.is_active,
        User.created_at,
    ]
    form_columns = [User.name, User.email, User.phone, User.is_active]
    form_overrides = {"email": EmailField}
    form_readonly_columns = [User.created_at]
    row_scopes = {"active": RowScope(_("Active users"), User.is_active)}
    actions = [
        SetValues("activate", _("Activate"), {"is_active": True}),
        SetValues("deactivate", _("Deactivate"), {"is_active": False}),
    ]
