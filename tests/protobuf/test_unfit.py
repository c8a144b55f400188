from __future__ import annotations

import pytest

from rtui.protobuf.codec import Unfit
from tests.protobuf.shapes import codec

REFUSED = [
    ("Reading", "{", "not JSON: Expecting property name enclosed in double quotes at line 1, column 2"),
    ("Reading", '{"value":NaN}', 'NaN must stand in quotes: "NaN"'),
    ("Reading", '{"unit":"a","unit":"b"}', 'the key "unit" stands twice in one object'),
    ("Reading", "[]", "an array does not fit: an object (Reading) belongs here"),
    ("Reading", '{"sensor_idd":"x"}', ".sensor_idd: Reading has no such field; did you mean sensorId?"),
    ("Reading", '{"zzz":1}', ".zzz: Reading has no such field; there are sensorId, value, unit, count, ok, at"),
    ("Reading", '{"sensorId":"a","sensor_id":"b"}', ".sensor_id: only one sensorId may be given"),
    ("Reading", '{"count":1.5}', ".count: 1.5 does not fit: a whole number (int64) belongs here"),
    ("Reading", '{"count":"1 0"}', '.count: "1 0" does not fit: a whole number (int64) belongs here'),
    ("Reading", '{"count":true}', ".count: true does not fit: a whole number (int64) belongs here"),
    ("Reading", '{"ok":"true"}', '.ok: "true" does not fit: true or false belongs here'),
    ("Reading", '{"ok":1}', ".ok: 1 does not fit: true or false belongs here"),
    (
        "Reading",
        '{"value":true}',
        '.value: true does not fit: a number, or "NaN", "Infinity" or "-Infinity" belongs here',
    ),
    ("Reading", '{"value":"1e999"}', '.value: "1e999" is too large: the largest is 1.7976931e+308'),
    ("Reading", '{"value":1e999}', ".value: Infinity is too large: the largest is 1.7976931e+308"),
    ("Reading", '{"unit":5}', ".unit: 5 does not fit: a text belongs here"),
    (
        "Reading",
        '{"at":"tomorrow"}',
        '.at: "tomorrow" does not fit: a time such as "2026-11-21T08:55:36.5Z" belongs here',
    ),
    ("Scalars", '{"aFloat":3.5e38}', ".aFloat: 3.5e+38 is too large: the largest is 3.4028236e+38"),
    ("Scalars", '{"someBytes":"a*b"}', '.someBytes: "a*b" does not fit: bytes in base64 belongs here'),
    ("Scalars", '{"mood":"glad"}', '.mood: Mood has no "glad"; did you mean GLAD?'),
    ("Scalars", '{"mood":1.5}', ".mood: 1.5 is no Mood; there are UNSURE, GLAD, HAPPY, GRIM"),
    ("Scalars", '{"mood":4294967296}', ".mood: 4294967296 is out of range: int32 goes from -2147483648 to 2147483647"),
    ("Scalars", '{"aUint32":-1}', ".aUint32: -1 is out of range: uint32 goes from 0 to 4294967295"),
    ("Lists", '{"messages":[{},{"aBool":0}]}', ".messages[1].aBool: 0 does not fit: true or false belongs here"),
    ("Lists", '{"ints":[1,null]}', ".ints[1]: null does not fit: a whole number (int32) belongs here"),
    ("Lists", '{"ints":5}', ".ints: 5 does not fit: an array belongs here"),
    ("Maps", '{"byInt32":{"a":"x"}}', '.byInt32.a: "a" does not fit: a whole number (int32) belongs here'),
    ("Maps", '{"byBool":{"1":null}}', '.byBool["1"]: "1" does not fit: "true" or "false" belongs here'),
    ("Maps", '{"byString":{"a b":{"nam":1}}}', '.byString["a b"].nam: Tree has no such field; did you mean name?'),
    (
        "Choice",
        '{"number":1,"text":"a"}',
        ".text: only one of number, text, reading, nothing, anything, mood, someBytes,",
    ),
    ("Known", '{"any":{"unit":"K"}}', '.any: an Any names its type as "@type"; such as "type.googleapis.com/'),
    (
        "Known",
        '{"any":{"@type":"x/no.such"}}',
        '.any["@type"]: the schema has no type "x/no.such"; give its bytes in base64',
    ),
    ("Known", '{"any":{"@type":"x/shapes.Reading","ok":1}}', ".any.ok: 1 does not fit"),
    ("Known", '{"any":{"@type":"x/google.protobuf.Duration"}}', 'beside "@type" a "value" belongs here'),
    ("Known", '{"any":{"@type":"x","@value":"","b":1}}', '.any.b: beside "@type" only "@value" belongs here'),
    ("old.Everything", '{"closed":3}', ".closed: 3 is no Closed; there are ONE, TWO"),
    (
        "old.Everything",
        '{"[old.titel]":""}',
        '["[old.titel]"]: the schema has no such extension; did you mean old.title?',
    ),
    ("Reading", '{"[old.title]":""}', '["[old.title]"]: it extends another type than shapes.Reading'),
    ("old.Strict", '{"name":"a","child":{"name":"b","age":1}}', "Strict lacks age"),
    ("old.Strict", '{"name":"a","age":1,"child":{"age":1}}', ".child: Strict lacks name"),
]


@pytest.mark.parametrize(("name", "text", "words"), REFUSED)
def test_what_does_not_fit_is_refused_with_its_place(name: str, text: str, words: str) -> None:
    with pytest.raises(Unfit) as caught:
        codec(name).encode(text.encode())
    assert words in str(caught.value)


BROKEN = [
    b"\xff",
    b'{"unit":"\\ud800"}',
    b'{"count":' + b"9" * 5000 + b"}",
    b"[" * 100_000,
    b'{"left":' * 500 + b"}" * 500,
]


@pytest.mark.parametrize(
    "text", BROKEN, ids=["no UTF-8", "half a pair", "5,000 digits", "100,000 brackets", "500 trees"]
)
@pytest.mark.parametrize("name", ["Reading", "Tree", "google.protobuf.Value"])
def test_monsters_are_refused_in_words_that_can_be_stored(text: bytes, name: str) -> None:
    with pytest.raises(Unfit) as caught:
        codec(name).encode(text)
    assert len(str(caught.value).encode()) < 200


@pytest.mark.parametrize("levels", [99, 100])
def test_nesting_ends_where_protobuf_ends_it(levels: int) -> None:
    text = b'{"left":' * levels + b"{}" + b"}" * levels
    assert codec("Tree").decode(codec("Tree").encode(text)) == (text, None)
    with pytest.raises(Unfit, match="100 levels"):
        codec("Tree").encode(b'{"left":' * 101 + b"{}" + b"}" * 101)


def test_an_unfit_tells_its_place_as_the_filter_language_writes_it() -> None:
    with pytest.raises(Unfit) as caught:
        codec("Lists").encode(b'{"messages":[{"aBool":0}]}')
    assert caught.value.path == ".messages[0].aBool"
