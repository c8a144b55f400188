from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rtui.capture.journal import Journal
from rtui.capture.past import Past
from rtui.capture.reader import Reader
from rtui.core.record import Kind, Record
from rtui.workbench.widgets.message import MessageView, Mode
from tests.waiting import PATIENCE, eventually
from tests.workbench.widgets.fake import HOSTILE, SIZES, Host, row, screen_text


@pytest.mark.parametrize("size", SIZES)
async def test_every_mode_draws_hostile_bytes_clean(size: tuple[int, int]) -> None:
    view = MessageView()
    payload = b'{"a\\u001b[31m": "' + HOSTILE.encode() + b'\xff"}'
    record = Record(1, 10**18, 1, 0, 1, HOSTILE, payload, '{"close": "\\u001b]52;c;x", "headers": {"x": "\\u009b"}}')
    async with Host(view).run_test(size=size) as pilot:
        view.focus()
        view.show(record, None)
        for key in "prxmdvt":
            await pilot.press(key)
            assert all(line.isprintable() for line in screen_text(view))
            assert any(line.strip() for line in screen_text(view))


async def test_json_folds_and_copies_path_and_value() -> None:
    view = MessageView()
    copied: list[tuple[str, str]] = []

    class Listening(Host):
        def on_message_view_copy_requested(self, event: MessageView.CopyRequested) -> None:
            copied.append((event.text, event.what))

    async with Listening(view).run_test(size=(80, 24)) as pilot:
        view.focus()
        view.show(row(1, b'{"a":{"b":[1,2.50]},"c":"x"}'), None)
        await pilot.pause()
        whole = view.row_count()
        await pilot.press("down", "down", "down", "y", "Y")
        await pilot.press("up", "up", "space")
        assert view.row_count() < whole
        await pilot.press("right")
        assert view.row_count() == whole
        await pilot.pause()
    assert copied[0][0] == "1"
    assert copied[1][0] == ".a.b[0]"


async def test_sixteen_mebibytes_show_bytes_at_once_and_the_tree_when_it_is_ready() -> None:
    view = MessageView()
    payload = b"[" + b'"0123456789abcdef",' * 800_000 + b"1]"
    async with Host(view).run_test(size=(80, 24)) as pilot:
        began = time.thread_time()
        view.show(row(1, payload), None)
        assert time.thread_time() - began < 0.1
        assert view.problem == "reading…"
        assert view.row_count() > 0
        await pilot.pause()
        async with asyncio.timeout(PATIENCE):
            while view.problem == "reading…":  # noqa: ASYNC110 - the pane has no event for it
                await asyncio.sleep(0.02)
        assert screen_text(view)[0].strip()


async def test_without_a_message_it_says_how_to_get_one() -> None:
    view = MessageView()
    async with Host(view).run_test(size=(80, 24)) as pilot:
        view.show(None, None)
        await pilot.pause()
        assert any("move the cursor" in line for line in screen_text(view))


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    made = Journal.create(tmp_path / "run.rtui")
    yield made
    made.close()


@pytest.fixture
def past(journal: Journal) -> Iterator[Past]:
    reader = Reader(journal.path)
    yield Past(reader, journal)
    reader.close()


def shown(view: MessageView) -> list[str]:
    return [line.rstrip() for line in screen_text(view) if line.strip()]


async def test_the_diff_is_with_the_message_before_on_the_channel(journal: Journal, past: Past) -> None:
    records = [row(1, b'{"v":1,"w":2}'), row(2, b'{"v":9}', channel="other"), row(3, b'{"v":1,"w":3}')]
    journal.append(records)
    view = MessageView(past=past)
    async with Host(view).run_test(size=(80, 24)) as pilot:
        view.focus()
        view.show(records[2], None)
        await pilot.press("d")
        await pilot.pause()
        lines = shown(view)
        assert lines[0].startswith("since #1, +0.002 s: 1 removed, 1 added")
        assert lines[3:5] == ['-     "w": 2', '+     "w": 3']
        view.show(records[1], None)
        await eventually(lambda: "nothing before it" in view.problem)
        await pilot.pause()
        assert view.row_count() == 3


async def test_the_diff_of_an_answer_that_nothing_changed_shows_the_last_full_one(journal: Journal, past: Past) -> None:
    unchanged = Record(2, row(2).time, 1, 0, 1, "/price 304", b"", '{"status":304}')
    journal.append([row(1, b'{"v":1}', channel="/price 200"), unchanged])
    journal.append([row(3, b'{"v":2}', channel="/price 200")])
    view = MessageView(past=past)
    async with Host(view).run_test(size=(80, 24)) as pilot:
        view.focus()
        view.show(unchanged, None)
        await pilot.press("d")
        await pilot.pause()
        assert shown(view)[0].startswith("not modified since #1, +0.001 s")
        assert len(shown(view)) == 2
        await pilot.press("down", "space")
        assert '"v": 1' in shown(view)[2]
        view.show(journal.get(3), None)
        await pilot.pause()
        assert shown(view)[0].startswith("since #1, +0.002 s: 1 removed, 1 added")


async def test_what_memory_has_lost_is_looked_up_for_the_diff(journal: Journal) -> None:
    records = [row(1, b"21.5"), row(2, b"21.6")]
    journal.append(records)
    await eventually(lambda: journal.committed == 2)
    reader = Reader(journal.path)
    view = MessageView(past=Past(reader))
    async with Host(view).run_test(size=(80, 24)) as pilot:
        view.focus()
        await pilot.press("d")
        view.show(records[1], None)
        await eventually(lambda: view.row_count() == 3)
        await pilot.pause()
        assert shown(view)[1:] == ["-   21.5", "+   21.6"]
    reader.close()


async def test_large_messages_are_compared_in_a_thread(journal: Journal, past: Past) -> None:
    records = [row(1, b"[" + b"1," * 9_000 + b"1]"), row(2, b"[" + b"1," * 9_000 + b"2]")]
    journal.append(records)
    view = MessageView(past=past)
    async with Host(view).run_test(size=(80, 24)) as pilot:
        view.focus()
        view.show(records[1], None)
        await pilot.press("d")
        await eventually(lambda: view.row_count() == 8)
        await pilot.pause()
        assert "rows alike" in shown(view)[1]


async def test_the_chart_follows_its_channel_and_the_field_can_be_chosen(journal: Journal, past: Past) -> None:
    records = [row(seq, b'{"v":%d,"w":5}' % seq) for seq in range(1, 50)]
    journal.append(records)
    view = MessageView(past=past)
    async with Host(view).run_test(size=(80, 24)) as pilot:
        view.focus()
        view.show(records[-1], None)
        await pilot.press("v")
        await eventually(lambda: view.row_count() == 24)
        await pilot.pause()
        assert shown(view)[0] == ".v 1/2 · last 49 · min 1 · max 49 · 49 points"
        journal.append([row(50, b'{"v":60}')])
        view._document._cost = 0.0  # type: ignore[union-attr]
        view.tick()
        await eventually(lambda: "last 60" in shown(view)[0])
        await pilot.press("right")
        await pilot.pause()
        assert shown(view)[0].startswith(".w 2/2 · last 5")
        view.show(row(51, b'{"w":7,"x":1}', channel="other"), None)
        assert shown(view)[0].startswith(".w 1/2")
        await pilot.press("left")
        assert shown(view)[0].startswith(".x 2/2")
        assert len({segment.style for segment in view.render_line(0)}) > 1


async def test_a_title_names_the_modes_and_a_click_on_one_chooses_it() -> None:
    view = MessageView()
    view.styles.border_top = ("solid", "red")
    async with Host(view).run_test(size=(80, 24)) as pilot:
        view.show(row(1, b"{}"), None)
        await pilot.pause()
        for mode in ("chart", "hex", "diff", "pretty"):
            drawn = "".join(segment.text for segment in view.screen._compositor.render_strips()[0])
            await pilot.click(offset=(drawn.index(mode), 0))
            assert view.mode == mode


def token(text: str) -> bytes:
    return json.dumps({"choices": [{"delta": {"content": text}}]}).encode()


def kept_up(view: MessageView, reached: Callable[[], bool]) -> Callable[[], bool]:
    """`reached`, with the view asked in every frame."""

    def look() -> bool:
        view.keep_up()
        return reached()

    return look


def opened(seq: int) -> Record:
    return row(seq, b"open", kind=Kind.OPEN, direction=0, channel="")


async def test_joined_text_is_markdown_that_grows_and_is_followed(journal: Journal, past: Past) -> None:
    journal.append([opened(1), row(2, token("# Title\n\nsome **bo")), row(3, token("ld** text"))])
    view = MessageView(past=past)
    async with Host(view).run_test(size=(60, 10)) as pilot:
        view.focus()
        view.show(journal.get(2), None)
        await pilot.press("t")
        await eventually(lambda: shown(view)[-1] == "some bold text")
        assert shown(view)[0].startswith("2 tokens · 1.0k/s · first after 1.0 ms · live · .choices[0")
        journal.append([row(4, token("\n\n" + "".join(f"{n}. item\n" for n in range(1, 31))))])
        await eventually(kept_up(view, lambda: shown(view)[0].startswith("3 tokens")))
        assert shown(view)[-1] == "30. item"
        await pilot.press("home")
        journal.append([row(5, token("31. item\n")), row(6, b"[DONE]")])
        await eventually(kept_up(view, lambda: shown(view)[0].startswith("4 tokens")))
        assert " · done · " in shown(view)[0]
        assert shown(view)[1:2] == ["# Title"]
        await pilot.press("end")
        assert shown(view)[-1] == "31. item"
        assert shown(view)[0].startswith("4 tokens")


async def test_joined_text_goes_on_while_the_cursor_follows_and_ends_with_its_run(journal: Journal, past: Past) -> None:
    journal.append([opened(1), row(2, token("one"))])
    view = MessageView(past=past)
    async with Host(view).run_test(size=(60, 10)) as pilot:
        view.focus()
        await pilot.press("t")
        view.show(journal.get(2), None)
        await eventually(lambda: shown(view)[-1] == "one")
        before = view._document
        journal.append([row(3, token(" two")), row(4, b"closed", kind=Kind.CLOSE, direction=0, channel="")])
        view.show(journal.get(4), None)
        await eventually(kept_up(view, lambda: shown(view)[-1] == "one two"))
        assert view._document is before
        assert " · closed · " in shown(view)[0]
        journal.append([opened(5), row(6, token("other"))])
        view.show(journal.get(6), None)
        await eventually(kept_up(view, lambda: shown(view)[-1] == "other"))


async def test_another_place_of_the_text_can_be_chosen_and_all_of_it_copied(journal: Journal, past: Past) -> None:
    journal.append([opened(1), row(2, b'{"n":1,"a":"x","b":"**y**"}'), row(3, b'{"a":"X","b":" z"}')])
    view = MessageView(past=past)
    copied: list[tuple[str, str]] = []

    class Listening(Host):
        def on_message_view_copy_requested(self, event: MessageView.CopyRequested) -> None:
            copied.append((event.text, event.what))

    async with Listening(view).run_test(size=(80, 10)) as pilot:
        view.focus()
        view.show(journal.get(2), None)
        await pilot.press("t")
        await eventually(lambda: shown(view)[0].startswith("no text where servers usually put it yet; →/←"))
        await pilot.press("right")
        await eventually(kept_up(view, lambda: shown(view)[-1] == "xX"))
        await pilot.press("right")
        await eventually(kept_up(view, lambda: shown(view)[-1] == "y z"))
        await pilot.press("c", "Y")
        await pilot.pause()
    assert copied == [("**y** z", "text"), (".b", "path .b")]


async def test_a_wrong_path_is_told_and_the_usual_ones_are_looked_at(journal: Journal, past: Past) -> None:
    journal.append([opened(1), row(2, token("text"))])
    view = MessageView(past=past)
    view.path_of = lambda _link: "choices"
    async with Host(view).run_test(size=(80, 10)) as pilot:
        view.focus()
        view.show(journal.get(2), None)
        await pilot.press("t")
        await eventually(lambda: shown(view)[-1] == "text")
        assert "dot" in view.problem


async def test_a_stream_of_100_000_tokens_stays_quick(journal: Journal, past: Past) -> None:
    count = 100_000
    journal.append([opened(1)])
    for start in range(2, count + 2, 2_000):
        pieces = (f"word{seq} " + "\n\n" * (seq % 40 == 0) for seq in range(start, start + 2_000))
        journal.append([row(start + at, token(piece)) for at, piece in enumerate(pieces)])
    await eventually(lambda: journal.committed == journal.last)
    view = MessageView(past=past)
    async with Host(view).run_test(size=(80, 24)) as pilot:
        view.focus()
        view.show(journal.get(journal.last), None)
        await pilot.press("t")
        await eventually(kept_up(view, lambda: shown(view)[0].startswith(f"{count:,} tokens")))
        spent = []
        for seq in range(count + 2, count + 52):
            journal.append([row(seq, token("more "))])
            began = time.thread_time()
            view.keep_up()
            spent.append(time.thread_time() - began)
        assert sorted(spent)[len(spent) // 2] < 0.02
        await eventually(kept_up(view, lambda: shown(view)[0].startswith("100,050")))


async def test_what_went_wrong_is_shown_with_its_details_whole() -> None:
    view = MessageView()
    told = {
        "title": "Refused",
        "status": "INVALID_ARGUMENT",
        "hint": "long " * 40 + "end",
        "trailers": {"x-trace": "7"},
        "details": [
            {
                "@type": "type.googleapis.com/google.rpc.BadRequest",
                "fieldViolations": [{"field": "name", "description": HOSTILE}],
            },
            {"a": 1},
        ],
        "codes": [1, 2],
    }
    failed = Record(1, 10**18, 1, Kind.ERROR, 0, "a.B/C", b"INVALID_ARGUMENT: no name", json.dumps(told))
    async with Host(view).run_test(size=(60, 24)) as pilot:
        view.focus()
        view.show(failed, None)
        await pilot.pause()
        shown = screen_text(view)
        assert all(line.isprintable() for line in shown)
        text = "\n".join(shown)
        assert "no name" in shown[0] + shown[1]
        assert "long end" in text, "a value goes on in the next row"
        for name, value in (
            ("trailers.x-trace", "7"),
            ("details[1].a", "1"),
            ("codes", "[1,2]"),
        ):
            assert any(line.startswith(name) and line.split()[-1] == value for line in shown), name
        assert "name" in next(line for line in shown if line.startswith("BadReq") and ".field " in line)
        assert "Refused" not in text, "the sentence has said it"
        hint = next(place for place, line in enumerate(shown) if line.startswith("hint"))
        assert view._document is not None
        assert view._document.value(hint + 1).decode() == told["hint"]
        view.show(Record(2, 10**18, 1, Kind.ACK, 1, "a.B/C", b"", '{"status":"OK"}'), None)
        await pilot.pause()
        assert any(line.split()[:2] == ["status", "OK"] for line in screen_text(view))


async def test_the_numbers_of_the_chart_are_chosen_in_a_list_and_remembered(journal: Journal, past: Past) -> None:
    records = [row(seq, b'{"v":%d,"h":%d,"n":1}' % (seq, 40 - seq)) for seq in range(1, 30)]
    other = row(30, b'{"x":1,"v":2}', channel="other")
    journal.append([*records, other])
    view = MessageView(past=past)
    async with Host(view).run_test(size=(80, 24)) as pilot:
        view.focus()
        view.show(records[-1], None)
        await pilot.press("v", "v")
        await pilot.pause()
        assert shown(view)[1].startswith("[x] ● .v")
        assert view.shows_cursor
        assert not view.check_action("own_ranges", ())
        await pilot.press("down", "space")
        await pilot.pause()
        assert shown(view)[2].startswith("[x] ◆ .h")
        await pilot.click(offset=(3, 3))
        await pilot.pause()
        assert shown(view)[3].startswith("[x] ○ .n")
        await pilot.press("left")
        await eventually(lambda: view.row_count() > 20)
        await pilot.pause()
        assert shown(view)[0] == "3 of 3 numbers · one axis"
        assert not view.shows_cursor
        await pilot.press("v", "escape")
        assert not view.shows_cursor, "escape closes the list first"
        assert view.check_action("own_ranges", ())
        await pilot.press("o", "plus", "minus")
        assert shown(view)[0] == "3 of 3 numbers · each its own range"
        view.show(other, None)
        await pilot.pause()
        assert "[chart]" in view._title()
        assert shown(view)[0].startswith(".v")
        view.show(records[0], None)
        await pilot.pause()
        assert shown(view)[0] == "3 of 3 numbers · one axis"


async def test_what_comes_on_other_channels_leaves_the_chart_and_its_list(journal: Journal, past: Past) -> None:
    records = [row(seq, b'{"v":%d,"h":1}' % seq, channel="first") for seq in range(1, 30)]
    other = row(30, b'{"x":1,"v":2}', channel="other")
    journal.append([*records, other])
    view = MessageView(past=past)
    async with Host(view).run_test(size=(80, 24)) as pilot:
        view.focus()
        view.show(records[-1], None, newest=True)
        await pilot.press("v", "v")
        view.show(other, None, newest=True)
        await pilot.press("down", "space")
        await pilot.pause()
        assert shown(view)[2].startswith("[x] ◆ .h")
        await pilot.press("left")
        view.show(other, None, newest=True)
        await eventually(lambda: shown(view)[0] == "2 of 2 numbers · one axis")
        assert view._title().endswith("first")
        view.show(other, None)  # somebody moved the cursor there
        await eventually(lambda: view._title().endswith("other"))


async def test_the_last_number_of_the_chart_stays(journal: Journal, past: Past) -> None:
    journal.append([row(1, b'{"v":1,"h":2}')])
    view = MessageView(past=past)
    host = Host(view)
    async with host.run_test(size=(80, 24), notifications=True) as pilot:
        view.focus()
        view.show(row(1, b'{"v":1,"h":2}'), None)
        await pilot.press("v", "space", "space")
        await eventually(lambda: "one number is drawn at least" in str([each.message for each in host._notifications]))
        assert shown(view)[1].startswith("[x] ● .v")


LARGE = {
    "json": json.dumps([{"id": number, "name": "pump", "v": number / 7} for number in range(22_000)]).encode(),
    "yaml": b"".join(b"- id: %d\n  name: pump\n" % number for number in range(45_000)),
    "protobuf": b"\x0a\x06pump\x08\x01" * 125_000,
}


@pytest.mark.parametrize(
    ("mode", "asked", "payload"),
    [
        ("pretty", "", "json"),
        ("pretty", "yaml", "json"),
        ("pretty", "yaml", "yaml"),
        ("pretty", "protobuf", "protobuf"),
        ("raw", "", "json"),
        ("hex", "", "json"),
        ("diff", "", "json"),
        ("diff", "", "yaml"),
        ("diff", "", "protobuf"),
        ("chart", "", "json"),
        ("joined", "", "json"),
    ],
)
async def test_a_million_bytes_hold_up_nothing(
    journal: Journal, past: Past, mode: Mode, asked: str, payload: str
) -> None:
    data = LARGE[payload]
    assert len(data) > 900_000
    records = [row(1, data.replace(b"pump", b"fans", 1)), row(2, data)]
    journal.append(records)
    view = MessageView(past=past)
    async with Host(view).run_test(size=(100, 30)):
        view.mode, view._format = mode, asked
        began = time.thread_time()
        view.show(records[1], None)
        assert time.thread_time() - began < 0.1
        await eventually(lambda: view.problem not in {"reading…", "looking for the message before…"})
        assert view.row_count() > 0
        for act in (view.action_first, view.action_last, lambda: view.action_fold_all(True)):
            began = time.thread_time()
            act()
            view.resettle()
            assert time.thread_time() - began < 0.3
