"""The posts' screens."""

from admin.kit import ModelAdmin, PeriodFilter, RelatedFilter
from admin.kit.languages import lazy_gettext as _
from models import Post


class PostAdmin(ModelAdmin, model=Post):
    name = _("Post")
    name_plural = _("Posts")
    column_list = [Post.title, Post.author, Post.published_at]
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
    column_filters = [
        RelatedFilter(Post.author, _("Author")),
        PeriodFilter(Post.published_at, _("Published")),
    ]
    column_export_list = [Post.id, Post.title, Post.content, "author.email", Post.published_at]
    form_columns = [Post.title, Post.content, Post.author, Post.published_at]
    form_ajax_refs = {"author": {"fields": ("name", "email"), "order_by": "name"}}
