from __future__ import annotations

import json
import signal
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from rtui.core.record import Kind
from tests.cli.conftest import Cli, serving
from tests.protocols.recording import NONE, OUT, numbered, record, row
from tests.waiting import PATIENCE

BOTH = (("plant", "mqtt"), ("chat", "websocket"))
RECORDED = "2023-11-14T22:13:20.000000Z"


@pytest.fixture
def capture(cli: Cli) -> Path:
    """Of two connections: 0 to 9 on the one, what was said on the other."""
    path = cli.folder / "made.rtui"
    talk = [
        row(2, 0.01, b"open", kind=Kind.OPEN, direction=NONE),
        row(2, 0.02, b"question", direction=OUT),
        row(2, 0.03, b"\xffanswer", reply_to=12, latency=1_500_000),
        row(2, 0.04, b"something is wrong", kind=Kind.ERROR, direction=NONE),
    ]
    record(path, [*numbered(10), *talk], BOTH)
    return path


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_in_a_pipe_it_prints_like_tail(cli: Cli, capture: Path) -> None:
    ended = cli.run("replay", str(capture))
    assert (ended.returncode, ended.stderr) == (0, "")
    printed = lines(ended.stdout)
    assert [one["data"] for one in printed[:-1]] == list(range(10))
    assert [one["connection"] for one in printed] == ["plant"] * 10 + ["chat"]
    assert {one["protocol"] for one in printed} == {"mqtt", "websocket"}
    assert printed[0]["meta"] == {"recorded": RECORDED}
    assert printed[0]["time"] > "2026"
    assert (printed[-1]["encoding"], printed[-1]["latency_ms"]) == ("base64", 1.5)


def test_what_was_sent_and_what_happened(cli: Cli, capture: Path) -> None:
    printed = lines(
        cli.run("replay", str(capture), "--connection", "chat", "--include-sent", "--events", "--speed", "max").stdout
    )
    assert [(one["kind"], one.get("direction")) for one in printed] == [
        ("open", None),
        ("open", None),
        ("message", "out"),
        ("message", "in"),
        ("error", None),
        ("close", None),
    ]
    assert "Replay of WebSocket" in printed[0]["data"]
    assert "recorded" not in printed[-1]["meta"]


def test_it_stops_after_so_many(cli: Cli, capture: Path) -> None:
    ended = cli.run("replay", str(capture), "--count", "3")
    assert (ended.returncode, len(ended.stdout.splitlines())) == (0, 3)


def test_too_few_is_told_by_the_status(cli: Cli, capture: Path) -> None:
    ended = cli.run("replay", str(capture), "--count", "100")
    assert (ended.returncode, len(ended.stdout.splitlines())) == (5, 11)
    assert "the capture ended after 11 of 100" in ended.stderr


def test_time_runs_out(cli: Cli) -> None:
    path = cli.folder / "slow.rtui"
    record(path, numbered(2, 3600))
    ways = [(limit, *more) for limit in ("--for", "--idle") for more in ((), ("--count", "2"))]
    runs = [cli.start("replay", str(path), limit, "4s", *more) for limit, *more in ways]
    printed = [run.communicate(timeout=PATIENCE)[0] for run in runs]
    assert [run.returncode for run in runs] == [0, 5, 0, 5]
    assert [len(text.splitlines()) for text in printed] == [1] * 4


def test_silences_are_shortened_and_told(cli: Cli) -> None:
    path = cli.folder / "slow.rtui"
    record(path, numbered(3, 754))
    ended = cli.run("replay", str(path), "--max-silence", "10ms")
    assert (ended.returncode, len(ended.stdout.splitlines())) == (0, 3)
    assert ended.stderr.splitlines() == ["rtui: a silence of 12:34 was shortened"] * 2


def test_a_capture_is_not_recorded_into_itself_whoever_plays_it(cli: Cli, capture: Path) -> None:
    before = capture.read_bytes()
    (cli.folder / "then.toml").write_text('[session]\nurl = "replay:made.rtui#plant"\n')
    for target in ("replay:made.rtui#plant", "then.toml"):
        ended = cli.run("tail", target, "--capture", "made.rtui")
        assert (ended.returncode, ended.stdout) == (2, "")
        assert "made.rtui is what is played" in ended.stderr
    assert capture.read_bytes() == before


def test_what_the_environment_says_for_connections_is_not_meant(cli: Cli, capture: Path) -> None:
    ended = cli.run("tail", f"replay:{capture}#plant", "--count", "1", env={"RTUI_TOKEN": "abc", "RTUI_QOS": "1"})
    assert (ended.returncode, ended.stderr) == (0, "")
    refused = cli.run("tail", f"replay:{capture}#plant", "--token", "abc")
    assert (refused.returncode, "No such option '--token'" in refused.stderr) == (2, True)


def test_a_capture_that_ends_too_early_is_told_as_such_by_tail_too(cli: Cli, capture: Path) -> None:
    ended = cli.run("tail", f"replay:{capture}#plant?speed=max", "--count", "999")
    assert ended.returncode == 5
    assert f"the capture ended after {len(lines(ended.stdout))} of 999 messages" in ended.stderr
    assert "server" not in ended.stderr


def test_a_loop_has_no_end_of_its_own(cli: Cli, capture: Path) -> None:
    ended = cli.run("replay", str(capture), "--loop", "--speed", "max", "--count", "1000")
    assert (ended.returncode, len(ended.stdout.splitlines())) == (0, 1000)


@pytest.mark.parametrize(
    ("arguments", "count"),
    [(["--filter", "ch:c/0"], 4), (["--from", "+10ms"], 1), (["--until", "+5ms"], 10), (["--connection", "plant"], 10)],
)
def test_parts_are_printed(cli: Cli, capture: Path, arguments: list[str], count: int) -> None:
    assert len(cli.run("replay", str(capture), "--speed", "max", *arguments).stdout.splitlines()) == count


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--connection", "plnt"], "Did you mean plant?"),
        (["--speed", "0"], "--speed"),
        (["--from", "soon"], "--from"),
        (["--from", "+1h"], "lies behind the end"),
        (["--until", "2001-01-01"], "lies before the beginning"),
        (["--filter", "("], "--filter"),
        (["--capture", "made.rtui"], "into itself"),
        (["--to", "sse+http://127.0.0.1:9/"], "SSE cannot send"),
        (["--to", "mqtt://127.0.0.1:9", "--capture", "made.rtui"], "into itself"),
        (["--max-silence", "soon"], "--max-silence"),
        (["--to", "mqtt://127.0.0.1:9"], "no connection of MQTT in made.rtui sent a message"),
    ],
)
def test_what_is_wrong_is_said(cli: Cli, capture: Path, arguments: list[str], told: str) -> None:
    ended = cli.run("replay", str(capture), *arguments)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert told in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("content", [b"", b"just text\n" * 100, b"SQLite format 3\0" + bytes(100)])
def test_what_is_no_capture(cli: Cli, content: bytes) -> None:
    (cli.folder / "no.rtui").write_bytes(content)
    ended = cli.run("replay", "no.rtui")
    assert ended.returncode == 2
    assert "no.rtui" in ended.stderr
    assert cli.run("replay", "nowhere.rtui").returncode == 2


def test_nothing_is_recorded_unless_it_is_asked_for(cli: Cli, capture: Path) -> None:
    cli.run("replay", str(capture))
    assert not (cli.folder / "state" / "captures").exists()
    printed = cli.run("replay", str(capture), "--speed", "max", "--capture", "again.rtui").stdout
    exported = cli.run("export", "again.rtui", "--messages").stdout
    assert set(printed.splitlines()) < set(exported.splitlines())
    shown = cli.run("captures", "show", "again.rtui").stdout
    assert "mqtt" in shown
    assert "replay:" in shown


def test_a_terminal_gets_text(cli: Cli, capture: Path) -> None:
    assert "plant c/0 0" in cli.on_terminal("replay", str(capture), "--count", "2")


def test_it_is_interrupted(cli: Cli) -> None:
    path = cli.folder / "slow.rtui"
    record(path, numbered(2, 3600))
    process = cli.start("replay", str(path))
    assert process.stdout is not None
    assert process.stdout.readline()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=PATIENCE)
    assert process.returncode == 130


def test_distances_hold(cli: Cli) -> None:
    path = cli.folder / "paced.rtui"
    record(path, numbered(3, 0.2))
    began = time.monotonic()
    cli.run("replay", str(path), "--speed", "0.5")
    assert time.monotonic() - began >= 0.8


def test_tail_takes_it_for_a_target(cli: Cli, capture: Path) -> None:
    ended = cli.run("tail", f"replay:{capture}#plant?speed=max", "--filter", "ch:c/1", "--no-capture")
    assert ended.returncode == 0
    assert [one["data"] for one in lines(ended.stdout)] == [1, 4, 7]
    several = cli.run("tail", f"replay:{capture}")
    assert (several.returncode, "plant, chat" in several.stderr) == (2, True)


def test_a_session_holds_it_beside_its_file(cli: Cli, capture: Path) -> None:
    folder = cli.folder / "sessions"
    folder.mkdir()
    capture.rename(folder / capture.name)
    (folder / "then.toml").write_text(
        f'[session]\nurl = "replay:{capture.name}#plant"\n[options]\nspeed = "max"\nuntil = "+1s"\n'
    )
    ended = cli.run("tail", "then", "--count", "10")
    assert (ended.returncode, len(ended.stdout.splitlines())) == (0, 10)
    assert cli.run("sessions", "lint", "sessions/then.toml").returncode == 0


def test_a_capture_is_no_target_of_tail_but_says_what_to_do(cli: Cli, capture: Path) -> None:
    ended = cli.run("tail", str(capture))
    assert (ended.returncode, "rtui replay" in ended.stderr) == (2, True)


def test_flags_of_protocols_come_with_a_target(cli: Cli) -> None:
    assert "--subprotocol" not in cli.run("replay", "--help").stdout
    assert "--subprotocol" in cli.run("replay", "--to", "ws://x", "--help").stdout


# Sent again


def test_messages_are_sent_again_at_their_distances(cli: Cli, server: str) -> None:
    path = cli.folder / "said.rtui"
    said = [
        row(1, 0, b"one", direction=OUT),
        row(1, 0.1, b"never sent", kind=Kind.MESSAGE),
        row(1, 0.2, b"ping", direction=OUT, kind=Kind.PING),
        row(1, 0.4, b"\xfftwo", direction=OUT, meta={"type": "binary"}),
        row(1, 0.41, b"three", direction=OUT),
    ]
    record(path, said, [("chat", "websocket")])
    began = time.monotonic()
    ended = cli.run("replay", str(path), "--to", f"{server}/echo", "--count", "3", "--include-sent")
    assert time.monotonic() - began >= 0.4
    assert ended.returncode == 0
    assert "3 messages sent again" in ended.stderr
    printed = lines(ended.stdout)
    sent = [(one["data"], one.get("meta")) for one in printed if one["direction"] == "out"]
    assert sent == [("one", None), ("/3R3bw==", {"type": "binary"}), ("three", None)]
    assert [one["data"] for one in printed if one["direction"] == "in"] == ["one", "/3R3bw==", "three"]


def test_options_are_those_of_then(cli: Cli) -> None:
    path = cli.folder / "published.rtui"
    meta = {"qos": 1, "retain": True, "content_type": "text/plain", "user_properties": {"a": "b", "key": "•••"}}
    record(path, [row(1, 0, b"21", channel="lab/temp", direction=OUT, meta=meta)], [("lab", "mqtt")])
    with serving("mqtt", cli.folder) as broker:
        ended = cli.run("replay", str(path), "--to", broker, "--include-sent", "--speed", "max")
        assert ended.returncode == 0
        sent, acknowledged = lines(ended.stdout)
        assert sent["meta"] == {**meta, "user_properties": {"a": "b"}}
        assert (sent["channel"], acknowledged["kind"]) == ("lab/temp", "ack")
        kept = lines(cli.run("tail", f"{broker}/lab/temp", "--count", "1").stdout)[0]
        assert (kept["data"], kept["meta"]["retain"]) == (21, True)


def test_a_target_that_is_away(cli: Cli) -> None:
    path = cli.folder / "said.rtui"
    record(path, [row(1, 0, b"one", direction=OUT)], [("chat", "websocket")])
    ended = cli.run("replay", str(path), "--to", "ws://127.0.0.1:9/")
    assert ended.returncode == 3
    assert "refused" in ended.stderr


def test_which_of_several_is_asked(cli: Cli, server: str) -> None:
    path = cli.folder / "said.rtui"
    said = [row(link, 0, b"from %d" % link, direction=OUT) for link in (1, 2)]
    record(path, said, [("first", "websocket"), ("second", "websocket")])
    asked = cli.run("replay", str(path), "--to", f"{server}/echo")
    assert (asked.returncode, "first, second" in asked.stderr) == (2, True)
    chosen = cli.run("replay", str(path), "--to", f"{server}/echo", "--connection", "second", "--count", "1")
    assert lines(chosen.stdout)[0]["data"] == "from 2"


def test_replies_that_do_not_come(cli: Cli, server: str) -> None:
    path = cli.folder / "said.rtui"
    record(path, [row(1, 0, b"one", direction=OUT)], [("chat", "websocket")])
    ended = cli.run("replay", str(path), "--to", f"{server}/silent", "--count", "1", "--for", "0.2s")
    assert (ended.returncode, "0 of 1 replies" in ended.stderr) == (5, True)


def test_steps_are_checked_against_it(cli: Cli, capture: Path) -> None:
    steps = '[[steps]]\nexpect = "ch:c/2"\nwithin = "30s"\n[[steps]]\nexpect = "ch:c/0"\nwithin = "30s"\n'
    (cli.folder / "then.toml").write_text(
        f'[session]\nurl = "replay:{capture.name}#plant"\n[options]\nloop = true\nspeed = "0.01"\n{steps}'
    )
    ended = cli.run("check", "then.toml")
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_calls_are_made_again(cli: Cli) -> None:
    with serving("grpc", cli.folder) as url:
        said = '{"text": "a"}\n{"text": "bb"}\n'
        first = cli.run("send", f"{url}/demo.Echo/Collect", "--capture", "called.rtui", stdin=said)
        assert first.returncode == 0
        ended = cli.run("replay", "called.rtui", "--to", url, "--speed", "max", "--count", "1", "--for", "30s")
        assert ended.returncode == 0, ended.stderr
        assert "2 messages sent again" in ended.stderr
        assert answers(ended.stdout) == answers(first.stdout) != []


def test_a_call_that_was_given_up_is_given_up_again(cli: Cli) -> None:
    path = cli.folder / "called.rtui"
    watched = row(1, 0, b'{"rate": 50}', channel="demo.Telemetry/Watch", direction=OUT)
    given_up = row(1, 2, b"cancel", channel="demo.Telemetry/Watch", direction=OUT, kind=Kind.NOTICE, reply_to=1)
    record(path, [watched, msgspec.structs.replace(given_up, meta='{"type":"cancel"}')], [("calls", "grpc")])
    with serving("grpc", cli.folder) as url:
        ended = cli.run("replay", str(path), "--to", url)
    assert (ended.returncode, "cancelled by us" in ended.stderr) == (0, True)
    assert "1 message sent again" in ended.stderr
    assert answers(ended.stdout)


def answers(printed: str) -> list[Any]:
    return [one["data"] for one in lines(printed) if one["kind"] == "message"]
