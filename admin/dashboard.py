"""The cards of the front page, in order."""

from sqlalchemy import func, select

from admin.kit import Part, Ranking, Series, Share, parts, per_day, per_month
from admin.kit.languages import lazy_gettext as _
from models import Post, User

MOST_AUTHORS = 10

# Counted before the names are looked up, so that an index over the authors' keys does the work.
_busiest = (
    select(Post.user_id, func.count().label("posts"))
    .group_by(Post.user_id)
    .order_by(func.count().desc(), Post.user_id)
    .limit(MOST_AUTHORS)
    .subquery()
)
busiest_authors = (
    select(User.name, _busiest.c.posts, User.id)
    .join(_busiest, _busiest.c.user_id == User.id)
    .order_by(_busiest.c.posts.desc(), User.id)
)

CARDS = [
    Series("users-joined", _("Users joined, by month"), "user", per_month(User.created_at, 12)),
    Series("posts-published", _("Posts published, by day"), "post", per_day(Post.published_at, 30)),
    Share(
        "active-users",
        _("Active users"),
        "user",
        parts(
            Part(_("Active"), User.is_active, "true"),
            Part(_("Not active"), ~User.is_active, "false"),
        ),
        parameter="is_active",
    ),
    Ranking(
        "busiest-authors", _("Most active authors"), "post", busiest_authors, parameter="author"
    ),
]
