from __future__ import annotations

import pytest

from rtui.protocols.socketio import Options
from rtui.protocols.wire.socketio_packet import Packet, Type
from rtui.protocols.wire.socketio_space import Spaces


def spaces(told: str) -> Spaces:
    """In the default namespace, which answered CONNECT so."""
    one = Spaces({}, Options(), lambda _: None, lambda _: None)
    one.begin(4)
    one.on_connect(Packet(Type.CONNECT, "/", None, told))
    return one


@pytest.mark.parametrize(
    ("arguments", "shown", "offset"),
    [
        ('[1,"Q7ysHlS"]', "[1]", "Q7ysHlS"),
        ('["Q7ysHlS"]', "[]", "Q7ysHlS"),
        ('[{"a":[1,2]},"1700000000000-0"]', '[{"a":[1,2]}]', "1700000000000-0"),
        ("[]", "[]", ""),
        ("[1]", "[1]", ""),
        ('[["a","b"]]', '[["a","b"]]', ""),
        ('["one, two"]', '["one, two"]', ""),
        (r'["a,\"b\""]', r'["a,\"b\""]', ""),
        ('[{"a":1,"b":"c"}]', '[{"a":1,"b":"c"}]', ""),
    ],
)
def test_the_offset_behind_the_arguments_is_no_argument(arguments: str, shown: str, offset: str) -> None:
    assert spaces('{"sid":"a","pid":"b"}').saw("/", None, arguments) == (shown, offset)


def test_without_recovery_and_where_an_answer_is_asked_there_is_none() -> None:
    assert spaces('{"sid":"a"}').saw("/", None, '["text"]') == ('["text"]', "")
    assert spaces('{"sid":"a","pid":"b"}').saw("/", 1, '["text"]') == ('["text"]', "")
