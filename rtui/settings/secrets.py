"""Secrets and how they are kept out of sight: whatever is shown, logged, stored or exported goes through `mask`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, unquote

import msgspec

from rtui.settings.option import declared

MASK: Final = "•••"
SHORTEST: Final = 4
"""Secrets of fewer characters are hidden where they stand (URL, header, option), but not searched for in other text:
masking every "a" of every message would tell more than it hides."""

_SECRET_HEADER: Final = re.compile(
    r"(?:(?:proxy-)?authorization|(?:set-)?cookie2?"
    r"|(?:.*[-_])?(?:api[-_]?key|token|secret|password|signature|credential)s?|sec-websocket-key)(?:-bin)?",
    re.IGNORECASE,
)
_SECRET_QUERY: Final = re.compile(
    r"(?:.*[-_])?(?:api[-_]?key|key|token|secret|password|passwd|pwd|signature|sig|auth|jwt|ticket|code)s?"
    r"|x-amz-(?:signature|credential|security-token)|[a-z]*token",
    re.IGNORECASE,
)
_STATUS: Final = re.compile(r"\d{1,5}")
"""A `code` like this is one of a close or a status; those that are traded for a token are longer."""
_USERINFO: Final = re.compile(
    r"(?P<start>[a-z][a-z0-9+.-]*://)(?P<user>[^\s/?#@:]*)(?P<rest>:[^\s/?#]*)?@", re.IGNORECASE
)
_PARAMETER: Final = re.compile(r"(?P<start>[?&;])(?P<name>[^=&;#\s]+)=(?P<value>[^&;#\s]*)")


def is_secret_header(name: str) -> bool:
    """Whether a header of this name carries a credential."""
    return bool(_SECRET_HEADER.fullmatch(name.strip()))


def mask_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """`headers` with credentials hidden; the scheme of an Authorization stays ("Bearer •••")."""
    return {name: _mask_header(value) if is_secret_header(name) else value for name, value in headers.items()}


def _mask_header(value: str) -> str:
    scheme, space, _ = value.strip().partition(" ")
    known = space and scheme.lower() in {"basic", "bearer", "digest", "negotiate", "token", "apikey"}
    return f"{scheme} {MASK}" if known else MASK


def mask_url(url: str) -> str:
    """`url` without its password and without query values whose names say that they are credentials."""
    url = _USERINFO.sub(_mask_userinfo, url)
    return _PARAMETER.sub(_mask_parameter, url)


def _mask_userinfo(found: re.Match[str]) -> str:
    # A user name alone is often the token itself (https://TOKEN@host).
    user = found["user"] if found["rest"] else MASK
    return f"{found['start']}{user}{':' + MASK if found['rest'] else ''}@"


def _mask_parameter(found: re.Match[str]) -> str:
    return f"{found['start']}{found['name']}={MASK}" if _is_secret(found) else found[0]


def _is_secret(parameter: re.Match[str]) -> bool:
    return _is_credential(unquote(parameter["name"]), parameter["value"])


def _is_credential(name: str, value: str) -> bool:
    named = value and _SECRET_QUERY.fullmatch(name)
    return bool(named) and not (name.lower() == "code" and _STATUS.fullmatch(value))


def secret_parameters(url: str) -> list[tuple[str, str]]:
    """Names and values in the query that are credentials by their names, as written there."""
    return [(one["name"], one["value"]) for one in _PARAMETER.finditer(url) if _is_secret(one)]


def url_password(url: str) -> str:
    """The password in the URL as written there, or empty."""
    found = _USERINFO.search(url)
    return (found["rest"] or "")[1:] if found else ""


class Secrets:
    """The values that must not be seen. Grows while a session is read; then masks any text."""

    def __init__(self) -> None:
        self._values: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        self._bytes_pattern: re.Pattern[bytes] | None = None

    def __bool__(self) -> bool:
        return bool(self._values)

    def add(self, value: str) -> None:
        """Hide `value` from now on, in its usual encodings too (base64 of Basic, percent, JSON)."""
        for text in _spellings(value):
            if len(text) >= SHORTEST and text not in self._values:
                self._values.add(text)
                self._pattern = self._bytes_pattern = None

    def add_url(self, url: str) -> None:
        """Hide the password and the credentials in the query of `url`."""
        for found in _USERINFO.finditer(url):
            hidden = found["rest"][1:] if found["rest"] else found["user"]
            self.add(unquote(hidden))
            self._add_basic(unquote(found["user"]), unquote(hidden))
        for name, value in parse_qsl(url.partition("?")[2].partition("#")[0]):
            if _is_credential(name, value):
                self.add(value)

    def add_headers(self, headers: Mapping[str, str]) -> None:
        """Hide the credentials among `headers`, with and without their scheme."""
        for name, value in headers.items():
            if is_secret_header(name):
                self.add(value)
                self.add(value.strip().rpartition(" ")[2])
                if name.strip().lower().endswith("-bin"):
                    self._add_base64(value.strip())
                for cookie in value.split(";") if "cookie" in name.lower() else ():
                    self.add(cookie.partition("=")[2].strip())

    def add_options(self, options: msgspec.Struct) -> None:
        """Hide what an instance of a protocol's `Options` holds in its secret fields and headers."""
        for one in declared(type(options)):
            value = getattr(options, one.key)
            if one.secret:
                self._add_any(value)
            elif one.kind == "pairs" and isinstance(value, Mapping):
                self.add_headers(value)
            elif isinstance(value, str) and "://" in value:
                self.add_url(value)
        self._add_basic(getattr(options, "username", ""), getattr(options, "password", ""))

    def mask(self, text: str) -> str:
        """`text` with ••• for each known secret."""
        if not self._values:
            return text
        if self._pattern is None:
            self._pattern = re.compile("|".join(map(re.escape, self._longest_first())))
        return self._pattern.sub(MASK, text)

    def mask_bytes(self, data: bytes) -> bytes:
        """`data` with ••• (in UTF-8) for each known secret."""
        if not self._values:
            return data
        if self._bytes_pattern is None:
            values = (value.encode("utf-8", "surrogatepass") for value in self._longest_first())
            self._bytes_pattern = re.compile(b"|".join(map(re.escape, values)))
        return self._bytes_pattern.sub(MASK.encode(), data)

    def mask_url(self, url: str) -> str:
        """`url` for display: what its form gives away as a credential, and every known secret, hidden."""
        return self.mask(mask_url(url))

    def mask_headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        """`headers` for display, likewise."""
        return {self.mask(name): self.mask(value) for name, value in mask_headers(headers).items()}

    def mask_meta(self, value: Any) -> Any:
        """`value`, a tree of JSON, with ••• for each known secret in its texts and keys."""
        if isinstance(value, str):
            return self.mask(value)
        if isinstance(value, Mapping):
            return {self.mask(str(key)): self.mask_meta(item) for key, item in value.items()}
        return [self.mask_meta(item) for item in value] if isinstance(value, (list, tuple)) else value

    def _longest_first(self) -> list[str]:
        """Of two secrets, one may begin with the other."""
        return sorted(self._values, key=lambda value: (-len(value), value))

    def _add_any(self, value: object) -> None:
        if isinstance(value, str):
            self.add(value)
        elif isinstance(value, Mapping):
            for item in value.values():
                self._add_any(item)
        elif isinstance(value, (list, tuple)):
            for item in value:
                self._add_any(item)

    def _add_base64(self, value: str) -> None:
        """In either alphabet, with and without padding; and what it means, if that is text (metadata of gRPC)."""
        from base64 import b64decode

        usual = value.rstrip("=").translate(str.maketrans("-_", "+/"))
        self.add(usual)
        self.add(usual.translate(str.maketrans("+/", "-_")))
        try:
            self.add(b64decode(usual + "=" * (-len(usual) % 4), validate=True).decode())
        except ValueError:
            return  # no base64, or bytes that are no text

    def _add_basic(self, user: object, password: object) -> None:
        from base64 import b64encode

        if password and isinstance(user, str) and isinstance(password, str):
            self.add(b64encode(f"{user}:{password}".encode("utf-8", "surrogatepass")).decode())


def _spellings(value: str) -> set[str]:
    from urllib.parse import quote, quote_plus

    value = value.strip()
    bare = value.encode("utf-8", "surrogatepass")
    return {value, quote(bare, safe=""), quote_plus(bare), quote(bare), repr(value)[1:-1], _json_text(value)}


def _json_text(value: str) -> str:
    import json

    return json.dumps(value)[1:-1]
