"""HAR 1.2 of Chrome, Edge, Firefox and Safari: the WebSockets and event streams of a page.

Chrome marks its entries with `_resourceType` ("websocket", "eventsource") and keeps frames in `_webSocketMessages`:
{"type": "send" | "receive", "time", "opcode": 1 | 2, "data"}, base64 where the opcode is 2. Firefox has the same frames
since 128, and else only the request. Chrome leaves cookies and authorization out unless asked ("with sensitive data").
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from rtui.settings.files import SettingsError
from rtui.settings.importing.base import MOST_MESSAGES, Gatherer, Harvest, distinct
from rtui.settings.importing.brace import literal
from rtui.settings.importing.document import Node
from rtui.settings.importing.request import (
    EVENT_STREAM,
    headers_into,
    name_of,
    pluses,
    safe_url,
    socket_url,
)
from rtui.settings.session_model import SavedMessage, Session

TITLE: Final = "HAR"
_BINARY: Final = 2
_SWITCHED: Final = 101


def claims(document: Node) -> bool:
    """Whether it is a HAR file."""
    log = document.value.get("log") if isinstance(document.value, dict) else None
    return isinstance(log, dict) and "entries" in log


def harvest(document: Node) -> Harvest:
    """A session for each connection of the page; ordinary requests are counted."""
    log = document["log"]
    gatherer = Gatherer(f"{TITLE} {log['version'].text('1.2')}")
    others: Counter[str] = Counter()
    for entry in log["entries"]:
        try:
            kind = _kind(entry)
            if kind:
                gatherer.add(_session(entry, kind, gatherer))
            else:
                others[entry["_resourceType"].text("request")] += 1
        except SettingsError as error:
            gatherer.broken(error)
    for kind, count in sorted(others.items()):
        gatherer.leave("log.entries", f"{count:,} × {kind}", "no WebSocket and no event stream")
    return gatherer.harvest()


def _kind(entry: Node) -> str:
    """What stays open here: websocket, sse, or nothing."""
    request, response = entry["request"], entry["response"]
    scheme = request["url"].text().partition("://")[0].lower()
    marked = entry["_resourceType"].text().lower()
    if scheme in {"ws", "wss"} or marked == "websocket" or (response["status"].value == _SWITCHED):
        return "websocket"
    accepts = any(EVENT_STREAM in value.lower() for name, value in _headers(request) if name.lower() == "accept")
    brought = response["content"]["mimeType"].text().lower().startswith(EVENT_STREAM)
    return "sse" if marked == "eventsource" or accepts or brought else ""


def _headers(request: Node) -> Iterator[tuple[str, str]]:
    for header in request["headers"]:
        yield header["name"].text(), header["value"].text()


def _session(entry: Node, kind: str, gatherer: Gatherer) -> Session:
    request = entry["request"]
    url = safe_url(request["url"].text().partition("#")[0])
    options: dict[str, Any] = {}
    socket = kind == "websocket"
    left = headers_into(options, _headers(request), literal, socket=socket, browser=True)
    if left:
        gatherer.leave(entry.where, ", ".join(left), "of the browser's own")
    if not socket:
        _request(request, options)
    return Session(
        name=name_of(url),
        url=literal(socket_url(url) if socket else pluses(url, "sse")),
        description=entry["comment"].text(),
        options=options,
        messages=tuple(_messages(entry, gatherer)) if socket else (),
    )


def _request(request: Node, options: dict[str, Any]) -> None:
    post = request["postData"]
    if text := post["text"].text():
        options["data"] = literal(text)
    method = request["method"].text("GET").upper()
    if method != ("POST" if text else "GET"):
        options["method"] = method
    if post["params"] and not text:
        raise post.wrong("forms are not taken over")


def _messages(entry: Node, gatherer: Gatherer) -> Iterator[SavedMessage]:
    """What the page sent, each text once."""
    sent = (frame for frame in entry["_webSocketMessages"] if frame["type"].text() == "send")
    found = [
        SavedMessage(
            name="sent",
            payload=literal(frame["data"].text()),
            format="base64" if frame["opcode"].value == _BINARY else "text",
        )
        for frame in sent
    ]
    messages = list(distinct(found))
    if len(messages) > MOST_MESSAGES:
        more = f"{len(messages) - MOST_MESSAGES:,} more messages"
        gatherer.leave(entry.where, more, f"{MOST_MESSAGES} are taken for one session")
    yield from messages[:MOST_MESSAGES]
