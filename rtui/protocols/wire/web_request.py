"""From the options of a request to what httpx takes: method, URL, headers, credentials, body."""

from __future__ import annotations

import stat
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import quote, unquote, unquote_plus, urlsplit

import msgspec

import rtui
from rtui.core.fault import Failure
from rtui.protocols.request import RequestOptions
from rtui.protocols.wire.http import without_userinfo
from rtui.protocols.wire.reach_fault import usage
from rtui.protocols.wire.web_body import ACCEPTED
from rtui.settings.quantity import format_size

LARGEST_BODY: Final = 64 * 1024**2
"""Bytes of a body that is read from a file."""
TOKEN: Final = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
"""RFC 9110 §5.6.2."""
RESERVED: Final = {
    "connection": "the connection is ours to manage",
    "content-length": "it is counted",
    "transfer-encoding": "bodies are sent whole",
    "upgrade": "nothing else is spoken here",
    "expect": "bodies are sent at once",
    "cookie": "use cookies",
}
TUNNEL: Final = "CONNECT"

Fields = list[tuple[bytes, bytes]]


def plain(url: str) -> str:
    """The http or https URL in one such as sse+https://user@host: what comes before the + names our protocol."""
    return without_userinfo(url.rpartition("+")[2] if "+" in url.partition("://")[0] else url)


def method(given: str, body: bytes | None) -> str:
    """What to ask with.

    Raises:
        Failure: that is no method.
    """
    found = given.upper() or ("GET" if body is None else "POST")
    if not set(found) <= TOKEN or found == TUNNEL:
        raise Failure(usage("Not a usable method", found, key="method"))
    return found


def body(text: str) -> bytes | None:
    """The bytes to send: those of the text, or of the file that "@path" names, read now; None where there is neither.

    Raises:
        Failure: the file cannot be read.
    """
    if not text.startswith("@"):
        return text.encode("utf-8", "surrogateescape") if text else None
    path = Path(text[1:])
    try:
        if not stat.S_ISREG((about := path.stat()).st_mode):
            raise Failure(usage("The body cannot be read", f"{path} is not a file", key="data"))
        if about.st_size > LARGEST_BODY:
            cause = f"{path} has more than {format_size(LARGEST_BODY)}"
            raise Failure(usage("The body is too large", cause, key="data"))
        return path.read_bytes()
    except (OSError, ValueError) as error:
        cause = f"{path}: {error.strerror if isinstance(error, OSError) else error}"
        raise Failure(usage("The body cannot be read", cause, key="data")) from error


def media_type(content: bytes) -> str:
    """What a body seems to be."""
    try:
        msgspec.json.decode(content)
    except (ValueError, RecursionError):
        return "text/plain; charset=utf-8"
    return "application/json"


def queried(url: str, query: Mapping[str, str]) -> str:
    """The URL with these parameters instead of its own of the same names; all else stays as it is written."""
    if not query:
        return url
    parts = urlsplit(url)
    kept = [each for each in parts.query.split("&") if each and unquote_plus(each.partition("=")[0]) not in query]
    added = [f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in query.items()]
    return parts._replace(query="&".join(kept + added)).geturl()


def fields(options: RequestOptions, url: str, added: Mapping[str, str], content: bytes | None) -> Fields:
    """The headers of a request to `url`; `added` stand in for those of the options.

    Raises:
        Failure: one cannot be sent, or there are two ways to authenticate.
    """
    found = {"user-agent": ("User-Agent", f"rtui/{rtui.__version__}"), "accept": ("Accept", "*/*")}
    found["accept-encoding"] = ("Accept-Encoding", ACCEPTED)
    if content is not None:
        found["content-type"] = ("Content-Type", media_type(content))
    for name, value in [*options.headers.items(), *added.items()]:
        if why := RESERVED.get(name.lower()):
            raise Failure(usage(f"The header {name} cannot be set", why, key="headers"))
        check_header(name, value)
        found[name.lower()] = (name, value)
    if credentials := _credentials(options, url, given="authorization" in found):
        found["authorization"] = ("Authorization", credentials)
    return [(name.encode("ascii"), value.encode()) for name, value in found.values()]


def check_header(name: str, value: str) -> None:
    """Refuse what no header may have: RFC 9110 §5.1 and §5.5.

    Raises:
        Failure: it has.
    """
    if not name or not set(name) <= TOKEN or any(character in "\r\n\0" for character in value):
        cause = "RFC 9110 §5.1 and §5.5: illegal characters"
        raise Failure(usage(f"The header {name!r} cannot be sent", cause, key="headers"))


def _credentials(options: RequestOptions, url: str, *, given: bool) -> str:
    ways = [bool(options.username or options.password), bool(options.token), given]
    if sum(ways) > 1:
        cause = "username, token and an Authorization header exclude each other"
        raise Failure(usage("Two ways to authenticate", cause, key="token"))
    if options.token:
        check_header("Authorization", options.token)
        return f"Bearer {options.token}"
    if ways[0]:
        return _basic(options.username, options.password)
    parts = urlsplit(url)
    in_url = parts.username or parts.password
    return _basic(unquote(parts.username or ""), unquote(parts.password or "")) if in_url and not given else ""


def _basic(user: str, password: str) -> str:
    """RFC 7617."""
    return f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"
