from __future__ import annotations

import os
from pathlib import Path

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet

from rtui.protobuf import descriptor_set
from rtui.protobuf.descriptor_set import MessageTypes, Unusable, message_names, read
from tests.protoset import protoset

PLANT = """
syntax = "proto3";
package plant;
message Reading { double celsius = 1; map<string, string> tags = 2; repeated Reading.Part parts = 3;
  message Part { int64 number = 1; } }
message Alarm { string text = 1; }
"""


@pytest.fixture
def made(tmp_path: Path) -> Path:
    source = tmp_path / "plant.proto"
    source.write_text(PLANT)
    return protoset(source, tmp_path / "plant.protoset")


def test_messages_are_named_nested_ones_too_and_no_entries_of_maps(made: Path) -> None:
    assert message_names(read(made)) == ["plant.Alarm", "plant.Reading", "plant.Reading.Part"]


def test_a_codec_goes_both_ways(made: Path) -> None:
    types = MessageTypes(read(made))
    codec = types.codec("plant.Reading")
    wire = codec.encode(b'{"celsius":21.5,"tags":{"a":"b"},"parts":[{"number":"7"}]}')
    assert codec.decode(wire) == (b'{"celsius":21.5,"tags":{"a":"b"},"parts":[{"number":7}]}', None)
    assert types.codec("plant.Reading") is codec


def test_a_type_that_is_not_there_is_named(made: Path) -> None:
    with pytest.raises(Unusable, match=r"plant\.Nothing is not defined"):
        MessageTypes(read(made)).codec("plant.Nothing")


@pytest.mark.parametrize(
    "data", [b"", b"\x00", b"hello", b'{"a":1}', b"\x08\x01", FileDescriptorProto(name="x").SerializeToString()]
)
def test_what_is_no_descriptor_set_is_told_how_to_make_one(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "x.protoset"
    path.write_bytes(data)
    with pytest.raises(Unusable, match="is no descriptor set; make one with: protoc --include_imports"):
        read(path)


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match="no such file"):
        read(tmp_path / "none")
    with pytest.raises(Unusable, match="is not a file"):
        read(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(Unusable, match="is not a file"):
        read(tmp_path / "pipe")


@pytest.mark.parametrize(("more", "is_fine"), [(-1, True), (0, True), (1, False)])
def test_the_size_is_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: int, is_fine: bool) -> None:
    path = tmp_path / "x.protoset"
    path.write_bytes(FileDescriptorSet(file=[FileDescriptorProto(name="x.proto")]).SerializeToString())
    monkeypatch.setattr(descriptor_set, "LARGEST", path.stat().st_size - more)
    if is_fine:
        assert [file.name for file in read(path).file] == ["x.proto"]
    else:
        with pytest.raises(Unusable, match="larger than"):
            read(path)
