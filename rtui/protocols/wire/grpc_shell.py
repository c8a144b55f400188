"""A call as a command of grpcurl, to be pasted into a POSIX shell.

Secrets are never in it: each stands as `$NAME`, an environment variable that whoever pastes it has to set.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

import msgspec

from rtui.core.clean import clean, decode
from rtui.protocols.shell import OPENING, hidden, names, word
from rtui.settings.secrets import is_secret_header

if TYPE_CHECKING:
    from rtui.protocols.grpc import Options, Outgoing

LONGEST: Final = 100_000
"""Bytes of an argument; Linux takes 128 KiB. Longer requests come by way of the standard input."""
SAID: Final = names(
    "metadata deadline emit_defaults reflection proto import_path protoset health authority keep_alive max_message "
    "headers ca cert key insecure server_name username password token"
)
"""Options that grpcurl has words for, and those of what it does by itself."""
_PORTS: Final = {"grpc": 80, "grpcs": 443}
_SCHEME: Final = re.compile(r"(?:bearer|basic|digest|negotiate|token|apikey) +(?=\S)", re.IGNORECASE)
_SAFE: Final = re.compile(r"[\w.: -]*", re.ASCII)


def grpcurl(url: str, options: Options, channel: str, payload: bytes, outgoing: Outgoing | None = None) -> str:
    """What makes the same call as `payload` sent to the method `channel`; one message of it, where it is a stream."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    place = f"{host}:{parts.port or _PORTS[parts.scheme]}"
    data, behind = _data(payload)
    words = [
        "grpcurl",
        *(_security(options) if parts.scheme == "grpcs" else ["-plaintext"]),
        *_schema(options),
        *_limits(options, outgoing),
        *_headers(url, options, outgoing),
        *data,
        _quote(place),
        _quote(channel),
    ]
    return " ".join(words) + behind


def _quote(text: str) -> str:
    """As one word; what stands for an environment variable becomes one."""
    return word(text) if OPENING in text else quote(text)


def _flags(**given: str) -> Iterator[str]:
    """`-flag value` for each that has a value; `_` is written as `-`."""
    for name, value in given.items():
        if value:
            yield f"-{name.replace('_', '-')}"
            yield _quote(value)


def _security(options: Options) -> Iterator[str]:
    if options.insecure:
        yield "-insecure"
    yield from _flags(cacert=options.ca, cert=options.cert, key=options.key or options.cert)
    if not options.authority:  # grpcurl refuses both, and verifies the authority
        yield from _flags(servername=options.server_name)


def _schema(options: Options) -> Iterator[str]:
    if options.protoset:
        yield from _flags(protoset=options.protoset)
        return
    for folder in options.import_path:
        yield from _flags(import_path=folder)
    if options.proto and not options.import_path:
        from rtui.protocols.wire.grpc_source import import_root

        for root in dict.fromkeys(import_root(Path(file)) for file in options.proto):
            yield from _flags(import_path=str(root))
    for file in options.proto:
        yield from _flags(proto=file)


def _limits(options: Options, outgoing: Outgoing | None) -> Iterator[str]:
    deadline = (outgoing.deadline if outgoing else 0) or options.deadline
    changed = options.max_message if options.max_message != type(options)().max_message else 0
    yield from _flags(
        authority=options.authority,
        max_time=_number(deadline),
        keepalive_time=_number(options.keep_alive),
        max_msg_sz=_number(changed),
    )
    if options.emit_defaults:
        yield "-emit-defaults"


def _number(value: float) -> str:
    """Without an exponent; "" for 0, which means none."""
    return f"{value:.3f}".rstrip("0").rstrip(".") if value else ""


def _headers(url: str, options: Options, outgoing: Outgoing | None) -> Iterator[str]:
    given = {**options.headers, **options.metadata, **(outgoing.metadata if outgoing else {})}
    metadata = {name.lower(): value for name, value in given.items()}
    if "authorization" not in metadata:
        yield from _credentials(url, options)
    for name, value in metadata.items():
        yield f"-H {_header(name, value)}"


def _credentials(url: str, options: Options) -> Iterator[str]:
    parts = urlsplit(url)
    user, password = options.username or unquote(parts.username or ""), options.password or parts.password
    if options.token:
        yield f"-H {word('authorization: Bearer ' + hidden('token', options.token))}"
    elif user or password:
        secret = '"$PASSWORD"' if password else ""
        yield f"-H \"authorization: Basic $(printf %s {_quote(f'{user}:')}{secret} | base64 | tr -d '\\n')\""


def _header(name: str, value: str) -> str:
    if OPENING in value or not is_secret_header(name.removesuffix("-bin")):
        return _quote(f"{name}: {value}")
    found = _SCHEME.match(value)
    start = f"{name}: {found[0] if found else ''}"
    variable = re.sub(r"\W", "_", name, flags=re.ASCII).upper()
    return f'"{start}${variable}"' if _SAFE.fullmatch(start) else f'{_quote(start)}"${variable}"'


def _data(payload: bytes) -> tuple[list[str], str]:
    """The flag, and what stands behind the command."""
    text = _line(payload)
    if len(text.encode()) <= LONGEST:
        return (["-d", _quote(text)] if text else []), ""
    return ["-d", "@"], f" <<'JSON'\n{text}\nJSON"


def _line(payload: bytes) -> str:
    """JSON without spaces, its numbers as they are; what is no JSON is made harmless for the shell's line editor."""
    try:
        return msgspec.json.format(payload.strip(), indent=-1).decode() if payload.strip() else ""
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return clean(decode(payload))
