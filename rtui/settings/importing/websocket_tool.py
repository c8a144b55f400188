"""websocat 1 (and 4 where it is the same) and wscat 4 to 6."""

from __future__ import annotations

from typing import Any, Final

from rtui.settings.importing.argv import Grammar, Line, names, parse, table
from rtui.settings.importing.base import Gatherer
from rtui.settings.importing.brace import filled, is_substituted
from rtui.settings.importing.pipe import piped
from rtui.settings.importing.request import header_of, headers_into, name_of, proxy_of, safe_url, user_into
from rtui.settings.importing.shell import Command
from rtui.settings.session_model import SavedMessage, Session

WEBSOCAT: Final = Grammar(
    values=table(
        "-H,--header --protocol --origin --ping-interval --ping-timeout --basic-auth --basic-auth-file --socks5 "
        "-B,--buffer-size --close-reason --close-status-code --ws-c-uri --client-pkcs12-der --client-pkcs12-passwd "
        "--server-header --queue-len --max-messages --max-messages-rev --autoreconnect-delay-millis --tls-domain "
        "--prefix --separator --max-ws-message-length --max-ws-frame-length -P,--path --restrict-uri"
    ),
    switches=table(
        "-k,--insecure -b,--binary -t,--text -n,--no-close -1,--one-message -E,--exit-on-eof "
        "-U,--unidirectional-reverse -u,--unidirectional -v,--verbose -q,--quiet --no-line --no-async-stdio "
        "-0,--null-terminated --print-ping-rtts "
        "--linemode-strip-newlines -S,--strict --jsonrpc --base64 --async-stdio "
        "-I,--inhibit-pongs --uniform --compress-zlib"
    ),
)
WSCAT: Final = Grammar(
    values=table(
        "-c,--connect -H,--header -o,--origin -p,--protocol -s,--subprotocol -x,--execute -w,--wait --auth --ca --cert "
        "--host --key --passphrase --proxy -l,--listen"
    ),
    switches=table("-n,--no-check -P,--show-ping-pong --slash --no-color -L,--location -V,--version"),
)
_WAYS: Final = names(
    "binary text no-close one-message exit-on-eof unidirectional unidirectional-reverse verbose quiet no-line "
    "no-async-stdio async-stdio buffer-size null-terminated linemode-strip-newlines strict header protocol origin "
    "ping-interval ping-timeout basic-auth insecure connect subprotocol execute auth ca cert key proxy no-check slash "
    "no-color show-ping-pong max-ws-message-length"
)
"""Taken over, or about the tool's own input and output."""


def websocat(command: Command, where: str, gatherer: Gatherer) -> None:
    """One command of websocat."""
    line = parse(command.words[1:], WEBSOCAT)
    options: dict[str, Any] = {}
    if line.has("protocol"):
        options["subprotocols"] = [part.strip() for part in filled(line.last("protocol")).split(",")]
    if text := line.last("basic-auth"):
        user_into(options, text)
    for name in ("ping-interval", "ping-timeout"):
        if value := line.last(name):
            options[name.replace("-", "_")] = f"{value}s"
    if value := line.last("max-ws-message-length"):
        options["max_size"] = filled(value)
    _common(line, options, where, gatherer)
    urls = [word for word in line.arguments if word.startswith(("ws://", "wss://"))]
    others = [word for word in line.arguments if word not in urls and word not in {"-", "stdio:", "stdin:", "stdout:"}]
    if others:
        gatherer.leave(where, " ".join(others), "only ws:// and wss:// are taken over")
    sent = piped(command, where, gatherer)
    binary = {"type": "binary"} if line.has("binary") else {}
    _take(urls, options, [SavedMessage(name="message", payload=text, options=binary) for text in sent], where, gatherer)


def wscat(command: Command, where: str, gatherer: Gatherer) -> None:
    """One command of wscat."""
    line = parse(command.words[1:], WSCAT)
    options: dict[str, Any] = {}
    if line.has("subprotocol"):
        options["subprotocols"] = [filled(text) for text in line.all("subprotocol")]
    if text := line.last("auth"):
        user_into(options, text)
    for name in ("ca", "cert", "key"):
        if value := line.last(name):
            options[name] = filled(value)
    if proxy := line.last("proxy"):
        options["proxy"] = proxy_of(proxy)
    if line.has("no-check"):
        options["insecure"] = True
    if line.has("show-ping-pong"):
        options["log_pings"] = True
    _common(line, options, where, gatherer)
    wanted = line.all("connect")
    urls = [safe_url(url if "://" in url else f"ws://{url}") for url in wanted]
    sent = [*map(filled, line.all("execute")), *piped(command, where, gatherer)]
    _take(urls, options, [SavedMessage(name="message", payload=text) for text in sent], where, gatherer)


def _common(line: Line, options: dict[str, Any], where: str, gatherer: Gatherer) -> None:
    """What both tools call the same."""
    for header in filter(is_substituted, line.all("header")):
        gatherer.leave(where, f"the header {header.partition(':')[0]}", "its value comes from another command")
    pairs = [header_of(text) for text in line.all("header") if not is_substituted(text)]
    for name in headers_into(options, pairs, socket=True):
        gatherer.leave(where, name, "there is no such thing in a session")
    if origin := line.last("origin"):
        options["origin"] = filled(origin)
    if line.has("insecure"):
        options["insecure"] = True
    for one in line.options:
        if one.name not in _WAYS:
            gatherer.leave(where, one.spelled, "there is no such thing in a session")


def _take(
    urls: list[str], options: dict[str, Any], messages: list[SavedMessage], where: str, gatherer: Gatherer
) -> None:
    from rtui.settings.importing.base import distinct

    if not urls:
        gatherer.leave(where, "", "there is no WebSocket URL")
    for url in urls:
        safe = safe_url(url)
        gatherer.add(
            Session(name=name_of(safe), url=filled(safe), options=dict(options), messages=tuple(distinct(messages)))
        )
