"""The command line and the embedded server, as in tests/cli."""

from __future__ import annotations

from tests.cli.conftest import cli, server

__all__ = ["cli", "server"]
