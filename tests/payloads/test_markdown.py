from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtui.core.clean import cell_width
from rtui.payloads import markdown
from rtui.payloads.markdown import Markdown
from rtui.payloads.markdown_block import Block, blocks_of, span_text

HOSTILE = "\x1b]52;c;aGk=\x07 \u202eabc \x9b31m"
SAMPLE = """# Title *here*

Some **bold** and *slanted* text, `code`, a [link](https://example.org/x) and <https://auto.example>.

> quoted
>
> - in it

1. one
2. two
   - below

```python
def f():
\treturn 1
```

| Name | Count |
|------|------:|
| a | 1 |
| long name | 20 |

---

last
"""
MARKS = (
    *("# ", "a b", "\n", "\n\n", "- ", "  ", "1. ", "> ", "```", "~~~\n", "| x | y |\n", "|---|--:|\n", "**", "*"),
    *("_", "`", "[t](u)", "---\n", "===\n", "\t", "    ", "\r\n", "\r", "&amp;", "<b>", "\\", "\0", "é", "日本", "~~"),
)
PIECES = st.lists(st.sampled_from(MARKS), max_size=40)


def rows(document: Markdown) -> list[str]:
    return [span_text(line) for line in document.lines(0, document.height)]


def opened(text: str, width: int = 40) -> Markdown:
    document = Markdown(text)
    document.reflow(width)
    return document


def test_a_text_with_everything_in_it() -> None:
    assert rows(opened(SAMPLE)) == [
        "# Title here",
        "",
        "Some bold and slanted text, `code`, a",
        "link (https://example.org/x) and",
        "https://auto.example.",
        "",
        "│ quoted",
        "│ ",
        "│ • in it",
        "",
        "1. one",
        "2. two",
        "   • below",
        "",
        "python",
        "  def f():",
        "      return 1",
        "",
        "Name      │ Count",
        "──────────┼──────",
        "a         │     1",
        "long name │    20",
        "",
        "─" * 40,
        "",
        "last",
    ]


def test_styles_tell_what_is_what() -> None:
    document = opened("# h\n\na **b** *c* ~~d~~ `e` [f](g)\n\n    x", 80)
    styles = {style: text for line in document.lines(0, 9) for style, text in line}
    assert styles["heading"] == "h"
    assert styles["strong"] == "b"
    assert styles["emphasis"] == "c"
    assert styles["struck"] == "d"
    assert styles["link"] == "f"
    assert styles["code"] == "x"


def test_every_row_knows_its_exact_source() -> None:
    document = opened(SAMPLE)
    assert document.source == SAMPLE
    copied = {text: document.value(row).decode() for row, text in enumerate(rows(document))}
    assert copied["https://auto.example."] == SAMPLE.splitlines()[2]
    assert copied["      return 1"] == "def f():\n\treturn 1"
    assert copied["2. two"] == "2. two"
    assert copied["a         │     1"].startswith("| Name | Count |\n|---")
    assert copied["# Title here"] == "# Title *here*"


@given(PIECES, st.data())
def test_however_it_is_cut_the_rows_are_the_same(pieces: list[str], data: st.DataObject) -> None:
    text = "".join(pieces)
    grown = Markdown()
    grown.reflow(20)
    at = 0
    while at < len(text):
        step = data.draw(st.integers(1, 12))
        grown.append(text[at : at + step])
        at += step
    assert rows(grown) == rows(opened(text, 20))
    assert grown.source == text


@given(PIECES, st.integers(4, 40))
def test_blocks_that_grow_too_long_are_cut_and_nothing_is_lost(pieces: list[str], most: int) -> None:
    text = "".join(pieces)
    document = Markdown(text, most_open=most)
    document.reflow(20)
    assert document.source == text


@given(st.text(max_size=200) | st.just(HOSTILE), st.integers(1, 30))
def test_rows_are_clean_and_fit(text: str, width: int) -> None:
    document = opened(text, width)
    for line in rows(document):
        assert line.isprintable()
    assert all(cell_width(line) <= max(width, 8) + 24 for line in rows(document))


def test_plain_rows_fit_exactly() -> None:
    for text in ("word " * 40, "x" * 100, "日本語のテキスト" * 9, "e\u0301 " * 50):
        for width in (8, 9, 20):
            assert all(cell_width(line) <= width for line in rows(opened(text, width)))


def test_code_longer_than_is_read_at_once_stays_code() -> None:
    code = "".join(f"line {number} **not bold**\n" for number in range(40))
    document = Markdown(f"```py\n{code}```\n\nafter", most_open=100)
    document.reflow(60)
    shown = rows(document)
    assert shown[0] == "py"
    assert shown[1:41] == [f"  line {number} **not bold**" for number in range(40)]
    assert shown[41:] == ["", "after"]


def test_a_long_list_is_cut_between_its_items() -> None:
    items = "".join(f"- item {number}\n  more of it\n" for number in range(30))
    document = Markdown(items, most_open=100)
    document.reflow(60)
    assert rows(document) == [f"• item {number} more of it" for number in range(30)]


def test_what_is_older_than_what_is_kept_is_dropped_by_whole_blocks() -> None:
    text = "".join(f"paragraph {number}\n\n" for number in range(400))
    document = Markdown(text, most_open=200, kept=2_000)
    assert 1_000 <= len(document.source) <= 2_200
    assert document.source == text[document.dropped :]
    assert rows(document)[-1] == "paragraph 399"
    assert document.value(document.height - 1) == b"paragraph 399"


def test_texts_are_divided_by_a_line() -> None:
    document = Markdown("```\nopen code")
    document.divide()
    document.append("next")
    document.reflow(12)
    assert rows(document) == ["  open code", "", "─" * 12, "", "next"]


@pytest.mark.parametrize("token", ["word ", "- item\n", "**b** ", "| a | b |\n", "> q\n", "[[", "\n", "x\n\n"])
def test_a_piece_costs_the_same_however_long_the_text_is(token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    document = Markdown(token * 5_000, most_open=1_000)
    looked_at = []

    def counting(text: str, **more: str) -> list[Block]:
        looked_at.append(len(text))
        return blocks_of(text, **more)

    monkeypatch.setattr(markdown, "blocks_of", counting)
    for _ in range(300):
        document.append(token)
    assert len(looked_at) <= 2 * 300
    assert max(looked_at) <= 2_000
