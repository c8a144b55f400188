"""Insomnia: exports of format 4 (JSON or YAML, up to 10) and 5 (`collection.insomnia.rest/5.0`, YAML, from 10.2).

Format 4 is a flat list of resources that name their parents; format 5 is a tree. Both are read into requests with
their folders and environments. Taken: WebSocket requests with their payloads, gRPC requests, and requests that accept
text/event-stream. The base environment becomes the session's variables; of the other environments their names are told.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from rtui.settings.files import SettingsError
from rtui.settings.importing.base import Gatherer, Harvest, distinct
from rtui.settings.importing.document import Node
from rtui.settings.importing.request import EVENT_STREAM, headers_into, pluses, safe_url, socket_url
from rtui.settings.importing.variable import Variables, flattened
from rtui.settings.session_model import SavedMessage, Session

TITLE: Final = "Insomnia"
_KINDS: Final = {"websocket_request": "websocket", "grpc_request": "grpc", "request": "http"}
_PREFIXES: Final = {"ws-req": "websocket", "greq": "grpc", "req": "http", "socket-io-req": "socketio"}
_TAG: Final = re.compile(r"(\{\{.{0,500}?\}\}|\{%.{0,500}?%\})")
_BASE: Final = "the base environment is taken; see [variables]"
_DEEPEST: Final = 50
"""Folders within each other."""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One request of either format."""

    node: Node
    kind: str
    """websocket, grpc, http, or what else it calls itself."""
    folder: str
    variables: Mapping[str, str]
    payloads: tuple[Node, ...] = ()
    """Saved messages of a WebSocket (format 4)."""


def claims(document: Node) -> bool:
    """Whether it is an export of either format."""
    value = document.value
    if not isinstance(value, dict):
        return False
    return value.get("_type") == "export" or ".insomnia.rest/" in str(value.get("type"))


def harvest(document: Node) -> Harvest:
    """A session for each request that stays open.

    Raises:
        SettingsError: for other formats.
    """
    if document["_type"].text() == "export":
        version = document["__export_format"].text()
        read = _version_4
        if version != "4":
            raise document["__export_format"].wrong(f"format {version} is not read; 4 and 5 are: export it again")
    else:
        version = document["type"].text().rpartition("/")[2]
        read = _version_5
        if not version.startswith("5."):
            raise document["type"].wrong(f"format {version} is not read; 4 and 5 are: export it again")
    gatherer = Gatherer(f"{TITLE} {version}")
    others: Counter[str] = Counter()
    for request in read(document, gatherer):
        try:
            _take(request, gatherer, others)
        except SettingsError as error:
            gatherer.broken(error)
    for kind, count in sorted(others.items()):
        gatherer.leave("", f"{count:,} × {kind}", "no request that stays open")
    return gatherer.harvest()


def _version_4(document: Node, gatherer: Gatherer) -> Iterator[Request]:
    resources = [one for one in document["resources"] if isinstance(one.value, dict)]
    by_id = {one["_id"].text(): one for one in resources}
    of_kind = _grouped(resources)
    payloads: dict[str, list[Node]] = {}
    for one in of_kind.get("websocket_payload", []):
        payloads.setdefault(one["parentId"].text(), []).append(one)
    for kind in ("proto_file", "proto_directory", "api_spec", "mock_route", "unit_test_suite", "cookie_jar"):
        if found := [one for one in of_kind.get(kind, []) if kind != "cookie_jar" or one["cookies"]]:
            gatherer.leave("", f"{len(found):,} × {kind}", "not a part of a session")
    base = {
        one["parentId"].text(): one
        for one in of_kind.get("environment", [])
        if by_id.get(one["parentId"].text(), one)["_type"].text() == "workspace"
    }
    for one in of_kind.get("environment", []):
        if one["parentId"].text() not in base and one["data"]:
            gatherer.leave("", f"the environment {one['name'].text()}", _BASE)
    for kind in _KINDS:
        for one in of_kind.get(kind, []):
            folders = _ancestors(one, by_id)
            variables: dict[str, str] = {}
            for folder in reversed(folders):
                known = base.get(folder["_id"].text()) if folder["_type"].text() == "workspace" else None
                variables |= flattened(known["data"] if known is not None else folder["environment"])
            names = [each["name"].text() for each in reversed(folders) if each["_type"].text() == "request_group"]
            yield Request(
                node=one,
                kind=_KINDS[kind],
                folder="/".join(names),
                variables=variables,
                payloads=tuple(payloads.get(one["_id"].text(), ())),
            )


def _grouped(resources: list[Node]) -> dict[str, list[Node]]:
    groups: dict[str, list[Node]] = {}
    for one in resources:
        groups.setdefault(one["_type"].text(), []).append(one)
    return groups


def _ancestors(one: Node, by_id: Mapping[str, Node]) -> list[Node]:
    """The folders around it and the workspace, from the inside; a circle ends at some depth."""
    found: list[Node] = []
    parent = by_id.get(one["parentId"].text())
    while parent is not None and len(found) < _DEEPEST:
        found.append(parent)
        parent = by_id.get(parent["parentId"].text())
    return found


def _version_5(document: Node, gatherer: Gatherer) -> Iterator[Request]:
    environments = document["environments"]
    variables = flattened(environments["data"])
    for one in environments["subEnvironments"]:
        gatherer.leave("", f"the environment {one['name'].text()}", _BASE)
    if document["cookieJar"]["cookies"]:
        gatherer.leave("", "the cookie jar", "cookies are options of a session: [options.cookies]")
    if document["certificates"] or document["caCertificate"]:
        gatherer.leave("", "certificates", "name their files in the session: ca, cert, key")
    yield from _tree(document["collection"], (), variables)


def _tree(items: Node, folders: tuple[str, ...], variables: Mapping[str, str]) -> Iterator[Request]:
    for one in items:
        if one["children"] or not one["url"].value:
            inner = {**variables, **flattened(one["environment"])}
            yield from _tree(one["children"], (*folders, one["name"].text()), inner)
        else:
            kind = one["meta"]["id"].text().rpartition("_")[0]
            yield Request(
                node=one, kind=_PREFIXES.get(kind, _by_url(one)), folder="/".join(folders), variables=variables
            )


def _by_url(one: Node) -> str:
    if one["protoMethodName"]:
        return "grpc"
    return "websocket" if one["url"].text().lower().startswith(("ws://", "wss://")) else "http"


def _take(request: Request, gatherer: Gatherer, others: Counter[str]) -> None:
    one = request.node
    variables = Variables(request.variables)
    make = {"websocket": _websocket, "grpc": _grpc}.get(request.kind)
    if make is None and request.kind == "http" and _is_stream(one):
        make = _stream
    if make is None:
        others[{"http": "HTTP request"}.get(request.kind, request.kind)] += 1
        return
    if not one["url"].text().strip():
        raise one["url"].wrong("is empty")
    session = make(request, variables, gatherer)
    named = msgspec.structs.replace(
        session,
        name=variables.text(one["name"].text()),
        description=(one["description"].text() or one["meta"]["description"].text()).partition("\n")[0],
        variables=variables.used,
    )
    variables.leave(one["name"].text(), gatherer)
    gatherer.add(named, request.folder)


def _is_stream(one: Node) -> bool:
    return any(EVENT_STREAM in value.lower() for name, value in _pairs(one["headers"]) if name.lower() == "accept")


def _pairs(items: Node) -> Iterator[tuple[str, str]]:
    """Headers, parameters, metadata: those that are switched on."""
    for one in items:
        if not one["disabled"].flag() and one["name"].text():
            yield one["name"].text(), one["value"].text()


def _connection(one: Node, variables: Variables, gatherer: Gatherer, *, socket: bool) -> dict[str, Any]:
    options: dict[str, Any] = {}
    headers_into(options, _pairs(one["headers"]), variables.text, socket=socket)
    _authenticate(one, options, variables, gatherer)
    return options


def _authenticate(one: Node, options: dict[str, Any], variables: Variables, gatherer: Gatherer) -> None:
    given = one["authentication"]
    kind = given["type"].text()
    if not kind or kind == "none" or given["disabled"].flag():
        return
    if kind == "basic":
        options |= {key: variables.text(given[key].text()) for key in ("username", "password")}
    elif kind == "bearer" and not given["prefix"].text():
        options["token"] = variables.text(given["token"].text())
    elif kind == "apikey" and given["addTo"].text("header") == "header":
        name, value = variables.text(given["key"].text()), variables.text(given["value"].text())
        options["headers"] = options.get("headers", {}) | {name: value}
    else:
        why = "only basic, bearer and a header with a key are known"
        gatherer.leave(one["name"].text(), f"authentication {kind}", why)


def _url(one: Node, variables: Variables) -> str:
    """The URL with its parameters; those of the path stand as `:name` in it."""
    url = one["url"].text().strip()
    for name, value in _pairs(one["pathParameters"]):
        url = url.replace(f"/:{name}", f"/{value}")
    query = "&".join(f"{name}={value}" for name, value in _pairs(one["parameters"]))
    joined = f"{url}{'&' if '?' in url else '?'}{query}" if query else url
    return variables.text(_escaped(joined))


def _escaped(url: str) -> str:
    """Spaces inside of a tag are part of it."""
    return "".join(part if part.startswith("{") else safe_url(part) for part in _TAG.split(url))


def _websocket(request: Request, variables: Variables, gatherer: Gatherer) -> Session:
    one = request.node
    messages = (
        SavedMessage(name=each["name"].text() or "message", payload=variables.text(each["value"].text()))
        for each in request.payloads
    )
    return Session(
        name="",
        url=socket_url(_url(one, variables)),
        protocol="websocket" if "{" in one["url"].text()[:2] else "",
        options=_connection(one, variables, gatherer, socket=True),
        messages=tuple(distinct(messages)),
    )


def _stream(request: Request, variables: Variables, gatherer: Gatherer) -> Session:
    one = request.node
    options = _connection(one, variables, gatherer, socket=False)
    body = one["body"]
    if text := body["text"].text():
        options["data"] = variables.text(text)
        kind = body["mimeType"].text()
        if kind and not any(name.lower() == "content-type" for name in options.get("headers", {})):
            options["headers"] = options.get("headers", {}) | {"Content-Type": kind}
    elif body["params"] or body["fileName"]:
        gatherer.leave(one["name"].text(), "the body", "forms and files are not taken over")
    method = one["method"].text("GET").upper()
    if method != ("POST" if "data" in options else "GET"):
        options["method"] = method
    url = _url(one, variables)
    plain = url.lower().startswith(("http://", "https://"))
    return Session(name="", url=pluses(url, "sse") if plain else url, protocol="" if plain else "sse", options=options)


def _grpc(request: Request, variables: Variables, gatherer: Gatherer) -> Session:
    one = request.node
    url = variables.text(one["url"].text().strip())
    scheme, separator, rest = url.partition("://")
    secure = scheme.lower() in {"grpcs", "https"}
    address = rest if separator else url
    metadata = {variables.text(name).lower(): variables.text(value) for name, value in _pairs(one["metadata"])}
    method = one["protoMethodName"].text().strip("/")
    text = one["body"]["text"].text()
    if one["protoFileId"]:
        gatherer.leave(one["name"].text(), "its .proto file", "the server is asked for its schema; else name it: proto")
    message = SavedMessage(name=method.rpartition("/")[2] or "message", channel=method, payload=variables.text(text))
    return Session(
        name="",
        url=f"{'grpcs' if secure else 'grpc'}://{address}",
        options={"metadata": metadata} if metadata else {},
        messages=(message,) if method else (),
    )
