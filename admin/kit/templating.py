"""The kit's own pages: plain Jinja, links without a host, and no template of SQLAdmin's.

SQLAdmin's pages await permission checks inside the template and build absolute links from the
Host header. Ours print what the view prepared.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2
from sqladmin.flash import get_flashed_messages
from sqladmin.templating import Jinja2Templates, _TemplateResponse
from starlette.requests import Request

from admin.kit import formats, languages
from admin.kit.display import display
from admin.kit.once import key_on_page
from admin.kit.preferences import browser_zone, chosen_zone, theme
from admin.kit.static_files import StaticFiles
from admin.kit.zones import get_zone, is_universal, zone_name

TEMPLATES = Path(__file__).parent / "templates"


class Templates(Jinja2Templates):
    """Looks in the application's folders first, then in the kit's."""

    def __init__(
        self, folders: Sequence[str | Path], statics: StaticFiles, **site_globals: Any
    ) -> None:
        self.statics = statics
        self.env = jinja2.Environment(
            loader=jinja2.FileSystemLoader([*folders, TEMPLATES]),
            autoescape=True,
            extensions=["jinja2.ext.i18n"],
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.env.install_gettext_callables(  # type: ignore[attr-defined]
            languages.gettext, languages.ngettext, newstyle=True
        )
        self.env.filters.update(
            display=display,
            in_sentence=languages.in_sentence,
            number=formats.write_number,
            query_link=lambda query: f"?{query}",
        )
        self.env.globals.update(
            theme=theme,
            browser_zone=browser_zone,
            chosen_zone=chosen_zone,
            zone=lambda: zone_name(get_zone()),
            has_own_zone=lambda: not is_universal(get_zone()),
            get_language=languages.get_language,
            url_for=_url_for,
            static=self.static,
            one_time_key=key_on_page,
            get_flashed_messages=get_flashed_messages,
            **site_globals,
        )

    @jinja2.pass_context
    def static(self, context: jinja2.runtime.Context, path: str) -> str:
        """Return where a static file is, under the name by which browsers may keep it."""
        return _path(context["request"], "admin:statics", {"path": self.statics.hashed_path(path)})

    async def TemplateResponse(  # noqa: N802 - SQLAdmin's name
        self,
        request: Request,
        name: str,
        context: dict[str, Any] | None = None,
        status_code: int = 200,
    ) -> _TemplateResponse:
        """Render a page; the context reaches tests as `response.context`."""
        context = {"request": request, **(context or {})}
        template = self.env.get_template(name)
        return _TemplateResponse(template, template.render(context), context, status_code)


def key_path(request: Request, page: str, identity: str, key: str) -> str:
    """Return the path of an object's page, whatever characters its key holds."""
    return path_for(request, page, identity=identity, pk="") + quote(key, safe="")


def path_for(request: Request, name: str, /, **params: str) -> str:
    """Return the path of a route, with the prefix a proxy may add, but no scheme and no host."""
    return _path(request, f"admin:{name}", params)


@jinja2.pass_context
def _url_for(context: jinja2.runtime.Context, name: str, /, **params: str) -> str:
    return _path(context["request"], name, params)


def _path(request: Request, name: str, params: dict[str, str]) -> str:
    """Ask Starlette once a request: it tries route after route, and each row has a link."""
    paths: dict[Any, str] = request.scope.setdefault("admin_paths", {})
    asked = (name, *params.items())
    if asked not in paths:
        paths[asked] = request.url_for(name, **params).path
    return paths[asked]
