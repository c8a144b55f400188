"""A peer that does not read: whoever sends waits, and nothing is lost."""

from __future__ import annotations

import re
import socket
import subprocess
import threading
from pathlib import Path

from tests.cli.conftest import Cli
from tests.hardening.peer import closing, listening, upgrade
from tests.waiting import PATIENCE, settled

LINE = 1 << 20
LINES = 120


def peak(pid: int) -> int:
    """MiB that the process has needed at most."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(encoding="ascii"))
    assert found
    return int(found[1]) // 1024


def test_stdin_is_read_no_faster_than_the_peer_reads(cli: Cli) -> None:
    reads = threading.Event()
    took: list[int] = []

    def script(sock: socket.socket) -> None:
        upgrade(sock)
        reads.wait(PATIENCE)
        total = 0
        with sock.makefile("rb") as stream:
            for _ in range(LINES):
                head = stream.read(14)  # two bytes, eight of the length, four of the mask
                total += len(stream.read(int.from_bytes(head[2:10], "big")))
            stream.read(2)  # the goodbye, after all was sent
        took.append(total)
        sock.sendall(closing(1000))

    def feed() -> None:
        assert process.stdin is not None
        with process.stdin:
            for _ in range(LINES):
                process.stdin.write("x" * (LINE - 1) + "\n")

    with listening(script) as port:
        url = f"ws://127.0.0.1:{port}"
        arguments = ("send", url, "-", "--no-capture", "--set", "compression=false", "--set", "ping_interval=0")
        process = cli.start(*arguments, stdin=subprocess.PIPE)
        feeder = threading.Thread(target=feed, daemon=True)
        feeder.start()
        settled(process.pid)
        assert feeder.is_alive()
        assert peak(process.pid) < 160
        reads.set()
        feeder.join(PATIENCE)
        process.stdin = None
        _, complaint = process.communicate(timeout=PATIENCE)
    assert (process.returncode, complaint) == (0, "")
    assert took == [LINES * (LINE - 1)]
