"""The options of every protocol that is carried by HTTP requests: method, body, query, cookies, version, redirects."""

from __future__ import annotations

from typing import Annotated

from rtui.protocols.base import CommonOptions
from rtui.settings.option import option


class RequestOptions(CommonOptions, frozen=True, kw_only=True):
    """What to ask for, besides the URL. `wire.web` sends it."""

    method: Annotated[
        str, option("HTTP method; empty = GET, or POST where there is data", metavar="METHOD", section="Request")
    ] = ""
    data: Annotated[
        str,
        option("Body of the request; @FILE is read at each request", kind="body", metavar="TEXT", section="Request"),
    ] = ""
    query: Annotated[dict[str, str], option("Parameters added to the URL's", kind="pairs", section="Request")] = {}  # noqa: RUF012 - msgspec copies defaults
    cookies: Annotated[dict[str, str], option("Cookies to send", kind="pairs", secret=True, section="Request")] = {}  # noqa: RUF012
    http: Annotated[
        str,
        option(
            "HTTP version; auto = 2 where TLS agrees on it, 2 on a plain port = by prior knowledge",
            choices=("auto", "1.1", "2"),
            section="Request",
        ),
    ] = "auto"
    redirects: Annotated[
        int,
        option("Follow at most this many redirects", kind="integer", section="Request", minimum=0, maximum=100),
    ] = 10
