from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtui.core.fault import Failure
from rtui.settings.files import LARGEST_FILE, SettingsError, load_toml, parse_toml, show_key, write_atomic

DOCUMENT = '''# comment with [brackets]
[session]
name = "x"  # hi
url = """
[not.a.table]
""""
[options]
headers."X.Y" = 'a'
headers.'Z' = "b"
list = [ 1,
  2, # ]
  {a.b = 3, "c" = """}"""}, 5 ]

["quoted \\u00e9".inner]
ca = 1979-05-27 07:32:00
[[messages]]
name = "a"
[messages.options]
x = 1
[[messages]]

name = "b"
'''


def problems_of(path: Path) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load_toml(path)
    return [str(problem).replace(str(path), "FILE") for problem in caught.value.problems]


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_every_key_knows_its_line(ends: str) -> None:
    source = parse_toml(DOCUMENT.replace("\n", ends), Path("x.toml"))
    expected: dict[tuple[str | int, ...], int] = {
        ("session", "url"): 4,
        ("options",): 7,
        ("options", "headers", "X.Y"): 8,
        ("options", "headers", "Z"): 9,
        ("options", "list", 1): 11,
        ("options", "list", 2, "a", "b"): 12,
        ("options", "list", 3): 12,
        ("quoted é", "inner", "ca"): 15,
        ("messages", 0, "options", "x"): 19,
        ("messages", 1): 20,
        ("messages", 1, "name"): 22,
        ("messages", 1, "unheard-of"): 20,
        ("nothing",): 0,
    }
    assert {key: source.line(*key) for key in expected} == expected


keys = st.text(min_size=1, max_size=5)
values = st.recursive(
    st.integers(-(2**63), 2**63) | st.booleans() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(keys, values, max_size=4))
def test_the_line_of_a_key_holds_that_key(data: dict[str, object]) -> None:
    import tomli_w

    text = tomli_w.dumps(data)
    source = parse_toml(text, Path("x.toml"))
    lines = text.split("\n")
    for path, line in source.lines.items():
        name = path[-1]
        if isinstance(name, str) and name.isascii() and name.isalnum():
            assert name in lines[line - 1]
    assert set(data) <= {path[0] for path in source.lines}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"a = 1\nb = \n", "FILE:2: not valid TOML: invalid value (column 5)"),
        (b"[a]\n[b]\n[a]\n", "FILE:3: not valid TOML: cannot declare ('a',) twice (column 3)"),
        (b"a = 1\na = 2\n", "FILE:2: not valid TOML: cannot overwrite a value (column 6)"),
        (b"a = 1\nb = 'abc", "FILE:2: not valid TOML"),
        (b"a = 1\nb = 'caf\xe9'\n", "FILE:2: is not UTF-8 text (byte 0xe9)"),
        (b"a = " + b"[" * 5000, "FILE: is nested too deeply"),
        (b"x = 1\n" + b"a." * 50_000 + b"a = 1", "FILE:2: keys may have at most 100 parts"),
        (b"x = " + b"9" * 5000, "FILE: not valid TOML"),
        (b"#" * (LARGEST_FILE + 1), "FILE: is larger than 1024 KiB"),
    ],
)
def test_what_is_not_toml_is_named_with_its_line(tmp_path: Path, text: bytes, said: str) -> None:
    path = tmp_path / "x.toml"
    path.write_bytes(text)
    assert problems_of(path)[0].startswith(said)


def test_files_that_are_no_files(tmp_path: Path) -> None:
    assert problems_of(tmp_path / "none.toml") == ["FILE: no such file"]
    assert problems_of(tmp_path) == ["FILE: is a folder, not a file"]
    os.mkfifo(tmp_path / "pipe")
    assert problems_of(tmp_path / "pipe") == ["FILE: is a pipe or a device, not a file"]
    assert problems_of(Path("/dev/zero")) == ["FILE: is a pipe or a device, not a file"]
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert "cannot be read" in problems_of(tmp_path / "loop")[0]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text("")
    path.chmod(0)
    assert problems_of(path) == ["FILE: cannot be read: permission denied"]


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_bytes(b"\xef\xbb\xbfa = 1")
    assert load_toml(path).data == {"a": 1}


def test_keys_are_shown_as_they_are_written() -> None:
    assert show_key(("messages", 0, "a b", "x")) == 'messages[0]."a b".x'


def test_writes_are_private_and_follow_links(tmp_path: Path) -> None:
    real, link = tmp_path / "new" / "deep" / "real.toml", tmp_path / "link.toml"
    link.symlink_to(real)
    write_atomic(link, b"one")
    assert link.is_symlink()
    assert real.read_bytes() == b"one"
    assert stat.S_IMODE(real.stat().st_mode) == 0o600
    assert [stat.S_IMODE(folder.stat().st_mode) for folder in (real.parent, real.parent.parent)] == [0o700, 0o700]


def test_a_failed_write_leaves_the_old_content_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.toml"
    path.write_bytes(b"old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Failure) as caught:
        write_atomic(path, b"new")
    assert caught.value.fault.kind == "storage"
    assert caught.value.fault.cause == "No space left on device"
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["x.toml"]  # noqa: PTH208
