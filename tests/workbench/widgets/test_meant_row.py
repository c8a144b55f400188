from __future__ import annotations

from rtui.core.record import Record
from rtui.workbench.widgets.column import read, value
from rtui.workbench.widgets.meant_row import as_meant, size_of
from rtui.workbench.widgets.row import badges

PACKED = Record(1, 2, 3, 0, 1, "temp", b"\x81\xa1v\x1e", '{"opcode":2}', 4, 5)
SHOWN = as_meant(PACKED, b'{"v":30}')


def test_a_row_shows_what_its_payload_means_with_the_size_of_the_bytes() -> None:
    assert SHOWN.payload == b'{"v":30}'
    assert (SHOWN.seq, SHOWN.channel, SHOWN.meta, SHOWN.latency) == (1, "temp", '{"opcode":2}', 5)
    assert size_of(SHOWN) == size_of(PACKED) == 4
    (v, size) = read(".v size")
    assert (value(v, SHOWN, 10), value(size, SHOWN, 10)) == ("30", "4")
    assert value(v, PACKED, 10) == ""


def test_a_payload_that_grows_in_words_earns_no_badge_for_it() -> None:
    assert badges(as_meant(PACKED, b"[" + b"1," * 800 + b"1]")) == badges(PACKED)


def test_what_means_itself_is_the_same_row() -> None:
    assert as_meant(PACKED, PACKED.payload) is PACKED
