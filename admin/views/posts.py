"""The posts' screens."""

from admin.kit import ModelAdmin, RowScope, SetValues
from admin.kit.languages import lazy_gettext as _
from models import Post, User
from models.base import utc_now


class PostAdmin(ModelAdmin, model=Post):
    name = _("Post")
    name_plural = _("Posts")
    column_list = [Post.title, Post.author, Post.published_at]
    column_editable_list = [Post.title, Post.published_at]
    column_labels = {
        Post.id: _("Id"),
        Post.title: _("Title"),
        Post.content: _("Content"),
        Post.author: _("Author"),
        "author.name": _("Author's name"),
        "author.email": _("Author's e-mail"),
        Post.published_at: _("Published"),
        Post.version: _("Version"),
    }
    column_searchable_list = [Post.title, "author.name"]
    column_sortable_list = [Post.title, "author.name", Post.published_at]
    column_default_sort = [(Post.id, True)]
    date_hierarchy = Post.published_at
    # Not "author.is_active": no index leads from a user's state to the posts in their order.
    column_filters = [Post.author, Post.published_at]
    list_views = {_("Drafts"): "published_at=empty"}
    column_export_list = [Post.id, Post.title, Post.content, "author.email", Post.published_at]
    form_columns = [Post.title, Post.content, Post.author, Post.published_at]
    form_ajax_refs = {"author": {"fields": ("name", "email"), "order_by": "name"}}
    row_scopes = {
        "active-authors": RowScope(_("Posts of active users"), Post.author.has(User.is_active))
    }
    actions = [
        SetValues(
            "publish",
            _("Publish…"),
            fields=["published_at"],
            initial={"published_at": utc_now},
        ),
        SetValues("unpublish", _("Unpublish"), {"published_at": None}),
    ]
