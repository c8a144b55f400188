from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from rtui.core.command import Hangup, Send
from rtui.core.event import Closed, Opened, Received, Sent
from rtui.core.fault import Failure
from rtui.core.record import Direction
from rtui.protocols.base import Link
from rtui.runtime.check import Check, Result
from rtui.runtime.step import deed, label, read_steps
from rtui.settings.files import SettingsError
from rtui.settings.session import Session, load_session
from rtui.settings.session_model import SavedMessage, Step
from tests.runtime.conftest import QUICK, Stage
from tests.runtime.scripted import LOST, Attempt, echo, open_then
from tests.waiting import PATIENCE, eventually


def lost() -> Closed:
    return Closed(by="network", clean=False, fault=LOST)


def done() -> Closed:
    return Closed(by="them", clean=True, code=1000)


async def backwards(link: Link) -> Closed | None:
    """Answers each message twice: what comes second was asked for first."""
    link.emit([Opened(details={})])
    async for command in link.commands:
        if isinstance(command, Hangup):
            return Closed(by="us", clean=True)
        if isinstance(command, Send):
            link.emit([Sent(command.id, "", command.payload)])
            await link.pour([Received("", b'{"n":2}'), Received("", b'{"n":1}')])
    return None


async def outcomes(
    stage: Stage, *steps: dict[str, Any], play: tuple[Attempt, ...] = (echo,), retry: bool = True
) -> list[Result]:
    messages = (SavedMessage(name="hi", payload='{"text":"{{ who }}"}', channel="room"),)
    policy = QUICK if retry else type(QUICK)(enabled=False)
    session = Session(name="stage", url="scripted://peer", reconnect=policy, messages=messages, steps=steps)
    connection = stage.play(*play, session=session)
    stage.renderer.variables["who"] = "you"
    await connection.wait_open()
    results: list[Result] = []
    await Check(connection, stage.journal, stage.renderer, stage.secrets).run(read_steps(session), results.append)
    return results


async def test_what_is_sent_comes_back_and_is_captured(stage: Stage) -> None:
    results = await outcomes(
        stage,
        {"send": "@hi"},
        {"expect": "ch:room .text==you", "capture": {"word": ".text"}},
        {"send": "{{ word }} again", "to": "other"},
        {"expect": "ch:other again"},
    )
    assert [one.outcome for one in results] == ["passed"] * 4
    assert results[1].captured == {"word": "you"}
    assert results[3].matched is not None
    assert results[3].matched.payload == b"you again"


async def test_answers_may_come_in_any_order_but_each_counts_once(stage: Stage) -> None:
    again = {"expect": ".n==1", "within": 0.1}
    results = await outcomes(stage, {"send": "x"}, {"expect": ".n==1"}, {"expect": ".n==2"}, again, play=(backwards,))
    assert [one.outcome for one in results] == ["passed", "passed", "passed", "failed"]


async def test_what_came_before_the_last_send_is_no_answer_to_it(stage: Stage) -> None:
    old = {"expect": "first", "within": 0.1}
    results = await outcomes(stage, {"send": "first"}, {"expect": "first"}, {"send": "second"}, old)
    assert results[-1].outcome == "failed"
    assert [row.payload for row in results[-1].nearest] == [b"second"]


async def test_what_we_sent_ourselves_is_no_answer(stage: Stage) -> None:
    (first, second) = await outcomes(stage, {"send": "mine"}, {"expect": "out mine", "within": 0.1})
    assert (first.outcome, second.outcome) == ("passed", "failed")
    assert second.seconds >= 0.1


async def test_nothing_runs_after_a_step_that_failed(stage: Stage) -> None:
    results = await outcomes(stage, {"expect": "never", "within": 0.05}, {"send": "x"})
    assert [one.outcome for one in results] == ["failed"]
    assert stage.words == ["open"]


async def test_an_unknown_name_sends_nothing_and_is_told(stage: Stage) -> None:
    (result,) = await outcomes(stage, {"send": "{{ whom }}"}, {"expect": "x"})
    assert result.outcome == "invalid"
    assert result.fault is not None
    assert "whom" in result.fault.cause
    assert stage.words == ["open"]


async def test_a_captured_template_is_text_and_never_rendered(stage: Stage) -> None:
    steps = ({"expect": ".v", "capture": {"v": ".v"}}, {"send": "{{ v }}"})
    results = await outcomes(stage, *steps, play=(open_and_say(b'{"v":"{{ env.HOME }}"}'),))
    assert [one.outcome for one in results] == ["passed", "passed"]
    assert stage.records[-1].payload == b"{{ env.HOME }}"


def open_and_say(payload: bytes) -> Attempt:
    async def attempt(link: Link) -> Closed | None:
        link.emit([Opened(details={})])
        await link.pour([Received("news", payload)])
        async for command in link.commands:
            if isinstance(command, Hangup):
                return Closed(by="us", clean=True)
            if isinstance(command, Send):
                link.emit([Sent(command.id, "", command.payload)])
        return None

    return attempt


async def test_a_capture_that_is_not_there_fails_and_shows_the_row(stage: Stage) -> None:
    results = await outcomes(stage, {"send": '{"a":1}'}, {"expect": ".a", "capture": {"id": ".b"}})
    assert results[-1].outcome == "failed"
    assert [row.payload for row in results[-1].nearest] == [b'{"a":1}']


async def test_a_captured_token_is_a_secret(stage: Stage) -> None:
    await outcomes(stage, {"send": '{"t":"hunter22"}'}, {"expect": ".t", "capture": {"token": ".t"}})
    assert stage.secrets.mask("is hunter22 shown?") == "is ••• shown?"


async def test_closed_then_connected_again(stage: Stage) -> None:
    results = await outcomes(
        stage,
        {"close": True},
        {"expect": "kind:close"},
        {"reconnect": True},
        {"expect": "kind:open"},
        {"send": "back"},
        {"expect": "back"},
    )
    assert [one.outcome for one in results] == ["passed"] * 6


async def test_nothing_can_be_sent_after_our_own_close(stage: Stage) -> None:
    results = await outcomes(stage, {"close": True}, {"send": "x"})
    assert [one.outcome for one in results] == ["passed", "failed"]


async def test_a_connection_that_is_lost_is_not_waited_for(stage: Stage) -> None:
    steps = ({"expect": "hello"}, {"expect": "never", "within": 60.0})
    async with asyncio.timeout(PATIENCE):
        results = await outcomes(stage, *steps, play=(open_then(lost, b"hello"),), retry=False)
    assert [one.outcome for one in results] == ["passed", "lost"]
    assert results[-1].fault == LOST


async def test_a_polite_end_can_be_expected(stage: Stage) -> None:
    results = await outcomes(stage, {"expect": "kind:close"}, play=(open_then(done),))
    assert [one.outcome for one in results] == ["passed"]


async def test_a_lost_connection_may_come_back_in_time(stage: Stage) -> None:
    results = await outcomes(stage, {"expect": "kind:close,gap"}, {"send": "x"}, play=(open_then(lost), echo))
    assert [one.outcome for one in results] == ["passed", "passed"]


async def test_a_filter_with_a_captured_quote_is_told_and_not_run(stage: Stage) -> None:
    steps = ({"send": '{"q":"a\\"b"}'}, {"expect": ".q", "capture": {"q": ".q"}}, {"expect": '.q=="{{ q }}" )'})
    results = await outcomes(stage, *steps)
    assert results[-1].outcome == "invalid"


def test_every_mistake_of_the_steps_has_its_line(tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    path.write_text(
        '[session]\nurl = "ws://h/"\n[[messages]]\nname = "hello"\n'
        '[[steps]]\nsend = "@helo"\n[[steps]]\nexpect = "kind:nosuch"\ncapture = { "a b" = ".x", ok = "x" }\n',
        encoding="utf-8",
    )
    with pytest.raises(SettingsError) as raised:
        read_steps(load_session(path, lambda _url, _protocol: None))
    told = "\n".join(map(str, raised.value.problems))
    assert f"{path}:6: steps[0].send: no saved message 'helo'; did you mean @hello?" in told
    assert f"{path}:8: steps[1].expect: " in told
    assert told.count(f"{path}:9: steps[1].capture") == 2


def test_a_session_without_steps_is_refused() -> None:
    with pytest.raises(Failure, match="no steps"):
        read_steps(Session(name="bare", url="ws://h/"))


def test_steps_are_called_by_name_or_by_what_they_do() -> None:
    steps = ({"send": "@@x", "name": "greet"}, {"send": "{{ env.X }}"}, {"sleep": 1.5}, {"reconnect": True})
    read = read_steps(Session(name="s", url="ws://h/", steps=steps))
    assert [label(step) for step in read] == ["greet", "send {{ env.X }}", "sleep 1.5s", "reconnect"]


async def test_a_step_can_be_taken_alone_and_again(stage: Stage) -> None:
    session = Session(name="stage", url="scripted://peer", reconnect=QUICK)
    connection = stage.play(echo, session=session)
    await connection.wait_open()
    check = Check(connection, stage.journal, stage.renderer, stage.secrets)
    wanted = Step(expect="hello", within=0.05)
    assert (await check.take(1, wanted)).outcome == "failed"
    connection.send(b"hello")
    again = await check.take(1, Step(expect="hello"))
    assert (again.number, again.outcome) == (1, "passed")
    assert (await check.take(2, wanted)).outcome == "failed"  # each row counts once


@pytest.mark.parametrize(("joined", "outcome"), [(True, "failed"), (False, "passed")])
async def test_what_came_before_the_first_send_of_a_check_that_joined_is_no_answer(
    stage: Stage, joined: bool, outcome: str
) -> None:
    session = Session(name="stage", url="scripted://peer", reconnect=QUICK)
    connection = stage.play(echo, session=session)
    await connection.wait_open()
    connection.send(b"old")
    await eventually(lambda: b"old" in [row.payload for row in stage.records if row.direction == Direction.IN])
    check = Check(connection, stage.journal, stage.renderer, stage.secrets, joined=joined)
    assert (await check.take(1, Step(send="new"))).outcome == "passed"
    assert (await check.take(2, Step(expect="old", within=0.1))).outcome == outcome


def test_a_caption_is_the_label_of_a_step_without_a_name() -> None:
    caption = "One goes out,\nand comes back."
    assert label(Step(send="x", caption=caption)) == "One goes out, and comes back."
    assert label(Step(send="x", caption=caption, name="one")) == "one"
    assert deed(Step(send="x", caption=caption, name="one")) == "send x"
