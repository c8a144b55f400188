"""Sessions and messages as commands of rtui itself, which can say every option."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from rtui.protocols.base import Adapter, Outgoing, Verb
from rtui.protocols.shell import CommandLine, address, fits, hidden, printed, word
from rtui.settings.flag import REPEATABLE, spellings
from rtui.settings.option import Declared, declared, format_duration, format_size
from rtui.settings.secrets import is_secret_header


def tail(target: str, options: Any, subscriptions: Mapping[str, Any]) -> CommandLine:
    """`rtui tail`, with what is subscribed to; `options` is None where the target is a file that has them."""
    channels = [f"--subscribe {word(channel)}" for channel in subscriptions]
    first = next(iter(subscriptions.values()), None)
    own = _flags(first) if first is not None and all(one == first for one in subscriptions.values()) else iter(())
    words = ["rtui tail", *_flags(options), *channels, *own, word(address(target))]
    return CommandLine(tool="rtui tail", text=" ".join(words))


def send(
    adapter: type[Adapter], target: str, options: Any, channel: str, payload: bytes, *, outgoing: Outgoing | None
) -> CommandLine | None:
    """`rtui send`; None if the protocol cannot."""
    if Verb.SEND not in adapter.verbs:
        return None
    # A protocol without subscriptions groups messages by what is in them: nothing is sent to a name.
    ways = [f"--to {word(channel)}"] if channel and Verb.SUBSCRIBE in adapter.verbs else []
    before, binary, data = _data(payload)
    own = _flags(outgoing, binary=bool(binary))
    words = ["rtui send", *_flags(options), *ways, *own, *binary]
    place = word(address(target))
    end = f"-- {place} {data}" if data.startswith(("-", "'-")) else f"{place} {data}"
    return CommandLine(tool="rtui send", text=before + " ".join([*words, end]))


def _data(payload: bytes) -> tuple[str, list[str], str]:
    """A command before it, flags, and DATA."""
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        encoded = b64encode(payload).decode()
        return ("", ["--binary base64"], encoded) if fits(encoded) else _piped(payload)
    escaped = text.replace("{", "{{ '{' }}") if "{{" in text or "{%" in text or "{#" in text else text
    if escaped[:1] in {"@", "-"} and (escaped == "-" or escaped.startswith("@")):
        escaped = f"{{{{ '{escaped[0]}' }}}}{escaped[1:]}"  # not the name of a file, and not stdin
    return ("", [], word(escaped)) if fits(escaped) else _piped(payload)


def _piped(payload: bytes) -> tuple[str, list[str], str]:
    return f"{printed(payload)} | ", [], "@/dev/stdin"


def _flags(struct: msgspec.Struct | None, *, binary: bool = False) -> Iterator[str]:
    """A flag for each option that is not as it is by itself."""
    for one in declared(type(struct)) if struct is not None else ():
        value = getattr(struct, one.key)
        if value != one.default and not (binary and one.key == "type"):
            yield from _flag(one, value) if one.flag else [f"--set {word(f'{one.key}={_text(one, value)}')}"]


def _flag(one: Declared, value: Any) -> Iterator[str]:
    name = spellings(one)[0]
    if one.kind == "flag":
        on, _, off = name.partition("/")
        yield on if value else off
    elif one.kind == "pairs":
        for key, text in value.items():
            secret = one.secret or is_secret_header(key.removesuffix("-bin"))
            yield f"{name} {word(f'{key}: {hidden(key, text) if secret else text}')}"
    elif one.kind in REPEATABLE:
        yield from (f"{name} {word(text)}" for text in value)
    else:
        yield f"{name} {word(_text(one, value))}"


def _text(one: Declared, value: Any) -> str:
    """The value as a flag takes it; a secret as a variable."""
    if one.secret:
        return hidden(one.key, value if isinstance(value, str) else "")
    if one.kind == "duration":
        return format_duration(value)
    if one.kind == "size":
        return format_size(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return address(value) if one.key == "proxy" else value
    return str(value) if isinstance(value, (int, float)) else msgspec.json.encode(value).decode()
