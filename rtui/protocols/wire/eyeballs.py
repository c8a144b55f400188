"""Of several addresses of one host, the one that answers first: Happy Eyeballs (RFC 8305)."""

from __future__ import annotations

import asyncio
import socket
from typing import Any, Final

HEAD_START: Final = 0.25
"""Seconds before the next address is tried as well (RFC 8305 §5: Connection Attempt Delay)."""


async def quickest(found: list[Any]) -> socket.socket:
    """A socket connected to the first of the `getaddrinfo` results that answers.

    Raises:
        OSError: none did; a refusal, if there was one, for it tells more than an unreachable network.
    """
    waiting = _interleaved(found)
    running: set[asyncio.Future[socket.socket]] = set()
    errors: list[OSError] = []
    try:
        while waiting or running:
            if waiting:
                family, kind, number, _, address = waiting.pop(0)
                running.add(asyncio.ensure_future(_connected(family, kind, number, address)))  # noqa: TID251 - ours
            pause = HEAD_START if waiting else None
            done, running = await asyncio.wait(running, timeout=pause, return_when=asyncio.FIRST_COMPLETED)
            if winner := _connected_one(done, errors):
                return winner
    finally:
        await _give_up(running)
    raise next((error for error in errors if isinstance(error, ConnectionRefusedError)), errors[-1])


def _interleaved(found: list[Any]) -> list[Any]:
    """The addresses with their families in turns, the resolver's favourite first (RFC 8305 §4)."""
    families = {family: [one for one in found if one[0] == family] for family, *_ in found}
    longest = max(map(len, families.values()))
    return [group[index] for index in range(longest) for group in families.values() if index < len(group)]


def _connected_one(done: set[asyncio.Future[socket.socket]], errors: list[OSError]) -> socket.socket | None:
    """The first of the sockets in `done`; a second one is closed again."""
    winner: socket.socket | None = None
    for each in done:
        error = each.exception()
        if isinstance(error, OSError):
            errors.append(error)
        elif error is not None:
            raise error
        elif winner is None:
            winner = each.result()
        else:
            each.result().close()
    return winner


async def _give_up(running: set[asyncio.Future[socket.socket]]) -> None:
    for each in running:
        each.cancel()
    for late in await asyncio.gather(*running, return_exceptions=True):
        if isinstance(late, socket.socket):
            late.close()


async def _connected(family: int, kind: int, number: int, address: Any) -> socket.socket:
    sock = socket.socket(family, kind, number)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.get_running_loop().sock_connect(sock, address)
    except BaseException:
        sock.close()
        raise
    return sock
