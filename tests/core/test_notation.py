from __future__ import annotations

import pytest

from rtui.core.notation import Miswritten, Notation, unwrite


@pytest.mark.parametrize(
    ("text", "notation", "meant"),
    [
        ("de ad\nBE ef", "hex", b"\xde\xad\xbe\xef"),
        (" 0xdead", "hex", b"\xde\xad"),
        ("", "hex", b""),
        ("3q2+ 7w==\n", "base64", b"\xde\xad\xbe\xef"),
    ],
)
def test_white_space_and_0x_are_allowed(text: str, notation: Notation, meant: bytes) -> None:
    assert unwrite(text, notation) == meant


@pytest.mark.parametrize(
    ("text", "notation", "said", "place"),
    [
        ("de zz", "hex", "not hex: 'z' at digit 3", 3),
        ("0xag", "hex", "not hex: 'g' at digit 2", 3),
        ("dea", "hex", "not hex: an odd number of digits", 3),
        ("3q2-7w==", "base64", "not base64: '-' at character 4", 3),
        ("3q2\x1b", "base64", "not base64: '␛' at character 4", 3),
        ("3q2", "base64", "not base64: Incorrect padding", 3),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text: str, notation: Notation, said: str, place: int) -> None:
    with pytest.raises(Miswritten) as caught:
        unwrite(text, notation)
    assert (str(caught.value), caught.value.place) == (said, place)
