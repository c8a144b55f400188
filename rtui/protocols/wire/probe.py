"""What stands at a port, asked by connecting once more: only after an attempt failed in a way that does not tell."""

from __future__ import annotations

import asyncio
import ssl
from typing import Final

PROBE_TIME: Final = 1.0
"""Seconds that one question may take."""


async def speaks_tls(host: str, port: int) -> bool:
    """Whether a TLS handshake succeeds there; nothing is sent over it, so nothing is verified."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # without the system's authorities: reading them takes 20 ms
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        async with asyncio.timeout(PROBE_TIME):
            _, writer = await asyncio.open_connection(host, port, ssl=context, server_hostname=host)
    except (OSError, ValueError):
        return False
    writer.transport.abort()
    return True


async def speaks_http(host: str, port: int) -> bool:
    """Whether plain HTTP is answered there."""
    try:
        request = b"GET / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n" % host.encode("idna")
    except UnicodeError:
        return False
    return await answer(host, port, request, 5) == b"HTTP/"


async def answer(host: str, port: int, question: bytes, size: int) -> bytes:
    """The first bytes, at most `size`, that are answered to `question`; empty if there is no answer."""
    try:
        async with asyncio.timeout(PROBE_TIME):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                writer.write(question)
                return await reader.read(size)
            finally:
                writer.transport.abort()
    except OSError:
        return b""
