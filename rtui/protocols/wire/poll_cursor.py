"""The cursor of a poll: taken from one answer by JSON path, carried by the next request. No I/O."""

from __future__ import annotations

import json
import re
from typing import Any, Final, Literal, NamedTuple, TypeAlias, cast

import msgspec

from rtui.core import json_path
from rtui.core.fault import Failure
from rtui.core.json_path import BadPath, Steps
from rtui.protocols.polling import Options
from rtui.protocols.wire.reach_fault import usage

LONGEST: Final = 8192
"""Bytes of a cursor; a server's limit for a whole request line is not larger."""
PLACES: Final = "query:NAME, header:NAME or body:PATH, such as query:after"

Place: TypeAlias = Literal["query", "header", "body"]
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


class Target(NamedTuple):
    """Where the cursor goes."""

    place: Place
    name: str
    steps: Steps = ()
    """Of `body:`."""


class Carried(NamedTuple):
    """What a request carries besides what the options say."""

    query: dict[str, str] = {}  # noqa: RUF012 - never changed
    headers: dict[str, str] = {}  # noqa: RUF012
    data: bytes | None = None


def path_option(name: str, text: str) -> Steps | None:
    """The JSON path that an option holds; None if it is empty.

    Raises:
        Failure: kind usage, if it is no path.
    """
    try:
        return json_path.read(text) if text else None
    except BadPath as error:
        raise Failure(usage(f"{name} is not a JSON path", f"{text!r}: {error.message}", error.hint)) from None


def target(text: str) -> Target:
    """What the option `cursor_to` means.

    Raises:
        Failure: kind usage, if it means nothing.
    """
    place, _, name = text.partition(":")
    if place == "body" and name:
        return Target("body", name, path_option("The place in cursor_to", name) or ())
    if (place == "query" and name) or (place == "header" and _TOKEN.fullmatch(name)):
        return Target(cast("Place", place), name)
    raise Failure(usage("cursor_to cannot be used", f"{text!r} names no place", f"Write {PLACES}"))


class Cursor:
    """The cursor of one link. The last one is kept in the link's memory: a reconnect goes on where it was."""

    def __init__(self, options: Options, memory: dict[str, Any]) -> None:
        """Raises `Failure` if the options cannot be used."""
        self.steps = path_option("cursor", options.cursor)
        self.target = target(options.cursor_to)
        self._memory = memory
        self._complained = False
        if options.start_cursor and "cursor" not in memory:
            self._keep(_as_json(options.start_cursor))

    @property
    def raw(self) -> bytes:
        """The cursor as JSON, digits as they came; empty before there is one."""
        return cast("bytes", self._memory.get("cursor", b""))

    @property
    def parameter(self) -> str:
        """The name of the query parameter that carries it, or empty."""
        return self.target.name if self.target.place == "query" and (self.steps is not None or self.raw) else ""

    def carried(self, body: bytes) -> Carried:
        """What the next request carries; `body` is what the options say.

        Raises:
            Failure: kind usage, if there is no place for it in `body`.
        """
        if not self.raw:
            return Carried()
        place, name, steps = self.target
        if place == "query":
            return Carried(query={name: _text(self.raw)})
        if place == "header":
            return Carried(headers={name: _text(self.raw)})
        try:
            return Carried(data=json_path.put(body or b"{}", steps, self.raw))
        except ValueError as error:
            why = usage("The cursor cannot be put into the body", str(error), "Give --data a JSON object")
            raise Failure(why) from None

    def learn(self, body: bytes) -> str:
        """Take the cursor from an answer; the complaint if there is none, once until there is one again."""
        if self.steps is None:
            return ""
        trouble = self._take(json_path.cut(body, self.steps), body)
        told, self._complained = self._complained, bool(trouble)
        if not trouble or told:
            return ""
        return trouble + ("; the last one is kept" if self.raw else "")

    def _take(self, found: bytes | None, body: bytes) -> str:
        where = json_path.write(self.steps or ())
        if found is None or found == b"null":
            return f"no cursor at {where}" if json_path.is_json(body) else "no cursor: the answer is not JSON"
        if len(found) > LONGEST:
            return f"the cursor at {where} has {len(found):,} bytes, {LONGEST:,} are allowed"
        if not self._fits(found):
            return f"the cursor at {where} cannot stand in a {self.target.place}"
        self._keep(found)
        return ""

    def _fits(self, raw: bytes) -> bool:
        try:
            text = _text(raw)
            text.encode()
        except ValueError:
            return False
        # A line end in a header would be a header of the server's choice.
        return self.target.place != "header" or (text.isascii() and text.isprintable() and text == text.strip())

    def _keep(self, raw: bytes) -> None:
        self._memory["cursor"] = raw


def _as_json(text: str) -> bytes:
    raw = text.encode(errors="surrogateescape")
    return raw if json_path.is_json(raw) else msgspec.json.encode(text)


def _text(raw: bytes) -> str:
    """A JSON value as it stands in a query or a header: a text without its quotes, anything else as it came.

    Raises:
        ValueError: it is not UTF-8.
    """
    return str(json.loads(raw)) if raw.startswith(b'"') else raw.decode()
