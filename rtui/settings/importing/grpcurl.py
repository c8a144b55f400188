"""grpcurl 1.7 to 1.9: calls, and the listings that it can make."""

from __future__ import annotations

from typing import Any, Final

from rtui.settings.importing.argv import Grammar, Line, parse, table
from rtui.settings.importing.base import Gatherer, plain_name
from rtui.settings.importing.brace import filled, is_substituted
from rtui.settings.importing.pipe import piped
from rtui.settings.importing.request import credentials_into, header_of
from rtui.settings.importing.shell import Command
from rtui.settings.session_model import SavedMessage, Session

GRAMMAR: Final = Grammar(
    values=table(
        "-H -rpc-header -reflect-header -d -cacert -cert -key -servername -authority -proto -import-path -protoset "
        "-max-time -connect-timeout -keepalive-time -max-msg-sz -format -user-agent -protoset-out "
        "-proto-out-dir -alts-handshaker-service -alts-target-service-account"
    ),
    switches=table(
        "-plaintext -insecure -emit-defaults -v -vv -expand-headers -use-reflection -allow-unknown-fields "
        "-format-error -msg-template -unix -alts -help -version"
    ),
    clusters=False,
    single=True,
)
_SECONDS: Final = {"max-time": "deadline", "connect-timeout": "timeout", "keepalive-time": "keep_alive"}
_TEXTS: Final = {
    "cacert": "ca", "cert": "cert", "key": "key", "servername": "server_name", "authority": "authority",
    "protoset": "protoset", "max-msg-sz": "max_message",
}  # fmt: skip
_LISTS: Final = {"proto": "proto", "import-path": "import_path"}
_TAKEN: Final = frozenset(
    {*_SECONDS, *_TEXTS, *_LISTS, "H", "rpc-header", "d", "plaintext", "insecure", "emit-defaults", "v", "vv"}
    | {"use-reflection", "format-error"}
)


def harvest(command: Command, where: str, gatherer: Gatherer) -> None:
    """The session of one command."""
    line = parse(command.words[1:], GRAMMAR)
    if not line.arguments or any(map(is_substituted, line.arguments)):
        gatherer.leave(where, "grpcurl", "there is no host:port")
        return
    host, *rest = map(filled, line.arguments)
    method = rest[0] if rest and rest[0] not in {"list", "describe"} else ""
    if method and "/" not in method:  # grpcurl takes package.Service.Method too
        service, _, name = method.rpartition(".")
        method = f"{service}/{name}"
    messages = _messages(command, line, method, where, gatherer) if method else ()
    gatherer.add(
        Session(
            name=plain_name(host.rpartition(":")[0], method.rpartition("/")[2]),
            url=f"{'grpc' if line.has('plaintext') else 'grpcs'}://{host}",
            options=_options(line, where, gatherer),
            messages=messages,
        )
    )
    for one in line.options:
        if one.name not in _TAKEN:
            gatherer.leave(where, one.spelled, "there is no such thing in a session")


def _options(line: Line, where: str, gatherer: Gatherer) -> dict[str, Any]:
    options: dict[str, Any] = {key: filled(line.last(name)) for name, key in _TEXTS.items() if line.has(name)}
    options |= {key: f"{filled(line.last(name))}s" for name, key in _SECONDS.items() if line.has(name)}
    options |= {key: [filled(text) for text in line.all(name)] for name, key in _LISTS.items() if line.has(name)}
    if line.has("insecure"):
        options["insecure"] = True
    if line.has("emit-defaults"):
        options["emit_defaults"] = True
    if line.has("cert") and options.get("cert") == options.get("key"):
        del options["key"]  # one file with both
    metadata: dict[str, str] = {}
    for text in [*line.all("H"), *line.all("rpc-header")]:
        name, value = header_of(text)
        if is_substituted(text):
            gatherer.leave(where, f"-H {name}", "its value comes from another command")
        elif not (name.lower() == "authorization" and credentials_into(options, value)):
            metadata[filled(name.lower())] = filled(value)
    return options | ({"metadata": metadata} if metadata else {})


def _messages(command: Command, line: Line, method: str, where: str, gatherer: Gatherer) -> tuple[SavedMessage, ...]:
    data = line.last("d", "{}")
    texts = piped(command, where, gatherer) if data == "@" else [filled(data)]
    name = method.rpartition("/")[2]
    return tuple(SavedMessage(name=name, channel=method, payload=text) for text in texts if not is_substituted(text))
