"""Schemas in files that the user has: descriptor sets, and .proto files by way of protoc. Reads files, runs a compiler.

protoc comes with grpcio-tools (the extra `protos`); one on the PATH does too. It runs as a process of its own: in ours
it would write its errors past Python to stderr.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path
from shutil import which
from subprocess import DEVNULL, PIPE, TimeoutExpired, run
from tempfile import TemporaryDirectory
from typing import Final

from rtui.core.clean import clean, decode
from rtui.core.fault import Failure, Fault
from rtui.protobuf.descriptor_set import LARGEST
from rtui.protocols.wire.reach_fault import usage
from rtui.settings.quantity import format_size

PATIENCE: Final = 30.0
"""Seconds that protoc may take; all of googleapis takes it two."""
SHOWN: Final = 5
"""Lines of protoc's that are told."""
_IMPORT: Final = re.compile(r'^\s*import\s+(?:public\s+|weak\s+)?"([^"\n]+)"', re.MULTILINE)


def read_protoset(path: str) -> bytes:
    """A FileDescriptorSet as it was written.

    Raises:
        Failure: if the file cannot be read, or is too large.
    """
    try:
        with Path(path).open("rb") as file:
            data = file.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        raise Failure(usage("The descriptor set cannot be read", f"{path}: {_reason(error)}", key="protoset")) from None
    if len(data) > LARGEST:
        cause = f"{path} has more than {format_size(LARGEST)}"
        raise Failure(usage("The descriptor set is too large", cause, key="protoset"))
    return data


def compile_protos(files: Sequence[str], import_paths: Sequence[str] = ()) -> bytes:
    """The FileDescriptorSet of .proto files and all that they import, with their comments. Blocks.

    Without import paths, imports start from the nearest folder above a file that has them.

    Raises:
        Failure: with what protoc says, file and line first.
    """
    paths = [_existing(name, import_paths) for name in files]
    folders = [*map(Path, import_paths), *(import_root(path) for path in paths if not _is_below(path, import_paths))]
    with TemporaryDirectory(prefix="rtui-") as folder:
        result = Path(folder, "set")
        places = [f"-I{folder.absolute()}" for folder in (*dict.fromkeys(folders), *_published())]
        _run(
            [*_compiler(), *places, "--include_imports", "--include_source_info", f"--descriptor_set_out={result}"],
            paths,
        )
        return read_protoset(str(result))


def _existing(name: str, import_paths: Iterable[str]) -> Path:
    """Where the file is: as named, or below one of the import paths."""
    for path in (Path(name), *(Path(folder, name) for folder in import_paths)):
        if path.is_file():
            return path.absolute()
    raise Failure(usage("The .proto file cannot be read", f"there is no file {name}", key="proto"))


def _is_below(path: Path, folders: Iterable[str]) -> bool:
    return any(path.is_relative_to(Path(folder).absolute()) for folder in folders)


def import_root(path: Path) -> Path:
    """The nearest folder above the file `path` that has what it imports, else its own."""
    path = path.absolute()
    try:
        text = path.read_text("utf-8", "replace")
    except OSError:
        return path.parent
    wanted = [name for name in _IMPORT.findall(text) if not name.startswith("google/")]
    found = (folder for folder in path.parents if all((folder / name).is_file() for name in wanted))
    return next(found, path.parent)


def _published() -> list[Path]:
    """Where google/api, google/rpc and google/type are, which many files import."""
    found = find_spec("google.rpc")
    return [Path(place).parents[1] for place in found.submodule_search_locations or ()] if found else []


def _compiler() -> list[str]:
    if find_spec("grpc_tools"):
        return [sys.executable, "-P", "-m", "grpc_tools.protoc"]  # -P: nothing from the current folder is run
    if path := which("protoc"):
        return [path]
    raise Failure(
        usage(
            "No compiler for .proto files",
            "grpcio-tools is not installed, and there is no protoc",
            "Install it with: pip install 'rtui[protos]'; or give a descriptor set (protoset)",
            key="proto",
        )
    )


def _run(command: list[str], paths: Sequence[Path]) -> None:
    try:
        done = run(
            [*command, *map(str, paths)], stdin=DEVNULL, stdout=DEVNULL, stderr=PIPE, timeout=PATIENCE, check=False
        )
    except TimeoutExpired:
        raise Failure(_refused(f"protoc did not end within {PATIENCE:g} s")) from None
    except OSError as error:
        raise Failure(_refused(f"{command[0]}: {_reason(error)}")) from None
    if done.returncode:
        raise Failure(_refused(_said(decode(done.stderr)), imports=b"File not found" in done.stderr))


def _said(text: str) -> str:
    """The errors of protoc, those with a line first: one that is not found is told again where it is imported."""
    lines = [clean(line.strip()) for line in text.splitlines() if line.strip() and ": warning: " not in line]
    lines.sort(key=lambda line: not re.search(r":\d+:\d+: ", line))
    more = f" … and {len(lines) - SHOWN} more" if len(lines) > SHOWN else ""
    return "; ".join(lines[:SHOWN]) + more or "protoc failed without a word"


def _refused(cause: str, *, imports: bool = False) -> Fault:
    hint = "Name the folder that imports start from in import_path" if imports else "Correct the file"
    return usage("The .proto files do not compile", cause, hint, key="proto")


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else "") or str(error)
