"""Reading and writing what users edit by hand: problems with a place, and writes that are whole or not at all."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from rtui.core.fault import Failure, Fault
from rtui.settings.option import OptionError
from rtui.settings.quantity import clip
from rtui.settings.toml_lines import DEEPEST, KeyPath, key_lines

LARGEST_FILE: Final = 1024 * 1024
"""Bytes of a settings file that are read; larger ones are refused: they are something else."""

_DEEP_KEY: Final = re.compile(rf"""(?<![\w"'.-])(?:[\w"'-]++[ \t]*+\.[ \t]*+){{{DEEPEST}}}""")
_PLAIN_KEY: Final = re.compile(r"[\w-]{1,60}")
_SYNTAX: Final = re.compile(r"(.*?) \(at (?:line (\d+), column (\d+)|end of document)\)", re.DOTALL)


class Problem(msgspec.Struct, frozen=True):
    """One thing that is wrong in a file, and where."""

    file: str
    line: int
    """From 1; 0 if it is about the whole file."""
    key: str
    """"options.max_size", "messages[0].payload"; empty if it is about no key."""
    message: str
    allowed: tuple[str, ...] = ()

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        hint = f" (allowed: {', '.join(self.allowed)})" if self.allowed else ""
        return ": ".join(part for part in (place, self.key, self.message) if part) + hint


class SettingsError(Exception):
    """A file cannot be used. Carries every problem at once."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = list(problems)
        super().__init__("\n".join(map(str, self.problems)))


class Located(msgspec.Struct, frozen=True, kw_only=True):
    """A TOML document that knows its lines."""

    path: Path
    data: dict[str, Any]
    lines: Mapping[KeyPath, int]

    def line(self, *key: str | int) -> int:
        """The line of `key`, or of the innermost table around it that the file has; 0 for none."""
        while key and key not in self.lines:
            key = key[:-1]
        return self.lines.get(key, 0)

    def problem(self, key: KeyPath, message: str, allowed: tuple[str, ...] = ()) -> Problem:
        """A problem with the value at `key`."""
        return Problem(str(self.path), self.line(*key), show_key(key), message, allowed)

    def option_problems(self, table: KeyPath, errors: Iterable[OptionError]) -> list[Problem]:
        """What `option.check` found in the table at `table`, with lines."""
        return [self.problem((*table, *_spelled(error.key)), error.message, error.allowed) for error in errors]


def _spelled(key: str) -> tuple[str, ...]:
    group, dot, inner = key.partition(".")
    return (group, inner) if dot else (group,)


def show_key(key: KeyPath) -> str:
    """`key` as users read it: `messages[0].payload`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{_key_text(part)}" for part in key).removeprefix(".")


def _key_text(part: str) -> str:
    return part if _PLAIN_KEY.fullmatch(part) else f'"{clip(part)}"'


def load_toml(path: Path) -> Located:
    """Read the TOML file at `path`.

    Raises:
        SettingsError: if it is missing, unreadable, too large, not UTF-8 or not TOML.
    """
    return parse_toml(read_settings(path), path)


def parse_toml(text: str, path: Path) -> Located:
    """Parse `text`, which came from `path`.

    Raises:
        SettingsError: with the line of the mistake, if it is not TOML.
    """
    import tomllib

    text = text.replace("\r\n", "\n")
    if deep := _DEEP_KEY.search(text):
        # tomllib needs time in the square of a key's parts.
        raise _refused(path, f"keys may have at most {DEEPEST} parts", text.count("\n", 0, deep.start()) + 1)
    try:
        data = tomllib.loads(text)
        return Located(path=path, data=data, lines=key_lines(text))
    except RecursionError:
        raise _refused(path, "is nested too deeply") from None
    except ValueError as error:
        raise _refused(path, *_syntax(str(error), text)) from None


def _syntax(message: str, text: str) -> tuple[str, int]:
    """What tomllib says, in our form, and the line."""
    found = _SYNTAX.fullmatch(message)
    if not found:
        return f"not valid TOML: {message}", 0
    what = found[1][:1].lower() + found[1][1:]
    if found[2]:
        return f"not valid TOML: {what} (column {found[3]})", int(found[2])
    return f"not valid TOML: {what} at the end of the file", text.rstrip("\n").count("\n") + 1


def read_settings(path: Path) -> str:
    """The text of a settings file.

    Raises:
        SettingsError: if it is missing, unreadable, too large or not UTF-8.
    """
    try:
        if stat.S_ISFIFO(path.stat().st_mode) or path.is_char_device():
            raise _refused(path, "is a pipe or a device, not a file")  # opening one may wait for ever
        with path.open("rb") as file:
            data = file.read(LARGEST_FILE + 1)
    except (OSError, ValueError) as error:
        raise _refused(path, _reason(error)) from None
    if len(data) > LARGEST_FILE:
        raise _refused(path, f"is larger than {LARGEST_FILE // 1024} KiB: not a settings file")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _refused(path, f"is not UTF-8 text (byte 0x{data[error.start]:02x})", line) from None


def _refused(path: Path, message: str, line: int = 0) -> SettingsError:
    return SettingsError([Problem(str(path), line, "", message)])


def _reason(error: OSError | ValueError) -> str:
    if isinstance(error, FileNotFoundError):
        return "no such file"
    if isinstance(error, IsADirectoryError):
        return "is a folder, not a file"
    text = error.strerror if isinstance(error, OSError) else str(error)
    return f"cannot be read: {(text or type(error).__name__).lower()}"


def write_atomic(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Put `data` into `path`, whole or not at all. Follows symbolic links; makes missing folders, for the user only.

    Raises:
        Failure: kind "storage", if it cannot be written; the old content is then untouched.
    """
    try:
        target = Path(os.path.realpath(path, strict=False))
        _refuse_unwritable(target)
        make_private_folder(target.parent)
        _replace(target, data, mode)
    except (OSError, ValueError) as error:
        raise storage_failure(path, error) from error


def make_private_folder(folder: Path) -> None:
    """Make `folder` and its missing parents, for the user alone; `mkdir(parents=True)` does so only for the last."""
    if not folder.is_dir():
        make_private_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


def _refuse_unwritable(target: Path) -> None:
    """Renaming over a file needs no right to the file itself, so ask: read-only is a wish to be respected."""
    if target.is_dir():
        raise IsADirectoryError(None, "it is a folder")
    if target.exists() and not os.access(target, os.W_OK):
        raise PermissionError(None, "the file is read-only")


def _replace(target: Path, data: bytes, mode: int) -> None:
    import tempfile

    descriptor, temporary = tempfile.mkstemp(dir=target.parent, prefix=".rtui-", suffix=".tmp")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(mode)
        Path(temporary).replace(target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    """Make the rename itself durable, where the system can."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def storage_failure(path: Path, error: OSError | ValueError) -> Failure:
    """The failure to raise when `path` could not be written."""
    cause = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return Failure(
        Fault(kind="storage", side="us", title=f"Cannot write {path}", cause=cause, hint="Save under another name.")
    )
