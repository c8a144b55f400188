"""Descriptors of .proto files, and message classes made from them without generated code."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_tools import protoc


def protoset(proto: Path, made: Path) -> Path:
    """Compile `proto`, and all that it imports, into the file `made`."""
    words = [f"-I{proto.parent}", f"-I{Path(protoc.__file__).parent / '_proto'}", "--include_imports"]
    assert protoc.main(["protoc", *words, f"--descriptor_set_out={made}", proto.name]) == 0
    return made


@cache
def loaded(proto: Path) -> DescriptorPool:
    """The default pool, with `proto` and what it imports in it."""
    pool = descriptor_pool.Default()
    with tempfile.TemporaryDirectory() as folder:
        made = protoset(proto, Path(folder, "all.protoset"))
        for file in descriptor_pb2.FileDescriptorSet.FromString(made.read_bytes()).file:
            pool.AddSerializedFile(file.SerializeToString())
    return pool
