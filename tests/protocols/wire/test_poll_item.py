from __future__ import annotations

from typing import Any

import pytest

from rtui.core.fault import Failure
from rtui.protocols.polling import Options
from rtui.protocols.wire import poll_item
from rtui.protocols.wire.poll_item import Items


def items(memory: dict[str, Any] | None = None, key: str = ".id") -> Items:
    return Items(Options(items=".data", item_key=key), {} if memory is None else memory)


def shown(one: Items, body: bytes) -> list[bytes]:
    return [item.payload for item in one.fresh(one.cut(body) or [])]


def test_items_keep_their_bytes_place_and_key() -> None:
    one = items()
    found = one.cut(b'{"data":[{"id":1.0, "v" : 2},{"id":"\xc3\xa9"}]}')
    assert found is not None
    assert [tuple(item) for item in one.fresh(found)] == [
        (0, b'{"id":1.0, "v" : 2}', "1.0"),
        (1, '{"id":"é"}'.encode(), '"é"'),
    ]


def test_only_new_keys_are_shown() -> None:
    one = items()
    assert shown(one, b'{"data":[{"id":1},{"id":2}]}') == [b'{"id":1}', b'{"id":2}']
    assert shown(one, b'{"data":[{"id":2,"x":1},{"id":3},{"id":3}]}') == [b'{"id":3}']


def test_without_a_key_every_item_is_new() -> None:
    one = items(key="")
    assert shown(one, b'{"data":[1,1]}') == [b"1", b"1"]
    assert shown(one, b'{"data":[1]}') == [b"1"]
    assert one.keyless == 0


def test_items_that_lack_the_key_are_shown_and_counted() -> None:
    one = items()
    assert shown(one, b'{"data":[{"id":1},{},5]}') == [b'{"id":1}', b"{}", b"5"]
    assert one.keyless == 2
    assert shown(one, b'{"data":[{},{"id":1}]}') == [b"{}"]
    assert one.keyless == 1


def test_what_holds_no_list_is_told_from_an_empty_one() -> None:
    one = items()
    assert one.cut(b'{"data":[]}') == []
    assert one.cut(b'{"data":{}}') is None
    assert one.cut(b"{}") is None
    assert one.cut(b"not JSON") is None


def test_the_keys_survive_a_reconnect() -> None:
    memory: dict[str, Any] = {}
    shown(items(memory), b'{"data":[{"id":1}]}')
    assert shown(items(memory), b'{"data":[{"id":1},{"id":2}]}') == [b'{"id":2}']


def test_memory_is_bounded_and_forgets_what_is_longest_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(poll_item, "KEYS", 3)
    memory: dict[str, Any] = {}
    one = items(memory)
    shown(one, b'{"data":[{"id":1},{"id":2},{"id":3}]}')
    shown(one, b'{"data":[{"id":1},{"id":4}]}')
    assert len(memory["items"]) == 3
    assert shown(one, b'{"data":[{"id":1},{"id":3},{"id":4}]}') == []
    assert shown(one, b'{"data":[{"id":2}]}') == [b'{"id":2}']


def test_long_keys_cost_no_more_than_short_ones() -> None:
    memory: dict[str, Any] = {}
    body = b'{"data":[{"id":"%s"}]}' % (b"k" * 100_000)
    one = items(memory)
    (item,) = one.fresh(one.cut(body) or [])
    assert len(item.key) == poll_item.KEY_SHOWN
    assert all(len(key) <= 16 for key in memory["items"])
    assert shown(one, body) == []


@pytest.mark.parametrize(
    ("name", "options"), [("items", Options(items="data")), ("item_key", Options(items=".", item_key="["))]
)
def test_a_path_that_is_none_is_refused(name: str, options: Options) -> None:
    with pytest.raises(Failure, match=f"{name} is not a JSON path"):
        Items(options, {})
