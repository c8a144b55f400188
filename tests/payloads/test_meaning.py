from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from rtui.encoding.type_file import TypeFile
from rtui.payloads.meaning import LARGEST, meaning
from rtui.payloads.typed import TypedView
from tests.protobuf.test_descriptor_set import made

__all__ = ["made"]


@pytest.mark.parametrize(
    ("payload", "meta", "text"),
    [
        (b"\x81\xa1v\x1e", None, b'{"v":30}'),
        (b"\xa1\x61v\x18\x1e", None, b'{"v":30}'),
        (b"\xd9\xd9\xf7\xa1\x61v\x18\x1e", None, b'{"v":30}'),
        (b"\x1e", None, None),  # a number in either, and a control character
        (b"\x1e", '{"content_type":"application/msgpack"}', b"30"),
        (b"\x18\x1e", '{"content_type":"application/cbor"}', b"30"),
        (b"\x81\xa1v", None, None),  # cut off
        (b"plain", None, None),
        ("\u07ff text".encode(), None, None),  # begins as an array of MessagePack does
        (b"", None, None),
    ],
)
def test_what_claims_a_format_and_is_in_it_has_a_meaning(payload: bytes, meta: str | None, text: bytes | None) -> None:
    assert meaning(payload, meta, None) == text


def test_a_type_comes_first_and_tells_zeros_too(made: Path) -> None:
    view = TypedView(TypeFile(made), "plant.Reading")
    assert msgspec.json.decode(meaning(b"", None, view) or b"") == {"celsius": 0.0, "tags": {}, "parts": []}
    assert view.json(b"") == b"{}"
    assert meaning(b"\x81\xa1v\x1e", None, view) == b'{"v":30}'  # none of the type: a guess is as good as without
    assert meaning(b"{", None, TypedView(TypeFile(made.parent / "none"), "plant.Reading")) is None


def test_what_is_large_is_left_alone() -> None:
    assert meaning(b"\xdd" + LARGEST.to_bytes(4) + b"\x01" * LARGEST, None, None) is None
