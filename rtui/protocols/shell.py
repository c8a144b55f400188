r"""Command lines for a POSIX shell with `$'…'` (bash, zsh, ksh), made so that the tool gets the very same bytes.

Secrets are never in them: each stands as `$NAME`, an environment variable that whoever pastes the line has to set. A
text may hold marks of such variables (`marked`), as templates of a session leave them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from shlex import quote
from typing import Any, Final

import msgspec

from rtui.settings.option import declared
from rtui.settings.secrets import is_secret_header, secret_parameters, url_password

LONGEST: Final = 100_000
"""Bytes of an argument; Linux takes 128 KiB. `printf` of a shell has no such limit."""
OPENING: Final = "\ufdd0"
CLOSING: Final = "\ufdd1"
"""Around the name of a variable in a text: noncharacters, which no text has."""
_MARKED: Final = re.compile(f"{OPENING}([^{CLOSING}]*){CLOSING}")
_SCHEME: Final = re.compile(r"(?:bearer|basic|digest|negotiate|token|apikey) +(?=\S)", re.IGNORECASE)
_SAFE: Final = re.compile(r"[\w.:;=,/@?&+%* -]*", re.ASCII)
"""What double quotes leave as it is."""
_USER: Final = re.compile(r"(?<=://)[^/?#@:]+(?=@)")


class CommandLine(msgspec.Struct, frozen=True, kw_only=True):
    """A command that does the same as a session or a message of it."""

    tool: str
    text: str
    unsaid: tuple[str, ...] = ()
    """Options of the session that the tool has no words for."""

    @property
    def variables(self) -> tuple[str, ...]:
        """The environment variables that stand for secrets in it."""
        return tuple(dict.fromkeys(_VARIABLE.findall(_SINGLE.sub("", self.text))))


_SINGLE: Final = re.compile(r"'[^']*'")
_VARIABLE: Final = re.compile(r"\$([A-Za-z_]\w*)", re.ASCII)


def marked(name: str) -> str:
    """An environment variable in a text."""
    return f"{OPENING}{name}{CLOSING}"


def variable(name: str) -> str:
    """An environment variable that is called like a header or an option, in a text."""
    plain = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_").upper() or "SECRET"
    return marked(f"_{plain}" if plain[0].isdigit() else plain)


def word(text: str) -> str:
    """`text` as one word of a shell, its marks as variables."""
    if OPENING not in text:
        return quoted(text)
    parts = _MARKED.split(text)
    if all(map(_SAFE.fullmatch, parts[::2])):
        inside = "".join(part if index % 2 == 0 else f"${{{part}}}" for index, part in enumerate(parts))
        return '"' + re.sub(r"\$\{(\w+)\}(?!\w)", r"$\1", inside, flags=re.ASCII) + '"'
    return "".join(
        (quoted(part) if part else "") if index % 2 == 0 else f'"${part}"' for index, part in enumerate(parts)
    )


def quoted(text: str) -> str:
    """`text` as one word. What a terminal or a reader could misread is written as bytes in `$'…'`."""
    if text.isprintable() or text.replace("\n", "").isprintable():
        return quote(text)
    escaped = "".join(_escaped(char) for char in text)
    return f"$'{escaped}'"


def _escaped(char: str) -> str:
    if char in "\\'":
        return f"\\{char}"
    if char.isprintable():
        return char
    known = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}.get(char)
    # Three digits of octal: two of hexadecimal would take a digit behind them for their own.
    return known or "".join(f"\\{byte:03o}" for byte in char.encode("utf-8", "surrogateescape"))


def printed(payload: bytes) -> str:
    """A command that prints `payload` and nothing else, of any size."""
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        text = "\0"
    if "\0" not in text and OPENING not in text:
        return f"printf %s {quoted(text)}"
    if OPENING in text:
        return f"printf %s {word(text)}"
    octal = "".join(chr(byte) if byte in _PLAIN else f"\\{byte:03o}" for byte in payload)
    return f"printf '{octal}'" if octal[:1] != "-" else f"printf '\\055{octal[1:]}'"  # it would be a flag


_PLAIN: Final = frozenset(range(0x20, 0x7F)) - frozenset(b"%\\'")


def names(text: str) -> frozenset[str]:
    """The words of `text` as a set."""
    return frozenset(text.split())


def fits(text: str) -> bool:
    """Whether a program takes `text` as one argument."""
    return "\0" not in text and len(text.encode("utf-8", "surrogateescape")) <= LONGEST


def flags(given: Mapping[str, object]) -> Iterator[str]:
    """`--flag value` for each that has a value; True is the flag alone."""
    for flag, value in given.items():
        if value is True:
            yield flag
        elif value not in (None, False, ""):
            yield flag
            yield word(str(value))


def number(value: float) -> str:
    """Without an exponent; empty for 0, which means none."""
    return f"{value:.3f}".rstrip("0").rstrip(".") if value else ""


def header(name: str, value: str) -> str:
    """`Name: value`, a credential as a variable; the scheme of an Authorization stays."""
    return f"{name}: {hidden(name, value) if is_secret_header(name.removesuffix('-bin')) else value}"


def hidden(name: str, value: str) -> str:
    """What stands for the secret `value`: the variable that it came from, or one that is called like it."""
    if OPENING in value:
        return value
    found = _SCHEME.match(value)
    return f"{found[0] if found else ''}{variable(name)}"


def address(url: str) -> str:
    """`url` with variables for its password and the credentials in its query."""
    if (password := url_password(url)) and OPENING not in password:
        url = url.replace(f":{password}@", f":{variable('password')}@", 1)
    if (user := _USER.search(url)) and OPENING not in user[0]:
        url = url.replace(f"://{user[0]}@", f"://{variable('user')}@", 1)
    for name, value in secret_parameters(url):
        if OPENING not in value:
            url = url.replace(f"{name}={value}", f"{name}={variable(name)}", 1)
    return url


def unsaid(options: msgspec.Struct, said: Iterable[str]) -> tuple[str, ...]:
    """Options that differ from what they are by themselves, and are not among `said`."""
    known = set(said)
    return tuple(
        one.key for one in declared(type(options)) if one.key not in known and getattr(options, one.key) != one.default
    )


def credentials(options: Any) -> str:
    """`user:password` of the options, the password as a variable; empty if there are none."""
    if not (options.username or options.password):
        return ""
    return f"{options.username}:{hidden('password', options.password) if options.password else ''}"


def tls(options: Any, ca: str, cert: str, key: str, insecure: str) -> dict[str, object]:
    """The options of TLS by the flags that a tool has for them."""
    return {
        ca: options.ca,
        cert: options.cert,
        key: options.key if options.key != options.cert else "",
        insecure: bool(options.insecure),
    }
