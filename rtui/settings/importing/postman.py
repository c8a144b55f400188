"""Postman collections of format 2.1: the requests in them that stay open.

Postman exports its own WebSocket and gRPC requests only since version 12, as files of format 3, which are not read. A
collection of format 2.1 can hold requests to ws:// URLs (other tools write them) and such as accept text/event-stream.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from rtui.settings.files import SettingsError
from rtui.settings.importing.base import Gatherer, Harvest
from rtui.settings.importing.document import Node
from rtui.settings.importing.request import EVENT_STREAM, headers_into, pluses, safe_url
from rtui.settings.importing.variable import Variables
from rtui.settings.session_model import Session

TITLE: Final = "Postman 2.1"
_SCHEMA: Final = "/collection/v2.1"
_SOCKETS: Final = ("ws://", "wss://")


def claims(document: Node) -> bool:
    """Whether it is a collection of any format."""
    info = document.value.get("info") if isinstance(document.value, dict) else None
    return isinstance(info, dict) and ("_postman_id" in info or "getpostman.com" in str(info.get("schema")))


def harvest(document: Node) -> Harvest:
    """A session for each request that stays open.

    Raises:
        SettingsError: for other formats.
    """
    schema = document["info"]["schema"]
    if _SCHEMA not in schema.text():
        raise schema.wrong("only format 2.1 is read: export the collection as v2.1")
    gatherer = Gatherer(TITLE)
    known = {one["key"].text(): one["value"].text() for one in document["variable"] if not one["disabled"].flag()}
    others = 0
    for item, folder, auth in _requests(document["item"], "", document["auth"]):
        try:
            others += not _take(item, folder, auth, known, gatherer)
        except SettingsError as error:
            gatherer.broken(error)
    if others:
        gatherer.leave("", f"{others:,} × HTTP request", "no request that stays open")
    return gatherer.harvest()


def _requests(items: Node, folder: str, auth: Node) -> Iterator[tuple[Node, str, Node]]:
    for one in items:
        own = one["auth"] or auth
        if one["item"].value is not None:
            yield from _requests(one["item"], "/".join(filter(None, [folder, one["name"].text()])), own)
        elif one["request"]:
            yield one, folder, own


def _take(item: Node, folder: str, auth: Node, known: Mapping[str, str], gatherer: Gatherer) -> bool:
    """Whether the request stays open; its session is added then."""
    request = item["request"]
    if isinstance(request.value, str):
        return False  # a URL to GET
    url = _url(request["url"])
    pairs = [(one["key"].text(), one["value"].text()) for one in request["header"] if not one["disabled"].flag()]
    socket = url.lower().startswith(_SOCKETS)
    streams = any(name.lower() == "accept" and EVENT_STREAM in value.lower() for name, value in pairs)
    if not (socket or streams):
        return False
    variables = Variables(known)
    options: dict[str, Any] = {}
    headers_into(options, pairs, variables.text, socket=socket)
    name = item["name"].text()
    _authenticate(request["auth"] or auth, name, options, variables, gatherer)
    if not socket:
        _body(request, name, options, variables, gatherer)
    if item["event"]:
        gatherer.leave(name, "its scripts", "nothing of a source is run")
    ours = variables.text(url)
    plain = socket or url.lower().startswith(("http://", "https://"))
    gatherer.add(
        Session(
            name=variables.text(name),
            url=ours if socket or not plain else pluses(ours, "sse"),
            protocol="" if plain else "sse",
            options=options,
            variables=variables.used,
        ),
        folder,
    )
    variables.leave(name, gatherer)
    return True


def _url(url: Node) -> str:
    """A text, or an object whose `raw` is it; `:name` in the path has its value in `variable`."""
    if isinstance(url.value, str) or not url:
        return safe_url(url.text())
    raw = url["raw"].text()
    for one in url["variable"]:
        raw = raw.replace(f"/:{one['key'].text()}", f"/{one['value'].text()}")
    return safe_url(raw)


def _authenticate(auth: Node, name: str, options: dict[str, Any], variables: Variables, gatherer: Gatherer) -> None:
    kind = auth["type"].text()
    given = {one["key"].text(): variables.text(one["value"].text()) for one in auth[kind]} if kind else {}
    if kind == "basic":
        options |= {key: given.get(key, "") for key in ("username", "password")}
    elif kind == "bearer":
        options["token"] = given.get("token", "")
    elif kind == "apikey" and given.get("in", "header") == "header":
        options["headers"] = options.get("headers", {}) | {given.get("key", ""): given.get("value", "")}
    elif kind and kind != "noauth":
        gatherer.leave(name, f"authentication {kind}", "only basic, bearer and a header with a key are known")


def _body(request: Node, name: str, options: dict[str, Any], variables: Variables, gatherer: Gatherer) -> None:
    body = request["body"]
    if body and body["mode"].text() != "raw":
        gatherer.leave(name, f"the body ({body['mode'].text()})", "only raw bodies are taken over")
    elif text := body["raw"].text():
        options["data"] = variables.text(text)
    method = request["method"].text("GET").upper()
    if method != ("POST" if "data" in options else "GET"):
        options["method"] = method
