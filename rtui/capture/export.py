"""Records as lines: the NDJSON of the command line, lines for eyes, and raw payloads.

NDJSON keys, in this order and absent when empty: time connection protocol direction kind channel encoding data size
latency_ms meta. A JSON payload is spliced in as it came, digits unchanged, once it is known to be valid.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

import msgspec

from rtui.capture.query import Filter
from rtui.capture.reader import LinkRow, Reader
from rtui.core.clean import clean, clean_bytes
from rtui.core.record import Direction, Kind, Record

BATCH: Final = 2_000
# Looking for a number in bytes is one memchr; looking for b"\n" costs seven times as much.
_NEWLINE: Final = 0x0A
_RETURN: Final = 0x0D
_BACKSLASH: Final = 0x5C
_MAX_HEADS: Final = 10_000
TEXT_BYTES: Final = 4_096
"""Bytes of a payload that a line for eyes shows."""

_KINDS: Final = [kind.word for kind in Kind]
_DIRECTIONS: Final = [direction.word for direction in Direction]
_ARROWS: Final = ["·", "←", "→"]
_UNKNOWN: Final = LinkRow(0, "", "", "")
_SECOND: Final = 1_000_000_000

_quote = msgspec.json.Encoder().encode
_skip = msgspec.json.Decoder(msgspec.Raw).decode
"""Checks that bytes are one JSON value, by RFC 8259, without building it."""
_MAX_DEPTH: Final = 512
_SMALL: Final = 2 * _MAX_DEPTH
"""Shorter payloads cannot nest deeper than allowed."""
_BREAK: Final = re.compile(rb"[\r\n]")
_STRING: Final = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_LONE: Final = re.compile(rb"\\u[dD][89a-fA-F]")


_heads: dict[tuple[str, str, int, int, str], bytes] = {}
"""The part of a line between time and data: the same for all messages of a channel."""


def ndjson_line(record: Record, link: LinkRow) -> bytes:
    """One line with its newline."""
    return b"".join(_parts(record, link, _stamp(record.time)))


def ndjson_lines(records: Iterable[Record], links: Mapping[int, LinkRow]) -> bytes:
    """Lines with their newlines; a third quicker than one by one."""
    out: list[bytes] = []
    time, stamp = -1, b""
    for record in records:
        if record.time != time:
            time, stamp = record.time, _stamp(record.time)
        out += _parts(record, links.get(record.link, _UNKNOWN), stamp)
    return b"".join(out)


def _parts(record: Record, link: LinkRow, stamp: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    key = (link.name, link.protocol, record.direction, record.kind, record.channel)
    payload = record.payload
    end = b',"size":%d}\n' % len(payload) if record.latency is None and record.meta is None else _rest(record)
    return stamp, _heads.get(key) or _head(key), encoded(payload), end


@lru_cache(maxsize=64)
def _stamp(time: int) -> bytes:
    return b'{"time":"' + timestamp(time).encode() + b'"'


def _head(key: tuple[str, str, int, int, str]) -> bytes:
    name, protocol, direction, kind, channel = key
    fields = {
        "connection": name,
        "protocol": protocol,
        "direction": _DIRECTIONS[direction],
        "kind": _KINDS[kind],
        "channel": channel,
    }
    head = b"," + _quote({name: _whole(value) for name, value in fields.items() if value})[1:-1]
    if len(_heads) > _MAX_HEADS:
        _heads.clear()
    _heads[key] = head
    return head


def timestamp(time: int) -> str:
    """RFC 3339 in UTC with microseconds, of nanoseconds since the epoch."""
    seconds, rest = divmod(time, _SECOND)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest // 1000:06d}Z"


def encoded(payload: bytes) -> bytes:
    """`,"encoding":…,"data":…`: JSON as it is if valid, else text, else base64; nothing for an empty payload."""
    line = _json_line(payload)
    return _encoded_text(payload) if line is None else b',"encoding":"json","data":' + line


def is_json(payload: bytes) -> bool:
    """Whether any reader of JSON lines will take `payload`: valid, UTF-8, not too deep, no lone surrogates."""
    return _json_line(payload) is not None


def _json_line(payload: bytes) -> bytes | None:
    """The payload without line breaks, or None if it is not `is_json`."""
    try:
        _skip(payload)
    except (msgspec.DecodeError, RecursionError):
        return None
    ordinary = len(payload) < _SMALL and payload.isascii() and _BACKSLASH not in payload
    if not (ordinary or _stands_scrutiny(payload)):
        return None
    return _one_line(payload) if _NEWLINE in payload or _RETURN in payload else payload


def _encoded_text(payload: bytes) -> bytes:
    if not payload:
        return b""
    try:
        return b',"encoding":"text","data":' + _quote(payload.decode())
    except UnicodeDecodeError:
        return b',"encoding":"base64","data":"' + base64.b64encode(payload) + b'"'


def _stands_scrutiny(payload: bytes) -> bool:
    """What skipping over a value does not look at: UTF-8, surrogate escapes without their other half, depth."""
    try:
        payload.decode()
        if _LONE.search(payload):
            msgspec.json.decode(payload)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return False
    return len(payload) < _SMALL or _is_shallow(payload)


def text_line(record: Record, link: LinkRow) -> bytes:
    """One line for eyes, with its newline: local time, arrow, connection, channel, payload, all cleaned."""
    stamp = datetime.fromtimestamp(record.time // _SECOND).astimezone()
    clock = f"{stamp:%H:%M:%S}.{record.time % _SECOND // 1_000_000:03d}"
    kind = "" if record.kind == Kind.MESSAGE else _KINDS[record.kind]
    latency = "" if record.latency is None else f"({record.latency / 1e6:.2f} ms)"
    body = clean_bytes(record.payload, TEXT_BYTES)
    parts = (clock, _ARROWS[record.direction], clean(link.name), kind, clean(record.channel), body, latency)
    return (" ".join(part for part in parts if part) + "\n").encode(errors="backslashreplace")


def raw_line(record: Record, _link: LinkRow = _UNKNOWN) -> bytes:
    """The payload and a newline."""
    return record.payload + b"\n"


def export(
    reader: Reader,
    found: Filter | None,
    out: Callable[[bytes], Any],
    *,
    link: int | None = None,
    form: str = "ndjson",
    wanted: Callable[[Record], bool] | None = None,
) -> int:
    """Write the records that match, oldest first, and return how many; `form`: ndjson, text or raw."""
    _, last = reader.bounds()  # before the connections: of a row that comes later, its connection may not be known
    links = {row.id: row for row in reader.links()}
    render = _renderer(form, links)
    count = 0
    for seqs in reader.scan(found, link, newest_first=False, last=last):
        for at in range(0, len(seqs), BATCH):
            records = reader.window(seqs[at : at + BATCH])
            if wanted is not None:
                records = [record for record in records if wanted(record)]
            if records:
                out(render(records))
                count += len(records)
    return count


def _renderer(form: str, links: Mapping[int, LinkRow]) -> Callable[[Sequence[Record]], bytes]:
    if form == "ndjson":
        return lambda records: ndjson_lines(records, links)
    line = raw_line if form == "raw" else text_line
    return lambda records: b"".join([line(record, links.get(record.link, _UNKNOWN)) for record in records])


def _rest(record: Record) -> bytes:
    """The end of a line: size, latency and meta."""
    latency = b"" if record.latency is None else b',"latency_ms":' + _milliseconds(record.latency)
    meta = _json_line(record.meta.encode(errors="backslashreplace")) if record.meta else None
    if meta is None or meta == b"{}":
        return b',"size":%d%b}\n' % (len(record.payload), latency)
    return b',"size":%d%b,"meta":%b}\n' % (len(record.payload), latency, meta)


def _milliseconds(nanoseconds: int) -> bytes:
    text = f"{nanoseconds / 1e6:.6f}".rstrip("0")
    return (text + "0" if text.endswith(".") else text).encode()


def _one_line(payload: bytes) -> bytes:
    """The same JSON without line breaks; they can only stand between its tokens."""
    return _BREAK.sub(b"", payload)


def _whole(text: str) -> str:
    return text.encode(errors="backslashreplace").decode()


def _is_shallow(payload: bytes) -> bool:
    """Whether brackets nest at most so deep that ordinary parsers take it."""
    if payload.count(b"[") + payload.count(b"{") <= _MAX_DEPTH:
        return True
    depth = deepest = 0
    for bracket in _STRING.sub(b"", payload):
        depth += (bracket in b"[{") - (bracket in b"]}")
        deepest = max(deepest, depth)
    return deepest <= _MAX_DEPTH
