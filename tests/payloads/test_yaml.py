from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtui.payloads.base import Unreadable
from rtui.payloads.registry import next_format, open_as, open_best, views_for
from rtui.payloads.tree import NODE_LIMIT
from rtui.payloads.yaml import DEEPEST, YamlTree, YamlView
from tests.payloads.test_view import shown

CONFIG = """# a comment
base: &b {x: 1, y: [a, 'b c']}
derived:
  <<: *b
  name: 日 😀
  script: |
    one
      two
  on: yes
  none:
list:
- 1.5
- k: v
""".encode()


def opened(text: str | bytes) -> YamlTree:
    return YamlView().open(text if isinstance(text, bytes) else text.encode())


def test_blocks_and_flows_are_rows_and_aliases_stay_aliases() -> None:
    assert shown(opened(CONFIG)) == [
        "▾ { 3 pairs }",
        "  ▾ base: &b { 2 pairs }",
        "      x: 1",
        "    ▾ y: [ 2 items ]",
        "        - a",
        "        - 'b c'",
        "  ▾ derived: { 5 pairs }",
        "      <<: *b",
        "      name: 日 😀",
        "    ▾ script: |",
        "        one",
        "          two",
        "      on: yes",
        "      none: ",
        "  ▾ list: [ 2 items ]",
        "      - 1.5",
        "    ▾ - { 1 pair }",
        "        k: v",
    ]


def test_paths_and_values_are_of_the_source() -> None:
    tree = opened(CONFIG)
    assert [tree.path(row) for row in (0, 5, 8, 10, 17)] == [
        ".",
        ".base.y[1]",
        ".derived.name",
        ".derived.script",
        ".list[1].k",
    ]
    assert tree.value(5) == b"'b c'"
    assert tree.value(8) == "日 😀".encode()
    assert tree.value(9) == b"|\n    one\n      two"
    assert tree.value(11) == b"      two"


def test_rows_fold_and_know_what_encloses_them() -> None:
    tree = opened(CONFIG)
    assert tree.parent(5) == 3
    assert tree.toggle(6)
    assert shown(tree)[6:8] == ["  ▸ derived: { 5 pairs }", "  ▾ list: [ 2 items ]"]
    assert tree.fold_below(1)
    assert tree.height == 4


def test_values_are_told_apart_by_the_core_schema() -> None:
    tree = opened("- null\n- true\n- 0x1F\n- 1e3\n- .inf\n- 'true'\n- yes\n- 12:30:45\n- *x\n".replace("*x", "~"))
    styles = [tree.lines(row, 1)[0][-1][0] for row in range(1, tree.height)]
    assert styles == ["null", "null", "number", "number", "number", "string", "string", "string", "null"]


def test_several_documents_and_keys_that_are_collections() -> None:
    assert shown(opened("a: 1\n---\n- 2\n")) == ["▾ { 1 pair }", "    a: 1", "▾ ---: [ 1 item ]", "    - 2"]
    assert shown(opened("? [a]\n: b\n? *c\n: d\n".replace("*c", "c"))) == [
        "▾ { 2 pairs }",
        "  ▾ ? [ 1 item ]",
        "      - a",
        "    : b",
        "    c: d",
    ]


def test_json_can_be_read_as_yaml() -> None:
    data = b'{"a":[1,{"b":null}],"c":"x\\u00e9"}'
    assert shown(opened(data)) == [
        "▾ { 2 pairs }",
        "  ▾ a: [ 2 items ]",
        "      - 1",
        "    ▾ - { 1 pair }",
        "        b: null",
        '    c: "x\\u00e9"',
    ]
    assert open_best(data).view.name == "json"
    assert next_format(data, {}, "") == "yaml"


@pytest.mark.parametrize(
    ("data", "meta", "name"),
    [
        (b"a: 1\n", {"content_type": "application/yaml; charset=utf-8"}, "yaml"),
        (b"a: 1\n", {"content-type": "application/openapi+yaml"}, "yaml"),
        (b"# c\n---\na: 1\n", {}, "yaml"),
        (b"%YAML 1.2\n---\na: 1\n", {"content_type": "text/plain"}, "yaml"),
        (b"a: 1\nb: 2\n", {}, "raw"),
        (b"Subject: no\n\nSome words.\n", {}, "raw"),
        (b"words", {}, "raw"),
        (b"\x00\x01", {"content_type": "application/yaml"}, "hex"),
    ],
)
def test_what_is_told_or_marked_opens_as_yaml(data: bytes, meta: dict[str, str], name: str) -> None:
    assert open_best(data, meta).view.name == name


def test_what_only_looks_like_it_is_offered() -> None:
    assert "yaml" in {view.name for view in views_for(b"a: 1\nb: 2\n")}
    assert "yaml" not in {view.name for view in views_for(b"just a line")}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"a: b: c", "not YAML at line 1, column 5: mapping values are not allowed in this context"),
        (b"a: \xff", "not YAML: no UTF-8 at byte 3"),
        (b"a: \x07", "not YAML: control characters are not allowed at character 4"),
        (b"a: 1\nb: ]", "not YAML at line 2, column 4"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(data: bytes, said: str) -> None:
    with pytest.raises(Unreadable, match=r"^not YAML") as caught:
        opened(data)
    assert str(caught.value).startswith(said)


def test_no_text_grows() -> None:
    names = "abcdefghijklmnop"
    bomb = "".join(
        f"{name}: &{name} [{','.join([f'*{before}'] * 9 if before else ['x'] * 9)}]\n"
        for before, name in zip(("", *names), names, strict=False)
    )
    assert opened(bomb).height == 1 + 10 * len(names)


@pytest.mark.parametrize("sign", ["[", "{a: ", "- ", "? "])
@pytest.mark.parametrize("more", [-1, 0, 1])
def test_depth_is_bounded(sign: str, more: int) -> None:
    text = sign * (DEEPEST + more)
    closed = text + "]" * text.count("[") + "}" * text.count("{")
    if more <= 0:
        assert opened(closed).height >= DEEPEST + more
    else:
        with pytest.raises(Unreadable, match="levels"):
            opened(closed)


def test_a_hundred_thousand_brackets_cost_nothing() -> None:
    began = time.thread_time()
    with pytest.raises(Unreadable):
        opened("[" * 500_000)
    assert time.thread_time() - began < 2


def test_what_is_behind_the_last_row_is_counted() -> None:
    tree = opened("é: 1\n" * (NODE_LIMIT + 10))
    assert len(tree.lines(0, tree.height)) == NODE_LIMIT + 1
    listed = (NODE_LIMIT - 1) * len("é: 1\n".encode()) + len("é: ".encode())
    assert shown(tree)[-1] == f"… {len(tree.data) - listed:,} bytes more: hex shows them"


@given(st.binary(max_size=200) | st.text(alphabet="ab:-?[]{},&*!|>'\"#%~ \n\té", max_size=200).map(str.encode))
def test_any_bytes_open_clean_or_are_refused(data: bytes) -> None:
    opening = open_as("yaml", data)
    assert opening.problem.isprintable()
    tree = opening.document
    if not isinstance(tree, YamlTree):
        return
    for row, line in enumerate(tree.lines(0, tree.height)):
        assert all(text.isprintable() for _, text in line)
        assert tree.value(row) in data.removeprefix(b"\xef\xbb\xbf")
        assert (tree.path(row) or "").startswith(".")
