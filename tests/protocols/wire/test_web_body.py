"""Compressed bodies: undone as they come, in small pieces, however they are cut, and never more than asked for."""

from __future__ import annotations

import asyncio
import gzip
import tracemalloc
import zlib
from collections.abc import Callable

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtui.core.fault import Failure
from rtui.protocols.request import RequestOptions
from rtui.protocols.wire.web import Web
from rtui.protocols.wire.web_body import PIECE, Body, encodings
from rtui.protocols.wire.web_fault import CutShort, TooLarge
from tests.protocols.http_peer import answering, chunked, serving, whole


def bare(data: bytes) -> bytes:
    """deflate as RFC 1951 has it, without the frame of RFC 1950."""
    return zlib.compress(data, wbits=-zlib.MAX_WBITS)


def members(data: bytes) -> bytes:
    """gzip of two members, with padding."""
    half = len(data) // 2
    return gzip.compress(data[:half]) + gzip.compress(data[half:]) + b"\0\0\0"


ENCODINGS: list[tuple[str, Callable[[bytes], bytes]]] = [
    ("gzip", gzip.compress),
    ("x-gzip", gzip.compress),
    ("gzip", members),
    ("deflate", zlib.compress),
    ("deflate", bare),
    ("br", brotli.compress),
    ("gzip, br", lambda data: brotli.compress(gzip.compress(data))),
]
TEXT = b'data: {"price": 1234.5, "name": "caf\xc3\xa9"}\n\n' * 50


def decoded(names: str, *parts: bytes) -> bytes:
    """What the parts of a body mean, read to the end."""
    body = Body(encodings([("Content-Encoding", names)]))
    found = b"".join(piece for part in parts for piece in body.feed(part))
    body.end()
    return found


@pytest.mark.parametrize(("name", "encode"), ENCODINGS)
@given(data=st.data())
def test_the_result_does_not_depend_on_the_cuts(
    name: str, encode: Callable[[bytes], bytes], data: st.DataObject
) -> None:
    encoded = encode(TEXT)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(encoded)), max_size=8)))
    parts = [encoded[start:end] for start, end in zip([0, *cuts], [*cuts, len(encoded)], strict=True)]
    assert decoded(name, *parts) == TEXT


@pytest.mark.parametrize(("name", "encode"), ENCODINGS)
def test_byte_by_byte(name: str, encode: Callable[[bytes], bytes]) -> None:
    encoded = encode(TEXT)
    assert decoded(name, *(encoded[at : at + 1] for at in range(len(encoded)))) == TEXT


@pytest.mark.parametrize("name", ["gzip", "deflate", "br"])
def test_what_was_flushed_comes_without_waiting_for_the_end(name: str) -> None:
    body = Body([name])
    for event in (b"data: 1\n\n", b"data: 2\n\n"):
        assert b"".join(body.feed(FLUSHERS[name](event))) == event


class Flusher:
    """Compresses and flushes each event."""

    def __init__(self, bits: int) -> None:
        self.deflater = zlib.compressobj(wbits=bits)

    def __call__(self, event: bytes) -> bytes:
        return self.deflater.compress(event) + self.deflater.flush(zlib.Z_SYNC_FLUSH)


def brotli_flusher() -> Callable[[bytes], bytes]:
    compressor = brotli.Compressor()
    return lambda event: compressor.process(event) + compressor.flush()


FLUSHERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": Flusher(zlib.MAX_WBITS | 16),
    "deflate": Flusher(zlib.MAX_WBITS),
    "br": brotli_flusher(),
}


@pytest.mark.parametrize(("name", "encode"), ENCODINGS)
def test_a_cut_body_is_cut_short(name: str, encode: Callable[[bytes], bytes]) -> None:
    with pytest.raises(CutShort, match="ends in the middle"):
        decoded(name, encode(TEXT).rstrip(b"\0")[:-5])


@pytest.mark.parametrize("name", ["gzip", "deflate", "br"])
def test_no_body_at_all_is_whole(name: str) -> None:
    assert decoded(name) == b""


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("gzip", b"this is no gzip"),
        ("deflate", b"\xff\xff\xff"),
        ("br", b"\xff\xff\xff\xff"),
        ("gzip", gzip.compress(TEXT, mtime=0) + b"and more"),
        ("br", brotli.compress(TEXT) + b"and more"),
        ("gzip", gzip.compress(TEXT, mtime=0)[:-8] + bytes(8)),
    ],
)
def test_a_corrupt_body_is_a_fault_of_the_server(name: str, data: bytes) -> None:
    with pytest.raises(Failure) as caught:
        decoded(name, data)
    assert (caught.value.fault.kind, caught.value.fault.title) == ("protocol", "Corrupt compression")


@pytest.mark.parametrize("names", ["zstd", "gzip, compress"])
def test_an_encoding_that_is_not_known_is_named(names: str) -> None:
    with pytest.raises(Failure, match=f"Content-Encoding is '{names.rpartition(' ')[2]}'"):
        decoded(names)


def test_layers_have_a_limit() -> None:
    assert decoded("gzip, gzip, gzip", gzip.compress(gzip.compress(gzip.compress(b"x")))) == b"x"
    with pytest.raises(Failure, match="4 layers"):
        decoded("gzip, gzip, gzip, gzip")


def test_several_headers_are_one_list() -> None:
    headers = [("content-encoding", "GZIP , identity"), ("X", "br"), ("Content-Encoding", "br")]
    assert encodings(headers) == ["gzip", "br"]


# Bombs


SIZE = 64 * 1024**2


def bomb(name: str) -> bytes:
    """SIZE zeros, as small as they get."""
    if name == "br":
        compressed: bytes = brotli.compress(bytes(SIZE), quality=1)
        return compressed
    deflater = zlib.compressobj(9, wbits=zlib.MAX_WBITS | (16 if name == "gzip" else 0))
    return b"".join(deflater.compress(bytes(1024**2)) for _ in range(SIZE // 1024**2)) + deflater.flush()


@pytest.mark.parametrize("name", ["gzip", "deflate", "br"])
async def test_a_bomb_never_becomes_large(name: str) -> None:
    data = whole(bomb(name), f"Content-Encoding: {name}")
    async with serving(answering(data)) as peer:
        web = Web(RequestOptions(proxy=""), peer.url())
        answer = await web.open()
        tracemalloc.start()
        try:
            size = 0
            async for piece in answer.pieces():
                assert len(piece) <= PIECE
                size += len(piece)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        await web.close()
    assert size == SIZE
    assert peak < 4 * 1024**2


@pytest.mark.parametrize("name", ["gzip", "deflate", "br"])
async def test_a_bomb_meets_the_limit_of_a_body(name: str) -> None:
    data = whole(bomb(name), f"Content-Encoding: {name}")
    async with serving(answering(data)) as peer:
        web = Web(RequestOptions(proxy=""), peer.url())
        answer = await web.open()
        tracemalloc.start()
        try:
            with pytest.raises(TooLarge):
                await answer.body(1024**2)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        await web.close()
    assert peak < 6 * 1024**2


async def test_a_body_tells_its_size_on_the_wire() -> None:
    encoded = gzip.compress(TEXT, mtime=0)
    async with serving(answering(chunked(encoded[:9], encoded[9:], headers=["Content-Encoding: gzip"]))) as peer:
        web = Web(RequestOptions(proxy=""), peer.url())
        answer = await web.open()
        assert await answer.body(len(TEXT)) == TEXT
        assert answer.size == len(encoded)
        await web.close()


async def test_the_loop_turns_while_a_bomb_is_read() -> None:
    deflater = zlib.compressobj(9, wbits=zlib.MAX_WBITS | 16)
    encoded = deflater.compress(bytes(64 * 1024**2)) + deflater.flush()
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    async with serving(answering(whole(encoded, "Content-Encoding: gzip"))) as peer:
        web = Web(RequestOptions(proxy=""), peer.url())
        answer = await web.open()
        counting = asyncio.ensure_future(count())  # noqa: TID251 - a test has no owner for it
        with pytest.raises(TooLarge):
            await answer.body(48 * 1024**2)
        counting.cancel()
        await web.close()
    assert turns > 20
