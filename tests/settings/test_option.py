from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rtui.settings.kind import read_pairs
from rtui.settings.option import (
    OptionErrors,
    build,
    check,
    declared,
    format_duration,
    format_size,
    option,
    parse_duration,
    parse_size,
    parse_text,
    schema,
)
from tests.settings.shapes import Options

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
keys = st.sampled_from([one.key for one in declared(Options)] + ["tls", "will"]) | st.text()


def errors_of(values: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(OptionErrors) as caught:
        build(Options, values)
    return {error.key: error.message for error in caught.value.errors}


@given(st.floats(min_value=0, allow_nan=False, allow_infinity=False, max_value=1e15))
@example(0.00016847694230879472)
def test_every_duration_is_read_back_exactly(seconds: float) -> None:
    assert parse_duration(format_duration(seconds)) == seconds


@given(st.integers(min_value=0, max_value=2**63 - 1))
def test_every_size_is_read_back_exactly(size: int) -> None:
    assert parse_size(format_size(size)) == size


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("500ms", 0.5), ("2s", 2), ("1m", 60), ("1m30s", 90), ("1.5h", 5400), ("3", 3), ("250us", 0.00025), ("1d", 86400)],
)
def test_durations_as_people_write_them(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "ms", "-1s", "1x", "1s junk", "nan", "inf", "1e999", "9" * 50])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="must be"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "size"), [("64k", 65536), ("16M", 2**24), ("1.5k", 1536), ("10", 10), ("1 GiB", 2**30)]
)
def test_sizes_as_people_write_them(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "k", "-1", "1.3", "1x", "8388608T", "1.0000001k"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(ValueError, match="must be"):
        parse_size(text)


@given(st.text())
def test_parsers_raise_nothing_but_value_errors(text: str) -> None:
    for parse in (parse_duration, parse_size):
        try:
            parse(text)
        except ValueError:
            continue


@given(st.dictionaries(keys, anything, max_size=4))
def test_build_raises_nothing_but_option_errors(values: dict[str, Any]) -> None:
    try:
        build(Options, values)
    except OptionErrors:
        return
    assert check(Options, values) == []


@given(st.sampled_from(declared(Options)), st.text())
def test_text_is_read_or_refused(one: Any, text: str) -> None:
    try:
        parse_text(one, text)
    except ValueError:
        return


def test_every_error_is_reported_at_once() -> None:
    wrong = {"timeot": 1, "timeout": "0s", "max_size": "huge", "mode": "fats", "insecure": 3, "headers": {"X.Y": 1}}
    assert errors_of(wrong) == {
        "timeot": "unknown key; did you mean 'timeout'?",
        "timeout": "must be at least 100ms, not 0s",
        "max_size": "must be a size such as 4096, 64k or 16M, not 'huge'",
        "mode": "'fats' is not allowed; did you mean 'fast'?",
        "insecure": "must be true or false, not 3",
        "headers.X.Y": "must be text, not 1",
    }


def test_group_tables_name_the_same_options(tmp_path: Path) -> None:
    values = {"tls": {"ca": "ca.pem", "insecure": "yes"}, "will": {"topic": "gone"}}
    built = build(Options, values, base=tmp_path)
    assert (built.ca, built.insecure, built.will_topic) == (str(tmp_path / "ca.pem"), True, "gone")
    assert "given twice" in errors_of({"ca": "a", "tls": {"ca": "b"}})["tls.ca"]
    assert "did you mean 'ca'" in errors_of({"tls": {"caa": "b"}})["tls.caa"]


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    data: Annotated[str, option("Body", kind="body")] = ""


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("@body.json", "@{base}/body.json"),
        ("@/tmp/body.json", "@/tmp/body.json"),
        ("body.json", "body.json"),
        ('{"to": "a@b"}', '{"to": "a@b"}'),
        ("", ""),
    ],
)
def test_a_body_is_text_or_names_a_file_beside_the_session(tmp_path: Path, written: str, read: str) -> None:
    assert build(Letter, {"data": written}, base=tmp_path).data == read.replace("{base}", str(tmp_path))


class Papers(msgspec.Struct, frozen=True, kw_only=True):
    proto: Annotated[list[str], option("Files", kind="files")] = []


def test_files_are_beside_the_session_unless_they_are_not_there(tmp_path: Path) -> None:
    (tmp_path / "here.proto").touch()
    (tmp_path / "protos").mkdir()
    given = ["here.proto", "protos", "elsewhere/shop.proto", "/etc/shop.proto"]
    kept = ["elsewhere/shop.proto", "/etc/shop.proto"]
    assert build(Papers, {"proto": given}, base=tmp_path).proto == [
        *(str(tmp_path / name) for name in given[:2]),
        *kept,
    ]
    assert build(Papers, {"proto": "here.proto,x"}, base=tmp_path).proto == [str(tmp_path / "here.proto"), "x"]
    assert build(Papers, {}, base=tmp_path).proto == []


def test_command_line_spellings() -> None:
    built = build(
        Options,
        {"headers": ["A: b:c", "D:e"], "subprotocols": "x, y", "auth": '{"t": 1}', "attempts": "", "ratio": "2.5"},
    )
    assert built.headers == {"A": "b:c", "D": "e"}
    assert (built.subprotocols, built.auth, built.attempts, built.ratio) == (["x", "y"], {"t": 1}, None, 2.5)


def test_templates_pass_the_check_but_not_the_build() -> None:
    assert check(Options, {"max_size": "{{ size }}"}) == []
    assert "max_size" in errors_of({"max_size": "{{ size }}"})


@pytest.mark.parametrize(
    ("text", "pair"),
    [
        ("Accept: text/plain", ("Accept", "text/plain")),
        ("sid=a:b=c", ("sid", "a:b=c")),
        ("X-Empty:", ("X-Empty", "")),
        ("Cookie: a=b", ("Cookie", "a=b")),
    ],
)
def test_pairs_as_headers_and_as_cookies_are_written(text: str, pair: tuple[str, str]) -> None:
    assert read_pairs(text) == dict([pair])


@pytest.mark.parametrize("text", ["dXNlcjpwYXNz==", "dXNlcjpwYXN0=", "Bearer abc", ": abc", "=abc", ""])
def test_what_is_no_pair_is_not_repeated(text: str) -> None:
    with pytest.raises(ValueError, match=r"^must be written 'Name: value' or 'name=value'$"):
        read_pairs(text)


def test_a_malformed_secret_is_not_repeated() -> None:
    message = str(errors_of({"token": ["hunter2"], "headers": "hunter2 without a colon"}))
    assert "hunter2" not in message


def test_schema_tells_types_choices_and_secrets() -> None:
    properties = schema(Options)["properties"]
    assert properties["mode"]["enum"] == ["fast", "slow"]
    assert properties["timeout"] == {
        "description": "Time",
        "type": ["number", "string"],
        "minimum": 0.1,
        "maximum": 3600,
        "default": 10.0,
    }
    assert properties["token"]["writeOnly"]
    assert schema(Options)["additionalProperties"] is False
