"""The command line as a user meets it: real processes, the embedded server, folders of their own."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.waiting import PATIENCE

ROOT = Path(__file__).parents[2]
EACH = """
import json, sys
from rtui.cli.main import run
statuses = [run(json.loads(words)) for words in sys.argv[2:]]
with open(sys.argv[1], "w") as file:
    json.dump(statuses, file)
"""


class Cli:
    """Runs `rtui` in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith(("RTUI_", "_RTUI"))},
            "PYTHONPATH": str(ROOT),
            "RTUI_CONFIG_HOME": str(folder / "config"),
            "RTUI_STATE_HOME": str(folder / "state"),
            "NO_PROXY": "127.0.0.1",
        }

    def start(self, *arguments: str, env: Mapping[str, str] | None = None, **options: Any) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command(*arguments),
            **{"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
            | options,
            cwd=self.folder,
            env=self.environment | dict(env or {}),
        )

    def command(self, *arguments: str) -> Sequence[str]:
        return [sys.executable, "-m", "rtui", *arguments]

    def run(
        self, *arguments: str, stdin: str = "", env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
            cwd=self.folder,
            env=self.environment | dict(env or {}),
        )

    def run_all(
        self, *commands: Sequence[str], env: Mapping[str, str] | None = None
    ) -> tuple[list[int], subprocess.CompletedProcess[str]]:
        """Run one command line after the other in one process, whose start costs more than they do; their statuses."""
        told = self.folder / "statuses.json"
        ended = subprocess.run(
            [sys.executable, "-c", EACH, told.name, *map(json.dumps, commands)],
            capture_output=True,
            encoding="utf-8",
            errors="backslashreplace",
            timeout=PATIENCE,
            check=True,
            cwd=self.folder,
            env=self.environment | dict(env or {}),
        )
        return json.loads(told.read_text(encoding="ascii")), ended

    def on_terminal(self, *arguments: str) -> str:
        """What a terminal shows of it."""
        parent, child = pty.openpty()
        process = self.start(*arguments, stdout=child)
        os.close(child)
        shown = b""
        while select.select([parent], [], [], PATIENCE)[0]:
            try:
                shown += os.read(parent, 65_536)
            except OSError:  # Linux: the other side was closed
                break
        os.close(parent)
        process.communicate(timeout=PATIENCE)
        return shown.decode()


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    return Cli(tmp_path)


@contextmanager
def serving(protocol: str, folder: Path, port: int = 0) -> Iterator[str]:
    """The URL of a server that `rtui serve` runs meanwhile."""
    place = ("--port", f"{protocol}={port}")
    process = Cli(folder).start("serve", protocol, *place, "--with-parent", stdin=subprocess.PIPE)
    assert process.stdout is not None
    yield json.loads(process.stdout.readline())["url"]
    # Closing its stdin is what the end of a parent looks like.
    process.communicate(timeout=PATIENCE)
    assert process.returncode == 0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving("websocket", tmp_path_factory.mktemp("serve")) as url:
        yield url
