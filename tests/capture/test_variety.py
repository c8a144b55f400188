from __future__ import annotations

import pytest

from rtui.capture.series import fields, number
from rtui.capture.variety import liveliest


@pytest.mark.parametrize(
    ("payloads", "path"),
    [
        ([b'{"id":1,"v":20.5}', b'{"id":2,"v":21.5}', b'{"id":3,"v":19}'], ".v"),
        ([b'{"count":1,"v":3}', b'{"count":2,"v":1}', b'{"count":3,"v":2}'], ".v"),
        ([b'{"fixed":1,"total":1}', b'{"fixed":1,"total":2}', b'{"fixed":1,"total":5}'], ".total"),
        ([b'{"t":1700000000,"v":3}', b'{"t":1700000007,"v":3}', b'{"t":1700000005,"v":4}'], ".v"),
        ([b'{"userId":7,"v":1}', b'{"userId":2,"v":3}', b'{"userId":9,"v":2}'], ".v"),
        ([b'{"on":0,"v":1}', b'{"on":1,"v":3}', b'{"on":0,"v":2}'], ".v"),
        ([b'{"id":4,"v":20.5}'], ".v"),
        ([b'{"id":4}', b'{"id":5}'], ".id"),
        ([b'{"a":{"x":1},"b":{"x":1}}', b'{"a":{"x":2},"b":{"x":2}}'], ".a.x"),
        ([b"4", b"5"], "."),
        ([b"{}"], None),
    ],
)
def test_the_number_that_goes_up_and_down_is_drawn_first(payloads: list[bytes], path: str | None) -> None:
    offered = fields(payloads[-1])
    numbers = [[found for one in payloads if (found := number(one, field)) is not None] for field in offered]
    assert liveliest(offered, numbers) == path
