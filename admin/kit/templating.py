"""The kit's own pages: plain Jinja, links without a host, and no template of SQLAdmin's.

SQLAdmin's pages await permission checks inside the template and build absolute links from the
Host header. Ours print what the view prepared.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2
from jinja2.ext import Extension
from markupsafe import Markup
from sqladmin.flash import get_flashed_messages
from sqladmin.templating import Jinja2Templates, _TemplateResponse
from starlette.datastructures import URL
from starlette.requests import Request

from admin.kit import formats, languages
from admin.kit.compiling import OneLanguage, PageEnvironment, in_language, pass_request, written
from admin.kit.display import display, html
from admin.kit.icons import icon
from admin.kit.once import one_time_key
from admin.kit.preferences import browser_zone, chosen_zone, density, theme
from admin.kit.static_files import StaticFiles
from admin.kit.zones import get_zone, is_universal, zone_name

TEMPLATES = Path(__file__).parent / "templates"
MOST_PATHS = 1000  # a few dozen are on every page; the others name objects


ZONE_NOTE = Markup('<p class="zone-note">{}</p>')
INDENTATION = re.compile(r"^[ \t]+", re.MULTILINE)
BLANKS_MATTER = re.compile(r"<(pre|textarea)\b")


class WithoutIndentation(Extension):
    """Compiles templates without the blanks that lines begin with: they say nothing in HTML.

    A template where they do, within `<pre>` or `<textarea>`, stays as it is. Every line stays a
    line, so that errors name the one in the file.
    """

    def preprocess(
        self,
        source: str,
        name: str | None,
        filename: str | None = None,
    ) -> str:
        return source if BLANKS_MATTER.search(source) else INDENTATION.sub("", source)


class Templates(Jinja2Templates):
    """Looks in the application's folders first, then in the kit's.

    With `auto_reload` each page looks whether the files of its templates have changed.
    """

    def __init__(
        self,
        folders: Sequence[str | Path],
        statics: StaticFiles,
        *,
        auto_reload: bool = False,
        **site_globals: Any,
    ) -> None:
        self.statics = statics
        self.by_language: dict[languages.Language, OneLanguage] = {}
        self.env: PageEnvironment = PageEnvironment(
            loader=jinja2.FileSystemLoader([*folders, TEMPLATES]),
            autoescape=True,
            extensions=["jinja2.ext.i18n", WithoutIndentation],
            auto_reload=auto_reload,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.env.install_gettext_callables(  # type: ignore[attr-defined]
            languages.gettext, languages.ngettext, newstyle=True
        )
        self.env.globals["_"] = say
        self.env.filters.update(
            display=display,
            in_sentence=languages.in_sentence,
            number=formats.write_number,
            query_link=lambda query: f"?{query}",
            asking=asking,
        )
        self.env.globals.update(
            theme=theme,
            density=density,
            browser_zone=browser_zone,
            chosen_zone=chosen_zone,
            zone=lambda: zone_name(get_zone()),
            zone_note=zone_note,
            here=here,
            icon=icon,
            has_own_zone=lambda: not is_universal(get_zone()),
            get_language=languages.get_language,
            url_for=_url_for,
            static=self.static,
            one_time_key=one_time_key,
            get_flashed_messages=get_flashed_messages,
            **site_globals,
        )

    def template(self, name: str) -> jinja2.Template:
        """Return a template in the language of the request."""
        language = languages.get_language()
        if language not in self.by_language:
            self.by_language[language] = in_language(self.env, language)
        return self.by_language[language].get_template(name)

    @pass_request
    def static(self, request: Request, path: str) -> str:
        """Return where a static file is, under the name by which browsers may keep it."""
        return _path(request, "admin:statics", {"path": self.statics.hashed_path(path)})

    async def TemplateResponse(  # noqa: N802 - SQLAdmin's name
        self,
        request: Request,
        name: str,
        context: dict[str, Any] | None = None,
        status_code: int = 200,
    ) -> _TemplateResponse:
        """Render a page; the context reaches tests as `response.context`."""
        context = {"request": request, **(context or {})}
        template = self.template(name)
        return _TemplateResponse(template, template.render(context), context, status_code)


def say(message: str, /, **values: Any) -> Markup:
    """Return the message in the language of the request, with the values put in and escaped.

    Jinja's own takes four times as long, because it looks for values where there are none; a page
    has a hundred messages.
    """
    text = languages.gettext(message)
    if values or "%" in text:
        text %= {name: written(value) for name, value in values.items()}
    return html(text)


def zone_note() -> Markup:
    """Return the line that says in which zone the page's times are."""
    said = languages.gettext("Times in %(zone)s", zone=zone_name(get_zone()))
    return ZONE_NOTE.format(said)


def asking(url: URL, more: str) -> str:
    """Return a link to this page that asks for something more; `more` was not asked before."""
    return f"?{url.query}&{more}" if url.query else f"?{more}"


@pass_request
def here(request: Request) -> str:
    """Return the address of this page, without its host."""
    url = request.url
    return f"{url.path}?{url.query}" if url.query else str(url.path)


def key_path(request: Request, page: str, identity: str, key: str) -> str:
    """Return the path of an object's page, whatever characters its key holds."""
    return path_for(request, page, identity=identity, pk="") + quote(key, safe="")


def path_for(request: Request, name: str, /, **params: str) -> str:
    """Return the path of a route, with the prefix a proxy may add, but no scheme and no host."""
    return _path(request, f"admin:{name}", params)


@pass_request
def _url_for(request: Request, name: str, /, **params: str) -> str:
    return _path(request, name, params)


def _path(request: Request, name: str, params: dict[str, str]) -> str:
    """Ask Starlette once: it tries route after route, and every page has many links."""
    scope = request.scope
    state = scope["app"].state
    try:
        known: dict[Any, str] = state.admin_paths
    except AttributeError:
        known = state.admin_paths = {}
    asked = (scope.get("app_root_path", scope.get("root_path", "")), name, *params.items())
    path = known.get(asked)
    if path is None:
        path = request.url_for(name, **params).path
        if len(known) < MOST_PATHS:
            known[asked] = path
    return path
