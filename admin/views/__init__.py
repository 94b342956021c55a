"""The screens, in menu order."""

from admin.views.posts import PostAdmin
from admin.views.users import UserAdmin

VIEWS = [UserAdmin, PostAdmin]
