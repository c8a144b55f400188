from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.cli.conftest import Cli, serving


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


@pytest.mark.parametrize("topic", ["a/#", "a/+/b", ""])
def test_a_topic_with_wildcards_is_refused_before_it_is_sent(cli: Cli, broker: str, topic: str) -> None:
    ended = cli.run("send", broker, "--to", topic, "1")
    assert ended.returncode == 2
    assert "topic" in ended.stderr.lower()


def test_retained_is_for_protocols_that_have_it(cli: Cli) -> None:
    ended = cli.run("tail", "ws://127.0.0.1:1/", "--no-retained")
    assert ended.returncode == 2
    assert "has no retained messages" in ended.stderr
