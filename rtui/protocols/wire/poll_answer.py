"""From an answer to messages: what is new in it, and which channel it belongs to. No I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import blake2b
from typing import Any, Final
from urllib.parse import unquote_plus, urlsplit

import msgspec

from rtui.core import json_path
from rtui.core.event import Acknowledged, Event, Notice, Received
from rtui.core.record import Kind
from rtui.core.words import counted
from rtui.protocols.polling import LongOptions, Options
from rtui.protocols.wire.poll_item import Items
from rtui.settings.secrets import secret_parameters

BATCH: Final = 1_000
"""Items that are handed over at once."""
NOT_MODIFIED: Final = 304


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """One that came whole, with a status of success."""

    channel: str
    status: int
    body: bytes = b""
    meta: Mapping[str, Any] = {}
    """What its row tells besides."""


def channel(url: str, without: str = "") -> str:
    """What a URL is called in the tree: path and query, less credentials and the parameter `without`."""
    parts = urlsplit(url)
    hidden = {name for name, _ in secret_parameters(f"?{parts.query}")}
    named = [(each.partition("=")[0], each) for each in parts.query.split("&") if each]
    kept = [each for name, each in named if name not in hidden and unquote_plus(name) != without]
    return (parts.path or "/") + ("?" + "&".join(kept) if kept else "")


class Reader:
    """Tells what is new. What it compares with is kept in the link's memory: a reconnect shows nothing twice."""

    def __init__(self, options: Options, memory: dict[str, Any]) -> None:
        """Raises `Failure` if the options cannot be used."""
        self.fresh = False
        """Whether the last answer had anything new in it."""
        self._only_changes = options.only_changes
        self._long = isinstance(options, LongOptions)
        self._items = Items(options, memory) if options.items else None
        self._memory = memory
        self._complaints: set[str] = set()

    def events(self, answer: Answer, command: int = 0) -> Iterator[list[Event]]:
        """The rows that an answer makes, in batches; `command` asked for it and is told even if nothing is new."""
        self.fresh = self._changed(answer)
        batch: list[Event] = []
        told = not command
        for row in self._rows(answer):
            if not told and isinstance(row, Received):
                batch.append(msgspec.structs.replace(row, replies_to=command))
                told = True
            else:
                batch.append(row)
            if len(batch) >= BATCH:
                yield batch
                batch = []
        if not told:
            batch.append(Acknowledged(command, answer.channel, b"", {"status": answer.status, "unchanged": True}))
        if batch:
            yield batch

    def _changed(self, answer: Answer) -> bool:
        if answer.status == NOT_MODIFIED or (self._long and not answer.body):
            return False
        if not (self._only_changes or self._long):
            return True
        mark = blake2b(answer.body, digest_size=16).digest()
        before, self._memory["digest"] = self._memory.get("digest"), mark
        return bool(before != mark)

    def _rows(self, answer: Answer) -> Iterator[Event]:
        if self._only_changes and not self.fresh:
            return
        if self._items is None:
            yield Received(answer.channel, answer.body, Kind.MESSAGE, answer.meta)
        elif answer.body:
            yield from self._split(self._items, answer)

    def _split(self, items: Items, answer: Answer) -> Iterator[Event]:
        found = items.cut(answer.body)
        if found is None:
            trouble = "no list" if json_path.is_json(answer.body) else "the answer is not JSON: no list"
            yield from self._complain("items", f"{trouble} at {items.path}; it is shown whole", answer)
            yield Received(answer.channel, answer.body, Kind.MESSAGE, answer.meta)
            return
        self._complaints.discard("items")
        brief = {key: value for key, value in answer.meta.items() if key != "headers"}
        new = 0
        for new, item in enumerate(items.fresh(found), 1):  # noqa: B007 - counts
            about = {"item": item.place, "key": item.key} if item.key else {"item": item.place}
            yield Received(answer.channel, item.payload, Kind.MESSAGE, brief | about)
        self.fresh = self.fresh and new > 0
        if items.keyless:
            yield from self._complain("key", f"{counted(items.keyless, 'item')} without {items.key_path}", answer)

    def _complain(self, about: str, text: str, answer: Answer) -> Iterator[Event]:
        """Say it once, until it was right again."""
        if about not in self._complaints:
            self._complaints.add(about)
            yield Notice(text=text, level="warning", channel=answer.channel)
