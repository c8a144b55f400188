"""Starts the embedded servers together and tells where they are."""

from __future__ import annotations

import asyncio
import os
import shutil
import ssl
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Protocol, TypeAlias

from rtui.core.fault import Failure, Fault

PORT_BASE: Final = 18_000
OFFSETS: Final[Mapping[str, int]] = MappingProxyType(
    {"websocket": 80, "sse": 180, "polling": 280, "longpoll": 281, "socketio": 300, "grpc": 500, "mqtt": 830}
)
"""Protocol → what its port is above the base: 18080 for WebSocket by default, 18830 for MQTT."""

Announce: TypeAlias = Callable[[dict[str, Any]], None]


class Running(Protocol):
    """What every demo server is once it accepts connections."""

    url: str

    async def close(self) -> None:
        """Say goodbye to the clients and free the port."""


class Lab:
    """The servers that run, until `close`."""

    def __init__(self, servers: Sequence[Running], folder: tempfile.TemporaryDirectory[str] | None) -> None:
        self.servers = tuple(servers)
        self._folder = folder

    async def close(self) -> None:
        """Close every server, then forget the certificates."""
        await asyncio.gather(*(server.close() for server in self.servers))
        if self._folder is not None:
            self._folder.cleanup()


async def serve(
    protocols: Sequence[str] = (),
    host: str = "127.0.0.1",
    port_base: int | None = None,
    tls: bool = False,
    announce: Announce = lambda _: None,
    *,
    ports: Mapping[str, int] = MappingProxyType({}),
) -> Lab:
    """Start the servers of `protocols` (all if empty) and announce each as it accepts connections.

    A default port that is taken is replaced by a free one; a port that the user chose is not. `port_base` 0 means free
    ports for all; `ports` names the port of a protocol outright. With `tls`, each server has a certificate for
    localhost from a new authority, whose file is announced as `ca`; it is made with the `openssl` command, so that
    nobody has to install a library for a demonstration.

    Raises:
        Failure: an unknown protocol, a chosen port that is taken, or TLS without `openssl`.
    """
    wanted = list(protocols) or list(OFFSETS)
    if unknown := [name for name in wanted if name not in OFFSETS]:
        raise Failure(_usage(f"No embedded server for {', '.join(unknown)}", f"There are: {', '.join(OFFSETS)}"))
    # Not a context manager: the folder lives as long as the servers.
    folder = tempfile.TemporaryDirectory(prefix="rtui-ca-") if tls else None
    servers: list[Running] = []
    try:
        extra = await _secure(Path(folder.name)) if folder else {}
        for name in wanted:
            # Each has its own: gRPC agrees on HTTP/2 in the handshake, the others must not.
            context = _context(Path(folder.name)) if folder else None
            server, paths = await _start(name, host, _port(name, port_base, ports), context)
            servers.append(server)
            announce({"protocol": name, "url": server.url, **_other_urls(server), **extra, "paths": paths})
    except BaseException:
        await Lab(servers, folder).close()
        raise
    return Lab(servers, folder)


async def _start(name: str, host: str, port: int | None, context: ssl.SSLContext | None) -> tuple[Running, list[str]]:
    module = import_module(f"rtui.demo.{name}")
    start: Callable[..., Awaitable[Running]] = module.serve
    try:
        return await start(host, PORT_BASE + OFFSETS[name] if port is None else port, context), list(module.PATHS)
    except OSError as error:
        if port is not None:
            why = os.strerror(error.errno) if error.errno else str(error)  # asyncio's own words repeat the address
            raise Failure(_usage(f"Port {port} cannot be used", f"{why}; --port-base 0 = any")) from error
    return await start(host, 0, context), list(module.PATHS)


def _port(name: str, port_base: int | None, ports: Mapping[str, int]) -> int | None:
    """The port that was chosen for a protocol, 0 for a free one, None for the default."""
    if name in ports or not port_base:
        return ports.get(name, port_base)
    return port_base + OFFSETS[name]


def _other_urls(server: Running) -> dict[str, Any]:
    """Further ways into a server that has several."""
    urls = getattr(server, "urls", ())
    return {"urls": list(urls)} if urls else {}


async def _secure(folder: Path) -> dict[str, Any]:
    await make_certificates(folder)
    return {"ca": str(folder / "ca.pem")}


def _context(folder: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    return context


async def make_certificates(folder: Path) -> None:
    """Write `ca.pem`, `server.pem` and `server.key` (localhost, 127.0.0.1, ::1; two days) into `folder`."""
    if shutil.which("openssl") is None:
        raise Failure(_usage("TLS needs the openssl command", "Install openssl, or serve without --tls"))
    (folder / "server.ext").write_text(
        "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1\nextendedKeyUsage=serverAuth\n", encoding="ascii"
    )
    elliptic = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    await _openssl(
        folder,
        *("req", "-x509", *elliptic, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2"),
        *("-subj", "/CN=rtui demo authority", "-addext", "keyUsage=critical,keyCertSign,cRLSign"),
    )
    await _openssl(folder, "req", *elliptic, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=localhost")
    await _openssl(
        folder,
        *("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"),
        *("-out", "server.pem", "-days", "2", "-extfile", "server.ext"),
    )


async def _openssl(folder: Path, *arguments: str) -> None:
    process = await asyncio.create_subprocess_exec(
        "openssl",
        *arguments,
        cwd=folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    _, complaint = await process.communicate()
    if process.returncode:
        raise Failure(_usage("openssl could not make a certificate", complaint.decode(errors="replace").strip()[-500:]))


def _usage(title: str, cause: str) -> Fault:
    return Fault(kind="usage", side="us", title=title, cause=cause)
