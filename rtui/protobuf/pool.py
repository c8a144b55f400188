"""Types from the descriptors that a server, a descriptor set or a compiler gave. No I/O.

Files are not taken as they come: servers leave out dependencies, call files by other names than those that import
them, merge files until they need each other. So every top-level definition (message, enum, extension) stands for
itself; those that need each other form a group, and each group becomes one small file that depends on exactly what it
names. A definition that cannot be used takes only those with it that need it, and what is wrong is told by name.

Each schema has a pool of its own: two servers may call different messages the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import import_module
from typing import Final

import msgspec
from google.protobuf.descriptor import Descriptor
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool

from rtui.core.clean import clip
from rtui.protobuf.graph import groups

LONGEST_NAME: Final = 512
"""Characters of a full name."""
_NAME: Final = re.compile(r"\w+(?:\.\w+)*", re.ASCII)
_ALWAYS: Final = ("any", "duration", "empty", "field_mask", "struct", "timestamp", "wrappers")
"""Files of google.protobuf whose types an Any may hold though no field names them."""
_ON_DEMAND: Final = ("api", "descriptor", "source_context", "type")
_STANDS_FOR: Final = {
    FieldDescriptorProto.TYPE_ENUM: FieldDescriptorProto.TYPE_INT32,
    FieldDescriptorProto.TYPE_MESSAGE: FieldDescriptorProto.TYPE_BYTES,
}
"""What a field of an unknown type looks like on the wire."""


class Definition(msgspec.Struct, eq=False):
    """One top-level message, enum or extension."""

    name: str
    """Its full name, without a leading dot."""
    part: FileDescriptorProto
    """A file that holds nothing else."""
    needs: set[str] = msgspec.field(default_factory=set)
    """Full names of the definitions outside that it names."""


class Types:
    """The types of one schema."""

    def __init__(self, files: Iterable[FileDescriptorProto]) -> None:
        """`files` are taken apart: they must not be used afterwards."""
        self.pool = DescriptorPool()
        self.broken: dict[str, str] = {}
        """Full name of a definition → why it cannot be used."""
        self.missing: set[str] = set()
        """Types that are named and not defined. A field of one is shown as bytes (an enum as its number)."""
        self._homes: dict[str, str] = {}
        """Full name of a type → the definition or file of google.protobuf that it is in."""
        self._files: dict[str, str] = {}
        """The same → the file in the pool; only what can be used."""
        self._definitions: dict[str, Definition] = {}
        self._build(files)

    def resolve(self, name: str, scope: str = "") -> str:
        """The full name that `name` means inside `scope`, "" if there is none.

        With a leading dot it is a full name; without one it is looked for from the innermost scope outwards.
        """
        if name.startswith("."):
            return name[1:] if name[1:] in self._homes else ""
        while scope:
            if f"{scope}.{name}" in self._homes:
                return f"{scope}.{name}"
            scope = scope.rpartition(".")[0]
        return name if name in self._homes else ""

    def message(self, name: str) -> Descriptor:
        """The message of this full name.

        Raises:
            LookupError: saying why it cannot be used.
        """
        home = self._homes.get(name)
        if home is None:
            raise LookupError(f"{clip(name, 200)} is not defined")
        if home in self.broken:
            raise LookupError(self.broken[home])
        try:
            return self.pool.FindMessageTypeByName(name)
        except KeyError:
            raise LookupError(f"{name} is not a message") from None

    def _build(self, files: Iterable[FileDescriptorProto]) -> None:
        self._homes.update(_google())
        for module in _ALWAYS:
            self._add_google(_path(module))
        for file in files:
            for definition in _taken_apart(file):
                self._define(definition)
        for definition in self._definitions.values():
            self._link(definition)
        for group in groups({name: definition.needs for name, definition in self._definitions.items()}):
            self._add(group)

    def _add_google(self, path: str) -> str:
        """Put a file of google.protobuf into the pool, as the library has it."""
        if path not in self._files:
            self._files[path] = path
            file = _library_file(path)
            for needed in FileDescriptorProto.FromString(file).dependency:
                self._add_google(needed)
            self.pool.AddSerializedFile(file)
        return path

    def _define(self, definition: Definition) -> None:
        name = definition.name
        if name in self._homes:
            return  # google.protobuf, or a file that was sent twice
        self._homes[name] = name
        try:
            check_name(name)
        except LookupError as error:
            self.broken[name] = error.args[0]
            return
        self._definitions[name] = definition
        for scope, message in _nested(definition):
            for inner in _types_in(message):
                self._homes.setdefault(f"{scope}.{inner}", name)

    def _link(self, definition: Definition) -> None:
        """Give every field the full name of its type, and note what is outside."""
        for field in definition.part.extension:
            self._link_field(field, definition.part.package, definition)
        for scope, message in _nested(definition):
            for place in reversed(range(len(message.extension))):
                if not self.resolve(message.extension[place].extendee, scope):
                    del message.extension[place]
            for field in (*message.field, *message.extension):
                self._link_field(field, scope, definition)

    def _link_field(self, field: FieldDescriptorProto, scope: str, definition: Definition) -> None:
        if field.extendee and (extendee := self.resolve(field.extendee, scope)):
            field.extendee = f".{extendee}"
            self._need(extendee, definition)
        if not field.type_name:
            field.ClearField("type_name")  # some write it empty, which protobuf refuses
            return
        if found := self.resolve(field.type_name, scope):
            field.type_name = f".{found}"
            self._need(found, definition)
        else:
            self.missing.add(field.type_name.removeprefix("."))
            field.type = _STANDS_FOR.get(field.type, FieldDescriptorProto.TYPE_BYTES)
            field.ClearField("type_name")
            field.ClearField("default_value")

    def _need(self, name: str, definition: Definition) -> None:
        if (home := self._homes[name]) != definition.name:
            definition.needs.add(home)

    def _add(self, group: list[str]) -> None:
        """Build one group; if that fails, note it for each of its definitions."""
        members = [self._definitions[name] for name in group]
        needs = set[str]().union(*(one.needs for one in members)).difference(group)
        if spoilt := next((name for name in sorted(needs) if name in self.broken), None):
            self._refuse(group, f"it needs {clip(spoilt, 200)}, which cannot be used")
        elif len({one.part.package for one in members}) > 1:
            self._refuse(group, f"{len(group)} definitions of several packages need each other")
        else:
            self._compile(members, needs)

    def _compile(self, members: list[Definition], needs: set[str]) -> None:
        whole, *others = (one.part for one in members)
        for part in others:
            whole.MergeFrom(part)
        whole.dependency.extend(sorted({self._file(name) for name in needs}))
        group = [one.name for one in members]
        try:
            self.pool.AddSerializedFile(whole.SerializeToString())
        except (TypeError, ValueError) as error:
            reason = str(error).partition("descriptor pool: ")
            self._refuse(group, clip(reason[2] or reason[0], 300))
        else:
            self._files |= dict.fromkeys(group, whole.name)

    def _file(self, home: str) -> str:
        return self._files.get(home) or self._add_google(home)

    def _refuse(self, group: Iterable[str], why: str) -> None:
        for name in group:
            self.broken[name] = why


def check_name(name: str) -> None:
    """Raises `LookupError` for the name of a type or method that protobuf could not have made."""
    if len(name) > LONGEST_NAME:
        raise LookupError(f"a name of {len(name):,} characters; {LONGEST_NAME} are allowed")
    if not _NAME.fullmatch(name):
        raise LookupError("a name with characters that none can have")


def _taken_apart(file: FileDescriptorProto) -> Iterator[Definition]:
    """Each definition in a file of its own, which has the syntax and the options of the whole."""
    head = FileDescriptorProto(package=file.package, options=file.options)
    if file.syntax:  # proto2 has none
        head.syntax = file.syntax
    if file.HasField("edition"):
        head.edition = file.edition
    for message in file.message_type:
        yield _definition(message.name, FileDescriptorProto(message_type=[message]), head)
    for enum in file.enum_type:
        yield _definition(enum.name, FileDescriptorProto(enum_type=[enum]), head)
    for extension in file.extension:
        yield _definition(extension.name, FileDescriptorProto(extension=[extension]), head)


def _definition(name: str, part: FileDescriptorProto, head: FileDescriptorProto) -> Definition:
    name = f"{head.package}.{name}".removeprefix(".")
    part.MergeFrom(head)
    part.name = f"{name}.proto"
    return Definition(name, part)


def _nested(definition: Definition) -> Iterator[tuple[str, DescriptorProto]]:
    """Each message of `definition` with its full name, outer ones first."""
    waiting = [(definition.name, message) for message in definition.part.message_type]
    while waiting:
        scope, message = waiting.pop()
        yield scope, message
        waiting += [(f"{scope}.{inner.name}", inner) for inner in message.nested_type]


def _types_in(message: DescriptorProto) -> list[str]:
    return [inner.name for inner in message.nested_type] + [inner.name for inner in message.enum_type]


def _path(module: str) -> str:
    return f"google/protobuf/{module}.proto"


@cache
def _library_file(path: str) -> bytes:
    module = path.removesuffix(".proto").replace("/", ".")
    return bytes(import_module(f"{module}_pb2").DESCRIPTOR.serialized_pb)


@cache
def _google() -> dict[str, str]:
    """Full name of each type of google.protobuf → its file."""
    homes = {}
    for path in map(_path, (*_ALWAYS, *_ON_DEMAND)):
        file = FileDescriptorProto.FromString(_library_file(path))
        for definition in _taken_apart(file):
            homes[definition.name] = path
            for scope, message in _nested(definition):
                homes |= {f"{scope}.{inner}": path for inner in _types_in(message)}
    return homes
