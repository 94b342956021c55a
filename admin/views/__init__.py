"""The screens, in menu order."""

from admin.views.operators import OperatorAdmin
from admin.views.posts import PostAdmin
from admin.views.roles import RoleAdmin
from admin.views.users import UserAdmin

VIEWS = [UserAdmin, PostAdmin, OperatorAdmin, RoleAdmin]
