"""The posts' screens."""

from admin.kit import ModelAdmin, PeriodFilter, RelatedFilter
from models import Post


class PostAdmin(ModelAdmin, model=Post):
    column_list = [Post.title, Post.author, Post.published_at]
    column_labels = {Post.published_at: "Published", "author.email": "Author's e-mail"}
    column_searchable_list = [Post.title, "author.name"]
    column_sortable_list = [Post.title, "author.name", Post.published_at]
    column_default_sort = [(Post.id, True)]
    column_filters = [RelatedFilter(Post.author), PeriodFilter(Post.published_at, "Published")]
    column_export_list = [Post.id, Post.title, Post.content, "author.email", Post.published_at]
    form_columns = [Post.title, Post.content, Post.author, Post.published_at]
    form_ajax_refs = {"author": {"fields": ("name", "email"), "order_by": "name"}}
