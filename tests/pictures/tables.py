"""The README's tables, made from the declarations: `python -m tests.pictures.tables` writes them into it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from rtui.settings.quantity import format_duration as time
from rtui.settings.quantity import format_size as size

if TYPE_CHECKING:
    from rtui.settings.option import Declared
    from rtui.workbench.action import Action

Limit: TypeAlias = tuple[str, str, str]
"""What, how much by default, and what changes it."""
count = "{:,}".format
SIGNS = {
    "question_mark": "?",
    "slash": "/",
    "full_stop": ".",
    "colon": ":",
    "less_than_sign": "<",
    "greater_than_sign": ">",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "left_parenthesis": "(",
    "right_parenthesis": ")",
    "equals_sign": "=",
    "percent_sign": "%",
    "comma": ",",
    "semicolon": ";",
    "asterisk": "*",
    "vertical_line": "|",
    "exclamation_mark": "!",
    "plus": "+",
    "minus": "-",
    "underscore": "_",
    "at": "@",
    "backslash": "\\",
}
MENUS = {"tabs": "tab", "bottom": "bottom line"}
"""Places that are called otherwise here."""
TAB, PANE = "the tab", "the pane"
WAYS = {
    "app.menu": "right button",
    **dict.fromkeys(("app.next-tab", "app.previous-tab", "app.timeline"), TAB),
    **dict.fromkeys((f"app.pane-{pane}" for pane in ("sessions", "tree", "log", "message", "composer")), PANE),
}
"""What a click goes to."""
EVERYWHERE = 5
"""As many menus are all of them."""
README = Path(__file__).parents[2] / "README.md"


def filters() -> str:
    """What the filter language knows."""
    from rtui.capture.query import help_rows

    return markdown(("filter", "matches"), [(f"`{code}`", about) for code, about in help_rows()])


def keys() -> str:
    """Every action, and the ways to it."""
    from rtui.workbench.bindings import ACTIONS

    rows = [row_of(action) for action in ACTIONS.values() if action.keys not in set("23456789")]
    return markdown(("in the palette", "key", "by mouse", "does"), rows)


def row_of(action: Action) -> tuple[str, ...]:
    """How it is called, its keys, where it can be clicked, its help; the nine saved messages are one row."""
    title = f"{action.group}: {action.title.rstrip('…')}"
    if action.keys == "1":
        return title.replace(" 1", " 1 ... 9"), "`1` ... `9`", by_mouse(action), action.help
    return title, shown(action.keys) if action.keys else "-", by_mouse(action), action.help


def by_mouse(action: Action) -> str:
    """Where an action can be clicked, besides the palette; `tests.workbench.pointer` clicks there."""
    if action.id in WAYS:
        return WAYS[action.id]
    places = action.menu or ((action.own.partition(".")[0],) if action.own else ())
    panes = " and ".join(MENUS.get(place, place) for place in places)
    menu = "any menu" if len(places) >= EVERYWHERE else f"menu of {panes}" if panes else ""
    return ", ".join(filter(None, (menu, "bottom line" if action.footer else "")))


def limits() -> str:
    """What is bounded, by how much, and by which option."""
    rows = [*on_the_wire(), *in_requests(), *in_calls(), *kept(), *shown_at_once()]
    lines = ["| what | default | change it |", "| --- | --- | --- |"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def on_the_wire() -> list[Limit]:
    """What most protocols share."""
    from websockets import http11
    from websockets.asyncio.client import MAX_REDIRECTS
    from websockets.asyncio.messages import MAX_FRAGMENTS

    from rtui.cli import spool
    from rtui.protocols.websocket import Options
    from rtui.protocols.wire import http_fault, inbox, websocket

    own = Options()
    return [
        ("largest message accepted, also after decompression", size(own.max_size), flag("max_size")),
        ("frames that one message may come in", count(MAX_FRAGMENTS), "-"),
        ("time to connect", time(own.timeout), flag("timeout")),
        ("answer to the handshake, body included", size(websocket.HANDSHAKE_LIMIT), "-"),
        ("its headers; length of one", f"{http11.MAX_NUM_HEADERS}; {size(http11.MAX_LINE_LENGTH)}", "-"),
        ("of a refusal's body, shown", size(http_fault.BODY_SHOWN), "-"),
        ("redirects followed", count(MAX_REDIRECTS), "-"),
        ("time between pings", time(own.ping_interval), flag("ping_interval")),
        ("time without a pong before the connection is dropped", time(own.ping_timeout), flag("ping_timeout")),
        ("time for the peer's goodbye", time(own.close_timeout), "`close_timeout`"),
        ("received and not yet looked at; then the peer waits", size(inbox.MOST_BYTES), "-"),
        ("printed and not yet read; then the peer waits", size(spool.MOST), "-"),
    ]


def in_requests() -> list[Limit]:
    """What SSE and polling add."""
    from rtui.protocols import polling, sse
    from rtui.protocols.wire import poll_cursor, poll_item, poll_schedule, sse_decoder, web_http1, web_request

    stream = sse.Options()
    return [
        ("SSE and polling: redirects followed", count(stream.redirects), flag("redirects")),
        ("SSE and polling: the head of an answer", size(web_http1.LONGEST_HEAD), "-"),
        ("SSE and polling: a file that is sent as body", size(web_request.LARGEST_BODY), "-"),
        ("SSE: a line of an event", size(stream.max_line), flag("max_line")),
        ("SSE: silence before the stream is said to stall", time(stream.stall_after), flag("stall_after")),
        (
            "SSE: wait before a stream is asked for again, until the server says otherwise",
            time(stream.reconnection_time),
            flag("reconnection_time"),
        ),
        ("SSE: what the server may ask for", time(sse_decoder.LONGEST_RETRY / 1000), "-"),
        ("polling: time between two requests", time(polling.Options().every), flag("every")),
        ("polling: the same after errors, if the server asks for no more", time(poll_schedule.SLOWEST_RETRY), "-"),
        ("polling: a cursor", size(poll_cursor.LONGEST), "-"),
        ("polling: keys of items that are known again", count(poll_item.KEYS), "-"),
    ]


def in_calls() -> list[Limit]:
    """What gRPC adds."""
    from rtui.protobuf import descriptor_set, template
    from rtui.protocols import grpc
    from rtui.protocols.wire import grpc_channel, grpc_reflection, grpc_schema

    own = grpc.Options()
    return [
        ("gRPC: largest message accepted, after decompression", size(own.max_message), flag("max_message")),
        ("gRPC: time for an answer to a ping", time(own.keep_alive_timeout), flag("keep_alive_timeout")),
        (
            "gRPC: received and not yet looked at, of one call; of all; then the server waits",
            f"{size(grpc_channel.STREAM_WINDOW)}; {size(grpc_channel.CONNECTION_WINDOW)}",
            "-",
        ),
        ("gRPC: one answer of reflection", size(grpc_reflection.LIMIT), "-"),
        ("gRPC: all descriptors of a server; a descriptor set", size(descriptor_set.LARGEST), "-"),
        ("gRPC: methods of a server", count(grpc_schema.METHODS), "-"),
        ("gRPC: depth of a template; its fields", f"{template.DEEPEST}; {count(template.MOST)}", "-"),
    ]


def kept() -> list[Limit]:
    """What the recording holds."""
    from rtui.capture import channels, courier, journal
    from rtui.runtime import backlog
    from rtui.settings.config import Config

    config = Config()
    return [
        ("sent and not read by the peer; then `rtui send` waits, and more is refused", size(backlog.MOST_BYTES), "-"),
        ("not yet stored; then the peer waits", size(courier.LAG_BYTES), "-"),
        ("the same on a full disk; then the oldest are lost, and counted", size(courier.MAX_BYTES), "-"),
        (
            "messages held in memory; the rest is read from the file",
            f"{count(journal.TAIL_RECORDS)} or {size(journal.TAIL_BYTES)}",
            "-",
        ),
        ('channels in the tree; further ones are counted as "(others)"', count(channels.MAX_CHANNELS), "-"),
        ("levels that a channel's name is split into", count(channels.MAX_LEVELS), "-"),
        (
            "recordings kept",
            f"{size(config.capture_max_size)}, {config.capture_max_age / 86400:g} days",
            "`capture_max_size`, `capture_max_age` in config.toml",
        ),
    ]


def shown_at_once() -> list[Limit]:
    """What the workbench looks at."""
    from rtui.capture import effort, joined, past, pattern, series
    from rtui.payloads import diff, json, markdown, meaning, yaml
    from rtui.workbench.widgets import chart

    return [
        ("payloads compared in the message pane", f"{size(diff.MAX_BYTES)}, {count(diff.MAX_ROWS)} rows", "-"),
        ("numbers in a chart; curves", f"the newest {count(series.POINTS)} of each; {chart.MOST}", "-"),
        ("time to look for them, or for the message before, in the file", time(past.PATIENCE), "-"),
        ("joined text shown; payload of one piece", f"{size(markdown.KEPT)}; {size(joined.MAX_BYTES)}", "-"),
        ("values of a JSON payload in the tree view; the rest as text", count(json.NODE_LIMIT), "-"),
        ("a binary payload whose fields filters, charts and rows see", size(meaning.LARGEST), "-"),
        ("levels of a YAML payload in the tree view", count(yaml.DEEPEST), "-"),
        ("of a payload that a regular expression searches", size(pattern.SEARCHED), "-"),
        ("time for that; beyond it the payload does not match", f"about {time(effort.AFFORDED)}", "-"),
    ]


def flag(key: str) -> str:
    """An option by its flag and its key."""
    return f"`--{key.replace('_', '-')}`, `{key}`"


def shown(keys: str) -> str:
    """ "ctrl+s,f2" as `ctrl+s` `f2`; names of signs as the signs."""
    return " ".join(f"`{SIGNS.get(key, key)}`" for key in keys.split(","))


def markdown(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """A table."""
    lines = [head, ("---",) * len(head), *(tuple(cell.replace("|", "\\|") for cell in row) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def settings() -> str:
    """What config.toml may hold."""
    from rtui.settings.config import Config
    from rtui.settings.option import declared

    rows = [(f"`{one.key}`", one.summary, _default(one)) for one in declared(Config)]
    return markdown(("key", "does", "default"), rows)


def _default(one: Declared) -> str:
    """As a file would have it, and what else there is."""
    written: Mapping[str, Callable[[Any], str]] = {"size": size, "duration": time, "flag": lambda on: str(on).lower()}
    value = written.get(one.kind, str)(one.default)
    if one.choices:
        others = ", ".join(str(choice) for choice in one.choices if choice != one.default)
        return f"{value} ({others})"
    return value or "-"


TABLES: Mapping[str, Callable[[], str]] = {"filters": filters, "keys": keys, "limits": limits, "settings": settings}


def filled(text: str) -> str:
    """`text` with each table between its marks."""
    for name, table in TABLES.items():
        marks = re.compile(rf"(<!-- {name}: [^\n]*-->\n).*?(<!-- /{name} -->)", re.DOTALL)
        made = table()
        text = marks.sub(lambda found, made=made: f"{found[1]}\n{made}\n\n{found[2]}", text)  # type: ignore[misc]
    return text


if __name__ == "__main__":
    README.write_text(filled(README.read_text(encoding="utf-8")), encoding="utf-8")
