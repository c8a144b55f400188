"""`rtui serve`: the embedded servers, for trying things out and for tests of other programs."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click
import msgspec

from rtui.cli.flags import split_pairs
from rtui.cli.output import Output
from rtui.cli.report import note
from rtui.cli.signals import interruption
from rtui.cli.status import Status

if TYPE_CHECKING:
    from rtui.demo.lab import Announce, Lab

LOOPBACK = ("127.0.0.1", "::1", "localhost")


@click.command()
@click.argument("protocols", nargs=-1, metavar="[PROTOCOL ...]")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port-base",
    type=click.IntRange(0, 65_000),
    metavar="N",
    help="Ports are counted from here (default 18000: WebSocket on 18080); 0 takes free ones.",
)
@click.option("--tls", is_flag=True, help="Serve over TLS, with a certificate of a new authority (printed as `ca`).")
@click.option("chosen", "--port", multiple=True, hidden=True, help="PROTOCOL=PORT, for a restart at the same place.")
@click.option("--with-parent", is_flag=True, hidden=True, help="End when stdin is closed: the parent is gone.")
def serve(
    protocols: tuple[str, ...],
    *,
    host: str,
    port_base: int | None,
    tls: bool,
    chosen: tuple[str, ...],
    with_parent: bool,
) -> int:
    """Start the embedded servers of each PROTOCOL (all by default) and print one JSON line for each that is ready.

    Runs until SIGINT or SIGTERM.
    """
    if host not in LOOPBACK:
        note(f"serving on {host}: everybody who reaches this address can connect")
    from rtui.demo import lab

    ports = {name: int(port) for name, port in split_pairs(chosen, "--port", "PROTOCOL=PORT").items()}
    start = partial(lab.serve, protocols, host, port_base, tls, ports=ports)
    usual = (
        {} if with_parent or port_base is not None else {name: lab.PORT_BASE + at for name, at in lab.OFFSETS.items()}
    )
    return asyncio.run(_serve(start, usual, with_parent=with_parent))


async def _serve(start: Callable[[Announce], Awaitable[Lab]], usual: Mapping[str, int], *, with_parent: bool) -> int:
    """Run until a signal comes. `usual`: the ports that people expect, by protocol."""
    output = Output()

    def announce(server: dict[str, Any]) -> None:
        output.write(msgspec.json.encode(server) + b"\n")
        name, port = server["protocol"], urlsplit(server["url"]).port
        if usual.get(name, port) != port:
            note(f"port {usual[name]} is taken: {name} listens on {port}")

    with interruption() as interrupted:
        running = await start(announce)
        try:
            if with_parent:
                _watch_stdin(interrupted.came)
            await interrupted.came.wait()
        finally:
            await running.close()
    return Status.DONE


def _watch_stdin(gone: asyncio.Event) -> None:
    """Set `gone` when stdin ends, which it does however the parent ended: the system closes its side of the pipe."""
    loop = asyncio.get_running_loop()

    def watch() -> None:
        # Not sys.stdin: the interpreter cannot end while another thread holds its lock.
        with suppress(OSError):
            while os.read(0, 1):
                pass
        with suppress(RuntimeError):  # the loop ended first
            loop.call_soon_threadsafe(gone.set)

    # A daemon thread, not a reader on the loop: not every system's loop can watch a pipe.
    threading.Thread(target=watch, name="stdin", daemon=True).start()
