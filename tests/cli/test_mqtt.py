from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

from tests.cli.conftest import Cli, serving
from tests.protocols.mosquitto import PROGRAM
from tests.protocols.mosquitto import broker as mosquitto
from tests.waiting import PATIENCE, eventually


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving("mqtt", tmp_path_factory.mktemp("serve")) as url:
        yield url


def lines(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_the_path_is_a_topic_filter_and_qos_is_a_flag(cli: Cli, broker: str) -> None:
    ended = cli.run("tail", f"{broker}/plant/+/+/status", "--qos", "1", "--retained", "--count", "3")
    assert ended.returncode == 0
    found = lines(ended.stdout)
    assert len(found) == 3
    assert all(one["meta"] == {"qos": 1, "retain": True} for one in found)


def test_what_was_kept_can_be_left_out(cli: Cli, broker: str) -> None:
    ended = cli.run("tail", f"{broker}/plant/#", "--no-retained", "--count", "3", "--include-sent")
    assert ended.returncode == 0
    assert all("retain" not in one.get("meta", {}) for one in lines(ended.stdout))  # type: ignore[operator]


def test_a_send_is_done_when_the_broker_accepted_it(cli: Cli, broker: str) -> None:
    ended = cli.run("send", broker, "--to", "plant/test", "21.5", "--qos", "1", "--retain", "--ack")
    assert ended.returncode == 0
    assert lines(ended.stdout)[0]["kind"] == "ack"
    again = cli.run("tail", broker, "--subscribe", "plant/test", "--retained", "--count", "1")
    assert lines(again.stdout)[0]["data"] == 21.5


def test_a_send_that_the_broker_refuses_is_a_failure(cli: Cli, broker: str) -> None:
    ended = cli.run("send", broker, "--to", "denied/x", "1", "--qos", "1", "--ack")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "not authorized" in ended.stderr


@pytest.mark.parametrize("version", ["3.1.1", "5"])
def test_a_subscription_that_the_broker_refuses_is_told(cli: Cli, broker: str, version: str) -> None:
    ended = cli.run("tail", broker, "--subscribe", "denied/x", "--version", version)
    assert ended.stdout == ""
    assert "The broker refused to subscribe to denied/x" in ended.stderr


@pytest.mark.parametrize("flags", [(), ("--no-capture",), ("--filter", "kind:message")])
def test_a_tail_ends_when_all_that_it_asked_for_is_refused(cli: Cli, broker: str, flags: tuple[str, ...]) -> None:
    ended = cli.run("tail", broker, "--subscribe", "denied/x", "--subscribe", "denied/y", *flags)
    assert (ended.returncode, ended.stdout) == (3, "")
    for channel in ("denied/x", "denied/y"):
        assert ended.stderr.count(f"refused to subscribe to {channel}") == 1
    assert "access list" in ended.stderr


def test_a_tail_goes_on_while_one_of_its_subscriptions_stands(cli: Cli, broker: str) -> None:
    ended = cli.run("tail", f"{broker}/plant/#", "--subscribe", "denied/x", "--count", "30")
    assert ended.returncode == 0
    assert len(lines(ended.stdout)) == 30
    assert "refused to subscribe to denied/x" in ended.stderr


def test_what_the_url_names_is_left_out_where_the_session_says_so(cli: Cli, broker: str, tmp_path: Path) -> None:
    path = tmp_path / "off.toml"
    path.write_text(
        f'[session]\nurl = "{broker}/plant/%23"\n'
        '[[subscriptions]]\nchannel = "plant/#"\nenabled = false\n'
        '[[subscriptions]]\nchannel = "$SYS/#"\n'
    )
    ended = cli.run("tail", str(path), "--count", "5")
    assert all(str(one["channel"]).startswith("$SYS/") for one in lines(ended.stdout))


@pytest.mark.parametrize("qos", ["1", "2"])
def test_a_refusal_is_waited_for_where_the_broker_answers_each_message(cli: Cli, broker: str, qos: str) -> None:
    ended = cli.run("send", broker, "--to", "denied/x", "1", "--qos", qos)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "not authorized" in ended.stderr
    ended = cli.run("send", broker, "--to", "plant/test", "1", "--qos", qos)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


@pytest.mark.parametrize("topic", ["a/#", "a/+/b", ""])
def test_a_topic_with_wildcards_is_refused_before_it_is_sent(cli: Cli, broker: str, topic: str) -> None:
    ended = cli.run("send", broker, "--to", topic, "1")
    assert ended.returncode == 2
    assert "topic" in ended.stderr.lower()


def test_retained_is_for_protocols_that_have_it(cli: Cli) -> None:
    ended = cli.run("tail", "ws://127.0.0.1:1/", "--no-retained")
    assert ended.returncode == 2
    assert "has no retained messages" in ended.stderr


@pytest.mark.mosquitto
@pytest.mark.skipif(PROGRAM is None, reason="mosquitto is not installed")
async def test_a_shared_subscription_divides_the_work_between_two_processes(cli: Cli, tmp_path: Path) -> None:
    async with mosquitto(tmp_path) as broker:
        workers = [
            cli.start("tail", broker.url(), "--subscribe", "$share/team/jobs", "--qos", "1", "--events")
            for _ in range(2)
        ]
        taken: list[list[object]] = [[], []]
        readers = [Thread(target=_collect, args=pair, daemon=True) for pair in zip(workers, taken, strict=True)]
        for reader in readers:
            reader.start()
        await eventually(lambda: all("subscribed" in map(str, jobs) for jobs in taken))
        sent = "".join(f"{number}\n" for number in range(20))
        assert cli.run("send", broker.url(), "-", "--to", "jobs", "--qos", "1", "--ack", stdin=sent).returncode == 0
        await eventually(lambda: sum(isinstance(job, int) for jobs in taken for job in jobs) >= 20)
        for worker, reader in zip(workers, readers, strict=True):
            worker.terminate()
            reader.join(PATIENCE)
            worker.communicate(timeout=PATIENCE)
    numbers = [[job for job in jobs if isinstance(job, int)] for jobs in taken]
    assert sorted(numbers[0] + numbers[1]) == list(range(20))
    assert all(numbers)


def _collect(worker: subprocess.Popen[str], jobs: list[object]) -> None:
    assert worker.stdout is not None
    while line := worker.stdout.readline():
        jobs.append(json.loads(line).get("data"))


@pytest.mark.parametrize(("topic", "word"), [("denied/a", "not authorized"), ("a/#", "wildcards")])
def test_a_refusal_is_told_once(cli: Cli, broker: str, topic: str, word: str) -> None:
    ended = cli.run("send", broker, "x", "--to", topic, "--qos", "1", "--ack")
    assert ended.returncode in {1, 2}
    assert sum(word in line for line in ended.stderr.splitlines()) == 1
