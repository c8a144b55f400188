"""What can be called: the methods of the services that a server, .proto files or a descriptor set describe. No I/O.

reflection ─┐
.proto      ├─ bytes of FileDescriptorProto ─ grpc_repair ─ protobuf.pool ─ Schema ─ Method ─ codecs, template
.protoset ──┘
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import islice
from typing import Final, Literal, TypeAlias

from google.protobuf.descriptor import Descriptor
from google.protobuf.descriptor_pb2 import (
    FileDescriptorProto,
    FileDescriptorSet,
    MethodDescriptorProto,
    ServiceDescriptorProto,
)

from rtui.core.fault import Failure, Fault
from rtui.protobuf.codec import Codec
from rtui.protobuf.descriptor_set import LARGEST
from rtui.protobuf.message import UNREADABLE
from rtui.protobuf.pool import Types, check_name
from rtui.protocols.wire.grpc_repair import mend
from rtui.settings.quantity import clip, format_size

Kind: TypeAlias = Literal["unary", "server stream", "client stream", "bidi stream"]

MOST: Final = 10_000
"""Files; a server that invents another import for each answer must find an end."""
METHODS: Final = 10_000
"""Methods; those behind are left out."""
_KINDS: Final[dict[tuple[bool, bool], Kind]] = {
    (False, False): "unary",
    (False, True): "server stream",
    (True, False): "client stream",
    (True, True): "bidi stream",
}
_SERVICE: Final = FileDescriptorProto.SERVICE_FIELD_NUMBER
_METHOD: Final = ServiceDescriptorProto.METHOD_FIELD_NUMBER


class Method:
    """One method. Codecs and template are made when they are asked for: a server may have thousands."""

    def __init__(self, channel: str, kind: Kind, messages: tuple[Descriptor, Descriptor], description: str) -> None:
        """`messages` are those of request and reply."""
        self.channel = channel
        """`package.Service/Method`."""
        self.kind = kind
        self.input, self.output = messages
        self.description = description
        """What its author wrote above it, if the source came along."""

    @property
    def many_requests(self) -> bool:
        """Whether the client streams."""
        return self.kind in {"client stream", "bidi stream"}

    @property
    def many_replies(self) -> bool:
        """Whether the server streams."""
        return self.kind in {"server stream", "bidi stream"}

    @property
    def signature(self) -> str:
        """`Echo(EchoRequest) → stream EchoReply`."""
        given, got = self.input.name, self.output.name
        name = self.channel.rpartition("/")[2]
        return f"{name}({'stream ' * self.many_requests}{given}) → {'stream ' * self.many_replies}{got}"

    @cached_property
    def template(self) -> str:
        """A request with every field, as JSON text."""
        from rtui.protobuf.template import template

        return template(self.input)

    @cached_property
    def choices(self) -> list[str]:
        """What the template cannot show: members of oneofs and names of enums, a line each."""
        from rtui.protobuf.template import choices

        return choices(self.input)

    @cached_property
    def request(self) -> Codec:
        """JSON to the bytes of a request, and back."""
        return Codec(self.input)

    def reply(self, *, emit_defaults: bool = False) -> Codec:
        """The bytes of a reply to JSON, and back."""
        return Codec(self.output, emit_defaults=emit_defaults)


class Schema:
    """All methods of one server, or of the files that the user has of it."""

    def __init__(self, files: Iterable[FileDescriptorProto], services: Iterable[str] | None = None) -> None:
        """`services` are those that the server offers, if it said so: a file may hold others too."""
        files = list(files)
        self._offered = None if services is None else {name.removeprefix(".") for name in services}
        for file in files:
            mend(file)
        self.types = Types(files)
        self.unusable: dict[str, str] = {}
        """Method, service or type → why it cannot be used."""
        found = self._methods(files)
        self._by_channel = {method.channel: method for method in islice(found, METHODS)}
        if next(found, None) is not None:
            self.unusable["all other methods"] = f"more than {METHODS:,} are too many"
        self._note_undescribed(files)
        why = "no file defines it; fields of this type are shown as bytes"
        self.unusable |= {clip(name, 200): why for name in sorted(self.types.missing)}

    @classmethod
    def from_files(cls, files: Iterable[bytes], services: Iterable[str] | None = None) -> Schema:
        """From serialised FileDescriptorProtos in any order, some perhaps twice.

        Raises:
            Failure: if one is no such thing, or all of them are too large.
        """
        known = dict.fromkeys(files)
        _check_size(sum(map(len, known)), len(known))
        return cls(map(_file, known), services)

    @classmethod
    def from_protoset(cls, data: bytes, name: str = "") -> Schema:
        """From a serialised FileDescriptorSet; `name` is told if it is none.

        Raises:
            Failure: likewise.
        """
        _check_size(len(data), 1)
        try:
            return cls(FileDescriptorSet.FromString(data).file)
        except UNREADABLE:
            raise Failure(_not_a_set(name)) from None

    @property
    def methods(self) -> tuple[Method, ...]:
        """In the order of the files; a method that cannot be called is not among them."""
        return tuple(self._by_channel.values())

    @property
    def missing(self) -> frozenset[str]:
        """Full names of types that no file defines: to be asked for; else their fields are shown as bytes."""
        return frozenset(self.types.missing)

    @property
    def services(self) -> tuple[str, ...]:
        """Full names of the services with methods."""
        return tuple(dict.fromkeys(method.channel.rpartition("/")[0] for method in self.methods))

    def method(self, channel: str) -> Method | None:
        """The method called so: `package.Service/Method`; a leading slash does no harm."""
        return self._by_channel.get(channel.removeprefix("/"))

    def _methods(self, files: Iterable[FileDescriptorProto]) -> Iterator[Method]:
        for file in files:
            comments = _comments(file)
            for place, service in enumerate(file.service):
                name = f"{file.package}.{service.name}".removeprefix(".")
                if self._offered is None or name in self._offered:
                    about = comments.get((_SERVICE, place), "")
                    for index, method in enumerate(service.method):
                        own = comments.get((_SERVICE, place, _METHOD, index), "")
                        yield from self._method(name, method, own or about)

    def _method(self, service: str, method: MethodDescriptorProto, description: str) -> Iterator[Method]:
        """The method, unless it cannot be called."""
        channel = f"{service}/{method.name}"
        try:
            check_name(f"{service}.{method.name}")
            messages = self._message(method.input_type, service), self._message(method.output_type, service)
        except LookupError as error:
            self.unusable[clip(channel, 200)] = error.args[0]
        else:
            yield Method(channel, _KINDS[method.client_streaming, method.server_streaming], messages, description)

    def _message(self, written: str, service: str) -> Descriptor:
        name = self.types.resolve(written, service)
        if not name:
            name = written.removeprefix(".")
            self.types.missing.add(name)
        return self.types.message(name)

    def _note_undescribed(self, files: Iterable[FileDescriptorProto]) -> None:
        known = {f"{file.package}.{service.name}".removeprefix(".") for file in files for service in file.service}
        for name in sorted((self._offered or set()) - known):
            self.unusable[clip(name, 200)] = "the server offers it, but does not describe it"


class Files:
    """Files as a server tells them, one answer after the other: what it imports is still to be asked for."""

    def __init__(self) -> None:
        self.all: dict[bytes, None] = {}
        """Each a serialised FileDescriptorProto, in the order of their coming."""
        self._size = 0
        self._names = set[str]()
        self._imports = set[str]()

    def add(self, files: Iterable[bytes]) -> bool:
        """Whether any of them is new.

        Raises:
            Failure: if one is no FileDescriptorProto, or all of them are too large.
        """
        before = len(self.all)
        for data in files:
            if data not in self.all:
                file = _file(data)
                self.all[data] = None
                self._size += len(data)
                self._names.add(file.name)
                self._imports.update(file.dependency)
        _check_size(self._size, len(self.all))
        return len(self.all) > before

    @property
    def wanted(self) -> set[str]:
        """Names of imports that did not come; google.protobuf is always there."""
        return {name for name in self._imports - self._names if not name.startswith("google/protobuf/")}

    def schema(self, services: Iterable[str]) -> Schema:
        """What they make together, with its templates: where a server has thousands of methods, it takes a second."""
        schema = Schema(map(FileDescriptorProto.FromString, self.all), services)
        for method in schema.methods:
            _ = method.template, method.choices
        return schema


def _check_size(size: int, count: int) -> None:
    if size > LARGEST or count > MOST:
        cause = f"{size:,} bytes in {count:,} files; {format_size(LARGEST)} in {MOST:,} are allowed"
        raise Failure(Fault(kind="limit", side="them", title="Schema too large", cause=cause))


def _file(data: bytes) -> FileDescriptorProto:
    try:
        return FileDescriptorProto.FromString(data)
    except UNREADABLE:
        cause = f"{len(data):,} bytes that should describe a file are no FileDescriptorProto, or nest too deeply"
        hint = "Give the schema as .proto files (proto) or as a descriptor set (protoset)"
        raise Failure(
            Fault(kind="handshake", side="them", title="Schema cannot be read", cause=cause, hint=hint)
        ) from None


def _not_a_set(name: str) -> Fault:
    return Fault(
        kind="usage",
        side="us",
        title="Not a descriptor set",
        cause=f"{name or 'the file'} is no serialised FileDescriptorSet",
        hint="Make one with: protoc --include_imports --descriptor_set_out=FILE …; .proto files go to proto",
    )


def _comments(file: FileDescriptorProto) -> dict[tuple[int, ...], str]:
    """What stands above each service and method; protoc keeps it with --include_source_info."""
    return {
        tuple(where.path): " ".join(where.leading_comments.split())
        for where in file.source_code_info.location
        if where.leading_comments and where.path[:1] == [_SERVICE]
    }
