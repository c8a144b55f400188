from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtui.payloads.base import Unreadable
from rtui.payloads.jwt import JwtView
from rtui.payloads.registry import next_format, open_as, open_best, view
from rtui.payloads.xml import XmlView
from tests.payloads.test_view import shown

NOW = 1_700_000_000


def token(header: object, claims: object, signature: bytes = b"12345678") -> bytes:
    parts = (json.dumps(header).encode(), json.dumps(claims).encode(), signature)
    return b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts)


def test_a_token_shows_its_parts_and_times_and_that_nobody_verified_it() -> None:
    data = token({"alg": "HS256"}, {"sub": "b\x1b", "iat": NOW - 7300, "exp": NOW + 60})
    rows = shown(JwtView(lambda: NOW).open(data))
    assert rows[0].split() == ["header", "▾", "{"]
    assert any('"alg": "HS256"' in row for row in rows)
    assert rows[-3:] == [
        "issued      2023-11-14 20:11:40 UTC, 2 hours ago",
        "valid until 2023-11-14 22:14:20 UTC, in 1 minute",
        "signature   8 bytes, not verified",
    ]
    assert open_best(data).view.name == "jwt"
    assert open_best(b"Bearer " + data).view.name == "jwt"


@pytest.mark.parametrize("value", [1e300, -1e18, "soon", True, None])
def test_a_time_that_is_none_has_no_row(value: object) -> None:
    rows = shown(JwtView(lambda: NOW).open(token({}, {"exp": value}, b"")))
    assert not any(row.startswith("valid until") for row in rows)
    assert rows[-1] == "signature none, not verified"


@pytest.mark.parametrize("data", [b"eyJh.eyJ.x", b"eyJhbGciOiJub25lIn0.e30x.", b"hello", b"a.b.c"])
def test_what_is_no_token_stays_text(data: bytes) -> None:
    assert open_best(data).view.name == "raw"


@given(st.binary(min_size=1))
def test_base64_shows_what_it_holds(data: bytes) -> None:
    for encoded in (base64.b64encode(data), base64.urlsafe_b64encode(data).rstrip(b"="), base64.encodebytes(data)):
        opening = open_as("base64", encoded)
        assert opening.problem == ""
        assert opening.document.value(0) == data


def test_base64_is_a_guess_that_has_to_be_asked_for() -> None:
    data = base64.b64encode(b'{"a":{"b":1}}')
    assert open_best(data).view.name == "raw"
    assert next_format(data, {}, "") == "base64"
    assert next_format(data, {}, "base64") == ""
    document = open_best(data, asked="base64").document
    assert shown(document)[0] == "base64 13 bytes, JSON"
    assert shown(document)[3].strip() == '"b": 1'


def test_the_next_format_is_never_the_one_that_is_shown() -> None:
    data = bytes.fromhex("820102")
    assert open_best(data).view.name == "cbor"
    assert next_format(data, {}, "") == "msgpack"
    assert next_format(data, {}, "cbor") == "protobuf"
    assert next_format(data, {}, "protobuf") == ""


def test_an_xml_tree() -> None:
    data = b'<?xml version="1.0"?>\n<f a="1&lt;2"><!--hi--><e/>one &amp; two<e x=">">z</e></f>'
    tree = XmlView().open(data)
    assert [row.strip() for row in shown(tree)] == [
        "▾ f:", "@a: 1<2", "<!--hi-->", "e:", "one & two", "▾ e:", "@x: >", "z",
    ]  # fmt: skip
    assert [tree.path(row) for row in range(tree.height)] == [
        "/f", "/f/@a", "/f/comment()", "/f/e", "/f/text()", "/f/e[2]", "/f/e[2]/@x", "/f/e[2]/text()",
    ]  # fmt: skip
    assert tree.value(0) == data[data.index(b"<f") :]
    assert tree.value(3) == b"<e/>"
    assert tree.value(4) == b"one &amp; two"
    assert tree.value(5) == b'<e x=">">z</e>'
    assert open_best(data).view.name == "xml"


LAUGHS = b'<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><l>&b;</l>'
FILE = b'<!DOCTYPE l [<!ENTITY a SYSTEM "file:///etc/passwd">]><l>&a;</l>'


@pytest.mark.parametrize(
    "data",
    [LAUGHS, FILE, b"<a>", b"<a></b>", b"<a/><b/>", b'<?xml version="1.0" encoding="no"?><a/>', b"", b"<a>&x;</a>"],
)
def test_what_is_not_xml_or_declares_entities_is_refused(data: bytes) -> None:
    with pytest.raises(Unreadable, match="XML"):
        XmlView().open(data)


def test_deep_xml_needs_no_recursion() -> None:
    tree = XmlView().open(b"<a>" * 50_000 + b"</a>" * 50_000)
    assert tree.height == 50_000
    assert tree.toggle(0)
    assert tree.height == 1


@given(st.text(max_size=50))
def test_a_json_text_as_a_literal_of_the_filter(text: str) -> None:
    from rtui.capture.query import compile_filter

    document = view("json").open(json.dumps({"a b": text}).encode())
    literal = document.literal(1)
    assert (literal is not None) == text.isprintable()
    if literal is not None:
        compile_filter(f"{document.path(1)}=={literal}")
