"""Programs that are measured: how they are started, in whose folders, and what they leave."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from shutil import which

from tests.benchmarks.blaster import BLOCK

RTUI = (sys.executable, "-m", "rtui")
SUBJECT = (sys.executable, "-m", "tests.benchmarks.subject")
NODE = Path(__file__).parent.parent / "node"


@contextmanager
def folder() -> Iterator[Path]:
    """A folder for captures and settings."""
    with tempfile.TemporaryDirectory(prefix="rtui-bench-") as name:
        yield Path(name)


def environment(place: Path) -> dict[str, str]:
    """Settings of nobody, no proxy, and compiled modules as an installed program has them."""
    compiled = str(Path(tempfile.gettempdir()) / "rtui-bench-compiled")
    own = {"RTUI_CONFIG_HOME": str(place / "config"), "RTUI_STATE_HOME": str(place / "state"), "NO_PROXY": "127.0.0.1"}
    return {**os.environ, **own, "PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": compiled}


def run(command: Sequence[str], place: Path, output: str | None = None) -> str:
    """Run to the end; the output goes to a file of that name, or is returned."""
    if output is None:
        return subprocess.run(command, env=environment(place), check=True, capture_output=True, text=True).stdout
    with (place / output).open("wb") as file:
        subprocess.run(command, env=environment(place), check=True, stdout=file)
    return ""


def rows(capture: Path) -> int:
    """Messages in a capture file."""
    database = sqlite3.connect(capture)
    try:
        (count,) = database.execute("SELECT count(*) FROM records WHERE kind = 0").fetchone()
    finally:
        database.close()
    return int(count)


def in_order(messages: Iterable[bytes]) -> int:
    """How many there are; their numbers rise by one and begin again after `BLOCK`.

    Raises:
        AssertionError: if one is missing or out of place.
    """
    count = 0
    for count, text in enumerate(messages, 1):
        assert b'"seq":%d,' % (1_000_000 + (count - 1) % BLOCK) in text, count
    return count


def printed(path: Path, mark: bytes = b"") -> int:
    """`in_order` for the lines of a file that begin with `mark`."""
    with path.open("rb") as file:
        return in_order(line for line in file if line.startswith(mark))


def stored(capture: Path) -> int:
    """`in_order` for the messages that a capture file has of the peer."""
    database = sqlite3.connect(capture)
    try:
        found = database.execute("SELECT payload FROM records WHERE kind = 0 AND direction = 1 ORDER BY seq")
        return in_order(payload for (payload,) in found)
    finally:
        database.close()


def has_node(package: str) -> bool:
    """Whether there is Node.js, and the package where RTUI_NODE_MODULES says."""
    return bool(which("node") and Path(os.environ.get("RTUI_NODE_MODULES", "/nowhere"), package).is_dir())
