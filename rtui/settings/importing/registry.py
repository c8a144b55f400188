"""Which sources there are, and which of them a text is from."""

from __future__ import annotations

import stat
import sys
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from rtui.settings.files import Problem, SettingsError
from rtui.settings.importing import command_line
from rtui.settings.importing.base import Harvest
from rtui.settings.importing.brace import unmarked
from rtui.settings.importing.document import is_document, read
from rtui.settings.session import DeclaresFor

LARGEST: Final = 64 * 1024**2
"""Bytes of a source that are read."""
DOCUMENTS: Final = ("har", "mqttx", "mqtt_explorer", "insomnia", "postman")
"""Modules that read a document, in the order they are asked: each has `claims` and `harvest`."""
KNOWN: Final = (
    f"command lines ({', '.join(command_line.TOOLS)}), HAR 1.2, MQTTX (JSON), MQTT Explorer (settings.json), "
    "Insomnia 4 and 5, Postman 2.1"
)
STDIN: Final = "-"


def import_source(source: str, declares_for: DeclaresFor) -> Harvest:
    """Read a file, `-` for the standard input, or a command line given as it is.

    Raises:
        SettingsError: naming the file, and line or key, if it cannot be read.
    """
    if source == STDIN:
        return import_text(_decoded(sys.stdin.buffer.read(LARGEST + 1), "stdin"), "stdin", declares_for)
    if command_line.is_command(source) and not _is_file(source):
        return import_text(source, "command", declares_for)
    if len(source.split()) != 1 and not _is_file(source):
        # It may hold a secret: it is not repeated as the name of a file.
        raise _refused("this text", f"neither a file nor a command that can be read; known: {KNOWN}")
    return import_text(_decoded(_bytes(Path(source)), source), source, declares_for)


def import_text(text: str, name: str, declares_for: DeclaresFor) -> Harvest:
    """Read what `name` holds. `declares_for` knows the flags of our own commands.

    Raises:
        SettingsError: if no source knows it, or the one that does cannot read it.
    """
    text = unmarked(text)
    if not is_document(text):
        if not text.strip():
            raise _refused(name, "is empty")
        harvest = command_line.harvest(text, name, declares_for)
        if harvest.found or any(one.why != command_line.STRANGE for one in harvest.left):
            return harvest
        raise _refused(name, f"nothing that can be imported; known: {KNOWN}")
    document = read(text, name)
    for module in map(_module, DOCUMENTS):
        if module.claims(document):
            found: Harvest = module.harvest(document)
            return found
    raise _refused(name, f"of an unknown kind; known: {KNOWN}")


def _module(name: str) -> Any:
    return import_module(f"rtui.settings.importing.{name}")


def _is_file(source: str) -> bool:
    try:
        return Path(source).is_file()
    except (OSError, ValueError):
        return False


def _bytes(path: Path) -> bytes:
    try:
        if stat.S_ISDIR(path.stat().st_mode):
            raise _refused(str(path), "is a folder, not a file")
        with path.open("rb") as file:
            return file.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        what = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise _refused(str(path), f"cannot be read: {what.lower()}") from None


def _decoded(data: bytes, name: str) -> str:
    if len(data) > LARGEST:
        raise _refused(name, f"is larger than {LARGEST // 1024**2} MiB")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        message = f"is not UTF-8 text (byte 0x{data[error.start]:02x} at offset {error.start})"
        raise _refused(name, message, line) from None


def _refused(name: str, message: str, line: int = 0) -> SettingsError:
    return SettingsError([Problem(name, line, "", message)])
