"""Command lines of other tools, as people keep them in notes: one text may hold several, with prompts and comments."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib import import_module
from pathlib import PurePath
from types import MappingProxyType
from typing import Final, TypeAlias, cast

from rtui.settings.files import Problem, SettingsError
from rtui.settings.importing.base import Gatherer, Harvest
from rtui.settings.importing.shell import Command, commands, is_windows
from rtui.settings.session import DeclaresFor

Take: TypeAlias = Callable[[Command, str, Gatherer], None]

TOOLS: Final = MappingProxyType(
    {
        "curl": "curl:harvest",
        "websocat": "websocket_tool:websocat",
        "wscat": "websocket_tool:wscat",
        "mosquitto_pub": "mosquitto:harvest",
        "mosquitto_sub": "mosquitto:harvest",
        "mqttx": "mqttx_command:harvest",
        "grpcurl": "grpcurl:harvest",
        "rtui": "own_command:harvest",
    }
)
"""Tool → what reads its commands."""
LARGEST: Final = 4 * 1024**2
"""Characters of commands that are read; they are notes, not data."""
_POWERSHELL: Final = re.compile(r"^\s*(?:\$session\b|Invoke-(?:WebRequest|RestMethod)\b)", re.IGNORECASE | re.MULTILINE)
_BEFORE: Final = re.compile(r"""\A[$%#>\s]*(?:[A-Za-z_]\w*=(?:"[^"]*"|'[^']*'|[^\s"'])*\s+)*""")
STRANGE: Final = "not a command that rtui can read"


def is_command(text: str) -> bool:
    """Whether the text begins with a command that we know, perhaps behind a prompt, or variables that are set."""
    words = _BEFORE.sub("", text, count=1).split(maxsplit=1)
    return bool(words) and _tool(words[0]) in TOOLS


def harvest(text: str, name: str, declares_for: DeclaresFor) -> Harvest:
    """The sessions of all commands in `text`; `declares_for` knows the flags of our own.

    Raises:
        SettingsError: with the line, if it cannot be read as a shell reads it.
    """
    if len(text) > LARGEST:
        raise SettingsError([Problem(name, 0, "", f"is larger than {LARGEST // 1024**2} MiB of commands")])
    if is_windows(text):
        message = 'it is quoted for cmd.exe (^"): in the browser, choose "Copy as cURL (bash)" or "(POSIX)"'
        raise SettingsError([Problem(name, 0, "", message)])
    if _POWERSHELL.search(text):
        message = 'it is written for PowerShell: in the browser, choose "Copy as cURL (bash)" or "(POSIX)"'
        raise SettingsError([Problem(name, 0, "", message)])
    gatherer = Gatherer("command line", declares_for)
    for one in commands(text, name):
        where = f"line {one.line}"
        tool = _tool(one.words[0])
        if tool not in TOOLS:
            gatherer.leave(where, one.words[0], STRANGE)
            continue
        module, _, function = TOOLS[tool].partition(":")
        take = cast("Take", getattr(import_module(f"rtui.settings.importing.{module}"), function))
        take(one, where, gatherer)
        for sign in one.ignored:
            gatherer.leave(where, sign, "output is not redirected" if sign != "&" else "the command ends here")
    return gatherer.harvest()


def _tool(word: str) -> str:
    return PurePath(word).name.removesuffix(".exe").lower()
