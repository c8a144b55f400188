"""`rtui demo`: the embedded servers in a child process, and the workbench connected to them."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping
from typing import Any, Final

import click
import msgspec

from rtui.cli.look import Look, look_flags, look_of
from rtui.core.fault import Failure, Fault
from rtui.settings.session import Session

PATIENCE: Final = 10.0
"""Seconds the child may take to start or to say goodbye."""
SHOWN: Final = (
    *("ticker", "echo", "news", "tokens", "price", "queue", "chat", "rooms", "plant", "telemetry", "calls", "binary"),
)
"""The samples that are opened, in the order of their tabs."""


class DemoHandle:
    """The servers' process: started, stopped and started again on the same ports.

    The child reads stdin and ends when it is closed, which the system does however this process ends.
    """

    def __init__(self, *, usual: bool = False) -> None:
        """With `usual`, only the ports that the samples name will do; else one that is taken is replaced."""
        self._usual = usual
        self.urls: Mapping[str, str] = {}
        """Protocol → URL of its server."""
        self._process: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()
        """One start or stop at a time: the ports are free only when a stop has come to its end."""

    @property
    def running(self) -> bool:
        """Whether the servers run."""
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Start the servers; returns when they accept connections.

        Raises:
            Failure: if they do not start.
        """
        async with self._turn:
            if not self.running:
                await self._start()

    async def stop(self) -> None:
        """Stop the servers; returns when their ports are free."""
        async with self._turn:
            await self._stop()

    async def restart(self) -> None:
        """Stop, then start on the same ports."""
        await self.stop()
        await self.start()

    async def _start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "rtui", "serve", "--with-parent", *self._ports()),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,  # Ctrl-C in the terminal is for the workbench; it closes the pipe when it ends
        )
        try:
            async with asyncio.timeout(PATIENCE):
                await self._read_ready(self._process)
        except TimeoutError:
            await self._stop()
            raise Failure(_not_started("they did not answer in time")) from None
        except Failure:
            await self._stop()  # its output has ended, the process may not have
            raise

    async def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        try:
            async with asyncio.timeout(PATIENCE):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()

    def _ports(self) -> list[str]:
        if self._usual:
            from rtui.demo.lab import PORT_BASE

            return ["--port-base", str(PORT_BASE)]
        # Again, at the same place: the sessions that are open know these ports.
        return [part for name, url in self.urls.items() for part in ("--port", f"{name}={_port(url)}")]

    async def _read_ready(self, process: asyncio.subprocess.Process) -> None:
        """Read the line that each server prints when it accepts connections."""
        from rtui.demo.lab import OFFSETS

        assert process.stdout is not None  # noqa: S101 - it is a pipe
        assert process.stderr is not None  # noqa: S101 - it is a pipe
        urls: dict[str, str] = {}
        while len(urls) < len(OFFSETS):
            line = await process.stdout.readline()
            if not line:
                complaint = (await process.stderr.read()).decode(errors="replace").strip().removeprefix("rtui: ")
                hint = "`rtui demo` takes other ports where these are in use" if self._usual else ""
                raise Failure(_not_started(complaint or "the process ended", hint))
            ready: dict[str, Any] = json.loads(line)
            urls[ready["protocol"]] = ready["url"]
        self.urls = urls


def _port(url: str) -> int:
    return int(url.rpartition(":")[2])


def _not_started(cause: str, hint: str = "") -> Fault:
    return Fault(kind="bug", side="us", title="The embedded servers did not start", cause=cause, hint=hint)


@click.command()
@click.option("--capture", type=click.Path(), metavar="FILE", help="Record into FILE.")
@click.option("--no-capture", is_flag=True, help="Keep no recording.")
@look_flags
def demo(capture: str | None, no_capture: bool, **more: Any) -> int:
    """Start the embedded servers on loopback and open the workbench connected to all of them."""
    from rtui.cli.open import require_terminal

    require_terminal()
    return asyncio.run(_demo(capture, look_of(more), keep=not no_capture))


async def _demo(capture: str | None, look: Look, *, keep: bool) -> int:
    from rtui.cli.open import record_and_show

    handle = DemoHandle()
    await handle.start()
    try:
        return await record_and_show(demo_sessions(handle.urls), capture, keep=keep, demo=handle, look=look)
    finally:
        await handle.stop()


def demo_sessions(urls: Mapping[str, str]) -> list[Session]:
    """The sample sessions of the embedded servers, led to where the servers are now."""
    from rtui.cli.target import adapter_of, declares_for
    from rtui.settings.paths import packaged
    from rtui.settings.session import load_session

    found = []
    for name in SHOWN:
        session = load_session(packaged("sessions") / "demo" / f"{name}.toml", declares_for)
        protocol = adapter_of(session).name
        path = session.url.partition("://")[2].partition("/")[2]
        found.append(msgspec.structs.replace(session, url=f"{urls[protocol]}/{path}"))
    return found
