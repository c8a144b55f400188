"""A WebSocket as commands of websocat and wscat."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from rtui.protocols.shell import (
    CommandLine,
    address,
    credentials,
    fits,
    flags,
    header,
    hidden,
    names,
    number,
    printed,
    tls,
    unsaid,
    word,
)

if TYPE_CHECKING:
    from rtui.protocols.websocket import Options, Outgoing

_COMMON = names("subprotocols origin cookies headers username password token insecure")
_OURS = names("max_size group_key log_pings auto_pong close_timeout timeout compression")
"""What is done with the messages, and what a tool has its own ways for."""
_WEBSOCAT = _COMMON | _OURS | {"ping_interval", "ping_timeout"}
_WSCAT = _COMMON | _OURS | {"ca", "cert", "key", "proxy"}


def listening(url: str, options: Options) -> tuple[CommandLine, ...]:
    """Commands that connect and print what comes."""
    return (_line("websocat", _websocat(url, options), options), _line("wscat", _wscat(url, options), options))


def sending(url: str, options: Options, payload: bytes, outgoing: Outgoing | None) -> tuple[CommandLine, ...]:
    """Commands that send one message and print the answer."""
    binary = _is_binary(payload, outgoing)
    ways = ["-b", "-n1"] if binary else (["-n1", "--no-line"] if b"\n" in payload else ["-n1"])
    pipe = f"{printed(payload)} | "
    found = [_line("websocat", _websocat(url, options, *ways), options, pipe)]
    more = unsaid(outgoing, {"type"}) if outgoing is not None else ()
    text = "" if binary else payload.decode()
    if text and fits(text):
        found.append(_line("wscat", _wscat(url, options, "-w", "1", "-x", word(text)), options))
    return tuple(msgspec.structs.replace(one, unsaid=(*one.unsaid, *more)) for one in found)


def _line(tool: str, text: str, options: Options, before: str = "") -> CommandLine:
    return CommandLine(
        tool=tool, text=before + text, unsaid=unsaid(options, _WEBSOCAT if tool == "websocat" else _WSCAT)
    )


def _is_binary(payload: bytes, outgoing: Outgoing | None) -> bool:
    kind = outgoing.type if outgoing is not None else "auto"
    if kind != "auto":
        return kind == "binary"
    try:
        payload.decode()
    except UnicodeDecodeError:
        return True
    return False


def _headers(options: Options) -> Iterator[str]:
    if options.token:
        yield f"Authorization: Bearer {hidden('token', options.token)}"
    for name, value in options.headers.items():
        yield header(name, value)
    if options.cookies:
        yield "Cookie: " + "; ".join(f"{name}={hidden(name, value)}" for name, value in options.cookies.items())


def _websocat(url: str, options: Options, *ways: str) -> str:
    default = type(options)()
    given: dict[str, object] = {
        "--protocol": ",".join(options.subprotocols),
        "--origin": options.origin,
        "--basic-auth": credentials(options),
        "-k": bool(options.insecure),
    }
    for key in ("ping_interval", "ping_timeout"):
        if getattr(options, key) != getattr(default, key):
            given[f"--{key.replace('_', '-')}"] = number(getattr(options, key))
    # `-H` of websocat takes every word behind it, so the value is joined to it.
    headers = (f"-H={word(one)}" for one in _headers(options))
    return " ".join(["websocat", *ways, *flags(given), *headers, word(address(url))])


def _wscat(url: str, options: Options, *ways: str) -> str:
    given: dict[str, object] = {
        "-o": options.origin,
        "--auth": credentials(options),
        "--proxy": address(options.proxy) if options.proxy != "env" else "",
        **tls(options, "--ca", "--cert", "--key", "-n"),
    }
    subprotocols = (f"-s {word(one)}" for one in options.subprotocols)
    headers = (f"-H {word(one)}" for one in _headers(options))
    return " ".join(["wscat", *flags(given), *subprotocols, *headers, *ways, "-c", word(address(url))])
