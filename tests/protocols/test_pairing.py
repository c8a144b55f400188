from __future__ import annotations

from rtui.protocols.pairing import ECHO_LIFE, MAX_OUTSTANDING, Pairing


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def pairing() -> tuple[Pairing, Clock]:
    clock = Clock()
    return Pairing(clock), clock


def test_json_rpc_pairs_by_id_in_any_order() -> None:
    pairs, _ = pairing()
    pairs.sent(1, b'{"jsonrpc":"2.0","id":10,"method":"add"}')
    pairs.sent(2, b'{"jsonrpc":"2.0","id":"b","method":"add"}')
    assert pairs.answered(b'{"jsonrpc":"2.0","id":"b","error":{}}') == 2
    assert pairs.answered(b'{"jsonrpc":"2.0","id":10,"result":3}') == 1
    assert pairs.answered(b'{"jsonrpc":"2.0","id":10,"result":3}') is None


def test_a_call_of_the_server_is_no_answer() -> None:
    pairs, _ = pairing()
    pairs.sent(1, b'{"id":10,"method":"add"}')
    assert pairs.answered(b'{"id":10,"method":"ask"}') is None


def test_graphql_answers_until_complete() -> None:
    pairs, _ = pairing()
    pairs.sent(7, b'{"id":"1","type":"subscribe","payload":{}}')
    assert [pairs.answered(b'{"id":"1","type":"next","payload":1}') for _ in range(3)] == [7, 7, 7]
    assert pairs.answered(b'{"id":"1","type":"complete"}') == 7
    assert pairs.answered(b'{"id":"1","type":"next"}') is None


def test_an_echo_pairs_first_sent_first() -> None:
    pairs, _ = pairing()
    pairs.sent(1, b"hi")
    pairs.sent(2, b"hi")
    assert [pairs.answered(b"hi") for _ in range(3)] == [1, 2, None]


def test_an_echo_is_forgotten_after_its_life() -> None:
    pairs, clock = pairing()
    pairs.sent(1, b"hi")
    assert pairs.outstanding
    clock.now = ECHO_LIFE + 1
    assert not pairs.outstanding
    assert pairs.answered(b"hi") is None


def test_memory_is_bounded() -> None:
    pairs, _ = pairing()
    for number in range(3 * MAX_OUTSTANDING):
        pairs.sent(number, b'{"id":%d}' % number)
    assert pairs.answered(b'{"id":0}') is None
    assert pairs.answered(b'{"id":%d}' % (3 * MAX_OUTSTANDING - 1)) == 3 * MAX_OUTSTANDING - 1


def test_weird_ids_pair_with_nothing() -> None:
    pairs, _ = pairing()
    for payload in (b'{"id":{}}', b'{"id":null}', b'{"id":1', b'["id"]', b'"id"', b'{"id":' + b"[" * 9999):
        pairs.sent(1, payload)
        assert pairs.answered(payload) == 1
        assert pairs.answered(b'{"id":1,"result":0}') is None
