"""rtui's own commands, as "copy as command" and people write them: `rtui URL`, `rtui tail`, `rtui send`.

Their flags are made of what a protocol declares, and are read back by the same declarations. Templates in their words
are templates already; what a shell would put in becomes one.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from itertools import pairwise
from pathlib import PurePath
from typing import Any, Final, cast, get_args

import msgspec

from rtui.core.fault import Failure
from rtui.settings.flag import REPEATABLE, spellings
from rtui.settings.importing.argv import Grammar, Line, names, parse, table
from rtui.settings.importing.base import Gatherer
from rtui.settings.importing.brace import is_substituted, marked_as_variables
from rtui.settings.importing.pipe import piped
from rtui.settings.importing.request import name_of
from rtui.settings.importing.shell import Command, commands
from rtui.settings.kind import read_pairs
from rtui.settings.option import Declared, declared, parse_duration, parse_text
from rtui.settings.session_model import (
    Declares,
    PayloadFormat,
    Reconnect,
    SavedMessage,
    Session,
    SessionSubscription,
    View,
)

COMMANDS: Final = names("open tail send")
OTHERS: Final = names("demo serve check sessions captures replay export themes keys doctor")
"""Commands that keep no connection of their own."""
VALUES: Final = table(
    "--subscribe --filter --count --for --idle --format --protocol --set --var --env-file --capture --to --wait "
    "--binary --message --descriptor --every --times --theme --fps --present-every"
)
SWITCHES: Final = table(
    "--include-sent --events --retained --no-retained --retry-first --no-reconnect --no-capture --ack --ascii "
    "--no-ascii --mouse --no-mouse --reduced-motion --present -h,--help"
)
_TAKEN: Final = names("subscribe filter protocol set var to binary message every no-reconnect ack")
_RUN: Final = names(
    "count for idle format capture include-sent events no-capture wait theme fps present-every present ascii no-ascii "
    "mouse no-mouse reduced-motion retry-first"
)
"""About one run and what it prints, not about the connection."""
_STDIN: Final = frozenset({"-", "@/dev/stdin"})
_ENVIRONMENT: Final = "RTUI_"


def harvest(command: Command, where: str, gatherer: Gatherer) -> None:
    """The session of one command, or those of the workbench's targets."""
    name, words = _command(command.words[1:])
    if name not in COMMANDS:
        gatherer.leave(where, f"rtui {name}", "it keeps no connection that a session could be")
        return
    protocol = _after(words, "--protocol")
    declares = _declares(words, protocol, gatherer)
    line = parse(words, _grammar(declares, {"connect", name}))
    targets = line.arguments if name == "open" else line.arguments[:1]
    if not targets:
        gatherer.leave(where, f"rtui {name}".removesuffix(" open"), "there is no URL")
    for target in targets:
        if is_substituted(target):
            gatherer.leave(where, "the URL", "it comes from another command")
        elif not _is_address(target, protocol):
            gatherer.leave(where, target, "a session that is written down already, or a file")
        else:
            session = _session(target, protocol, line, command, declares)
            if name == "send":
                session = _with_messages(session, line, command, declares, where, gatherer)
            gatherer.add(session)
    for one in line.options:
        if ":" not in one.name and one.name not in _TAKEN | _RUN:
            gatherer.leave(where, one.spelled, "there is no such thing in a session")


def named(text: str) -> list[str]:
    """What the text opens by name, if it does nothing else: `rtui NAME`, `rtui tail NAME`, of which runs take no more.

    Raises:
        SettingsError: it cannot be read as a shell reads it.
    """
    found: list[str] = []
    for command in commands(text, "command"):
        name, words = _command(command.words[1:])
        line = parse(words, _grammar(None, ()))
        plain = all(one.name in _RUN for one in line.options) and not command.assigned
        if PurePath(command.words[0]).name != "rtui" or name not in {"open", "tail"} or not plain:
            return []
        found += line.arguments
    return found


def _command(words: list[str]) -> tuple[str, list[str]]:
    """The command and what is behind it; without one, it is the workbench."""
    first = words[0] if words else ""
    return (first, words[1:]) if first in COMMANDS | OTHERS else ("open", words)


def _after(words: list[str], flag: str) -> str:
    """The value of a flag, before it is known which others there are."""
    given = [word.partition("=")[2] for word in words if word.startswith(f"{flag}=")]
    given += [behind for word, behind in pairwise(words) if word == flag]
    return given[-1] if given else ""


def _is_address(target: str, protocol: str) -> bool:
    _, colon, port = target.partition("/")[0].rpartition(":")
    return _is_url(target) or bool(colon and port.isdecimal()) or bool(protocol)


def _is_url(word: str) -> bool:
    return "://" in word or word.lower().startswith("replay:")


def _declares(words: list[str], protocol: str, gatherer: Gatherer) -> Declares | None:
    """The protocol that the flags are of: that of the first word that is its URL, as the command line has it."""
    urls = [word for word in words if not word.startswith("-") and _is_url(word)]
    for word in [*urls, "localhost"]:
        try:
            return gatherer.declares_for(marked_as_variables(word), protocol)
        except Failure:  # a proxy's, or an origin: no URL of ours
            continue
    return None


def _grammar(declares: Declares | None, prefixes: Container[str]) -> Grammar:
    """The command's own flags, and those of the protocol: of two that are called the same, the first has it."""
    values, switches = dict(VALUES), dict(SWITCHES)
    for prefix, one in _declared(declares, prefixes):
        for spelled in (part for name in spellings(one) for part in name.split("/")):
            if spelled not in VALUES | SWITCHES:
                (switches if one.kind == "flag" else values).setdefault(spelled, f"{prefix}:{one.key}")
    return Grammar(values=values, switches=switches, clusters=False)


def _declared(declares: Declares | None, prefixes: Container[str]) -> Iterator[tuple[str, Declared]]:
    if declares is not None:
        shapes = {"connect": declares.Options, "send": declares.Outgoing, "tail": declares.Subscription}
        for prefix, shape in shapes.items():
            yield from ((prefix, one) for one in declared(shape) if one.flag and prefix in prefixes)


def _given(line: Line, prefix: str, declares: Declares | None) -> dict[str, Any]:
    """What the flags of one of the protocol's structs say, in the order they were given."""
    found: dict[str, Any] = {}
    known = {f"{prefix}:{one.key}": one for _, one in _declared(declares, {prefix})}
    for option in (option for option in line.options if option.name in known):
        one = known[option.name]
        value = _value(one, option.value) if one.kind != "flag" else option.spelled == _on(one)
        if one.kind in REPEATABLE and one.key in found:
            value = found[one.key] | value if one.kind == "pairs" else found[one.key] + value
        found[one.key] = value
    return found


def _on(one: Declared) -> str:
    """How a switch is turned on."""
    return spellings(one)[0].partition("/")[0]


def _value(one: Declared, text: str) -> Any:
    """As a session file would have it."""
    text = marked_as_variables(text)
    try:
        if one.kind == "pairs":
            return read_pairs([text])
        if one.kind in {"integer", "number"}:
            return parse_text(one, text)
    except ValueError:  # told when the session is checked
        return text
    return [text] if one.kind in REPEATABLE else text


def _pairs(texts: Iterable[str]) -> dict[str, str]:
    """`KEY=VALUE`."""
    parts = (text.partition("=") for text in texts)
    return {key.strip(): marked_as_variables(value) for key, _, value in parts}


def _session(target: str, protocol: str, line: Line, command: Command, declares: Declares | None) -> Session:
    options = _from_environment(command, declares) | _given(line, "connect", declares)
    options |= {key.replace("-", "_"): value for key, value in _pairs(line.all("set")).items()}
    how = _given(line, "tail", declares)
    url = marked_as_variables(target)
    return Session(
        name=name_of(url if "://" in url else f"x://{url}"),
        url=url,
        protocol=protocol,
        options=options,
        subscriptions=tuple(
            SessionSubscription(channel=marked_as_variables(channel), options=how) for channel in line.all("subscribe")
        ),
        variables=_pairs(line.all("var")),
        reconnect=Reconnect(enabled=not line.has("no-reconnect")),
        view=View(filter=line.last("filter")),
    )


def _from_environment(command: Command, declares: Declares | None) -> dict[str, Any]:
    """`RTUI_TOKEN=abc rtui …`: defaults that stand before the command."""
    known = {f"{_ENVIRONMENT}{one.key.upper()}": one for _, one in _declared(declares, {"connect"})}
    given = (text.partition("=") for text in command.assigned)
    return {known[name].key: _value(known[name], value) for name, _, value in given if name in known}


def _with_messages(  # noqa: PLR0917 - all that a message may come from
    session: Session, line: Line, command: Command, declares: Declares | None, where: str, gatherer: Gatherer
) -> Session:
    """The session with what `rtui send` sends; a method that the URL names is called, and not listened to."""
    channel, named = marked_as_variables(line.last("to")), _channels(session, declares)
    subscriptions = session.subscriptions
    if not channel and named:
        channel = named[0]
        subscriptions += tuple(SessionSubscription(channel=each, enabled=False) for each in named)
    message = SavedMessage(
        name=channel.rpartition("/")[2] or "message",
        channel=channel,
        format=_format(line.last("binary"), where, gatherer),
        every=_seconds(line.last("every"), where, gatherer),
        type=line.last("message"),
        options=_given(line, "send", declares) | ({"ack": True} if _asks(line, declares) else {}),
    )
    data = line.arguments[1] if len(line.arguments) > 1 else "-"
    if data in _STDIN:
        found = tuple(msgspec.structs.replace(message, payload=text) for text in piped(command, where, gatherer))
    elif data.startswith("@"):
        found = (msgspec.structs.replace(message, file=marked_as_variables(data[1:])),)
    elif is_substituted(data):
        gatherer.leave(where, "DATA", "it comes from another command")
        found = ()
    else:
        found = (msgspec.structs.replace(message, payload=marked_as_variables(data)),)
    return msgspec.structs.replace(session, messages=found, subscriptions=subscriptions)


def _format(binary: str, where: str, gatherer: Gatherer) -> PayloadFormat:
    found = next((one for one in get_args(PayloadFormat) if one == binary), None)
    if binary and found is None:
        gatherer.leave(where, f"--binary {binary}", "there is no such format")
    return cast("PayloadFormat", found or "text")


def _seconds(every: str, where: str, gatherer: Gatherer) -> float:
    try:
        return parse_duration(every) if every else 0.0
    except ValueError as error:
        gatherer.leave(where, "--every", str(error))
        return 0.0


def _channels(session: Session, declares: Declares | None) -> tuple[str, ...]:
    """What the URL names, where that can be called."""
    found: tuple[str, ...] = declares.channels(session.url) if declares is not None else ()
    return found


def _asks(line: Line, declares: Declares | None) -> bool:
    """Whether an acknowledgement is wanted, where a message has to say so."""
    return line.has("ack") and declares is not None and any(one.key == "ack" for one in declared(declares.Outgoing))
