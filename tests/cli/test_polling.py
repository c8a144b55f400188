from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from rtui.demo.story import EPOCH
from tests.cli.conftest import Cli, serving
from tests.waiting import PATIENCE


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving("polling", tmp_path_factory.mktemp("serve")) as url:
        yield url


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving("longpoll", tmp_path_factory.mktemp("serve")) as url:
        yield url


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_each_answer_is_a_message(cli: Cli, url: str) -> None:
    ended = cli.run("tail", f"{url}/clock", "--every", "1s", "--count", "4")
    assert (ended.returncode, ended.stderr) == (0, "")
    found = lines(ended.stdout)
    assert {line["channel"] for line in found} == {"/clock 200"}
    assert {line["meta"]["status"] for line in found} == {200}
    times = [line["data"]["now"] for line in found]
    assert times[-1] - times[0] > 1, "the first may be late, and makes no other late"


def test_only_changes(cli: Cli, url: str) -> None:
    ended = cli.run("tail", f"{url}/price?every=1", "--every", "100ms", "--only-changes", "--count", "3")
    assert ended.returncode == 0
    found = [line["data"]["changed"] for line in lines(ended.stdout)]
    assert found == sorted(set(found)), "each is another price; a busy machine misses some"


def test_unchanged_answers_are_rows_of_their_own(cli: Cli, url: str) -> None:
    ended = cli.run("tail", f"{url}/price?every={lasting()}", "--every", "100ms", "--count", "3")
    assert [line["channel"].rpartition(" ")[2] for line in lines(ended.stdout)] == ["200", "304", "304"]


def lasting() -> int:
    """Seconds between two changes of a price, of which none comes soon."""
    return max((599, 600), key=lambda every: every - (time.time() - EPOCH) % every)


def test_items_come_one_by_one_and_once(cli: Cli, url: str) -> None:
    options = ("--every", "100ms", "--items", ".items", "--item-key", ".id", "--count", "12")
    ended = cli.run("tail", f"{url}/items?every=0.1&keep=4", *options)
    assert ended.returncode == 0
    found = [line["data"]["id"] for line in lines(ended.stdout)]
    assert len(set(found)) == len(found) == 12
    assert found[:4] == [*range(found[0], found[0] - 4, -1)], "as they stand in the first answer"
    assert min(found[4:]) > found[0], "only what is new came after it; a busy machine misses some"


@pytest.mark.parametrize("place", ["query:cursor", "header:X-Cursor", "body:.cursor"])
def test_long_polling_follows_the_cursor(cli: Cli, held: str, place: str) -> None:
    options = ("--cursor", ".cursor", "--cursor-to", place, "--items", ".items", "--count", "10")
    ended = cli.run("tail", f"{held}/queue?every=0.2", *options)
    assert (ended.returncode, ended.stderr) == (0, "")
    found = [line["data"]["id"] for line in lines(ended.stdout)]
    assert found == [*range(found[0], found[0] + 10)]


def test_a_body_from_a_file(cli: Cli, url: str) -> None:
    (cli.folder / "body.json").write_text('{"n": 1.50}', encoding="utf-8")
    ended = cli.run("tail", f"{url}/echo", "--method", "PUT", "--data", "@body.json", "--count", "1")
    told = lines(ended.stdout)[0]["data"]
    assert (told["method"], told["body"]) == ("PUT", '{"n": 1.50}')
    assert "application/json" in {name.lower(): value for name, value in told["headers"]}["content-type"]


def test_a_plain_http_url_with_the_protocol_s_name(cli: Cli, url: str) -> None:
    plain = url.removeprefix("poll+")
    for protocol in ("polling", "longpoll"):
        ended = cli.run("tail", f"{plain}/clock", "--protocol", protocol, "--count", "1")
        assert (ended.returncode, lines(ended.stdout)[0]["protocol"]) == (0, protocol)


def test_a_busy_server_is_told_and_asked_again(cli: Cli, url: str) -> None:
    ended = cli.run("tail", f"{url}/busy?every=2", "--every", "50ms", "--count", "2")
    assert ended.returncode == 0
    assert len(lines(ended.stdout)) == 2
    assert "429" in ended.stderr


@pytest.mark.parametrize(("code", "words"), [(401, "401"), (404, "404"), (503, "503")])
def test_a_first_answer_that_is_an_error_opens_nothing(cli: Cli, url: str, code: int, words: str) -> None:
    ended = cli.run("tail", f"{url}/status?code={code}")
    assert (ended.returncode, ended.stdout) == (3, "")
    assert words in ended.stderr


def test_nobody_listens(cli: Cli) -> None:
    ended = cli.run("tail", "poll+http://127.0.0.1:9/")
    assert (ended.returncode, ended.stdout) == (3, "")
    assert "refused" in ended.stderr


@pytest.mark.parametrize("path", ["/clock", "/queue?every=0.1&hold=0.2"])
def test_a_server_that_goes_is_a_loss(cli: Cli, path: str) -> None:
    with serving("polling", cli.folder) as url:
        tail = cli.start("tail", url + path, "--every", "50ms", "--no-reconnect")
        assert tail.stdout is not None
        tail.stdout.readline()
    _, told = tail.communicate(timeout=PATIENCE)
    assert tail.returncode == 4
    assert "Traceback" not in told


def test_time_runs_out(cli: Cli, held: str) -> None:
    ended = cli.run("tail", f"{held}/slow?seconds=30", "--count", "1", "--for", "500ms")
    assert (ended.returncode, ended.stdout) == (3, "")
    ended = cli.run("tail", f"{held}/clock", "--every", "60s", "--count", "2", "--for", "6s")
    assert (ended.returncode, len(lines(ended.stdout))) == (5, 1)


def test_an_answer_that_is_too_large_is_named(cli: Cli, url: str) -> None:
    ended = cli.run("tail", f"{url}/bomb?size=3000000", "--max-size", "1M", "--count", "1", "--for", "6s")
    assert ended.returncode != 0
    assert "1,048,576 bytes" in ended.stderr


@pytest.mark.parametrize(("flag", "value"), [("--items", "items["), ("--cursor", "]"), ("--cursor-to", "cookie:x")])
def test_a_wrong_path_is_refused_before_anything_is_asked(cli: Cli, flag: str, value: str) -> None:
    ended = cli.run("tail", "poll+http://127.0.0.1:9/", flag, value)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert value in ended.stderr


def test_a_secret_is_shown_nowhere(cli: Cli, url: str) -> None:
    ended = cli.run("tail", f"{url}/echo", "--token", "c4n4ry", "--cookie", "sid: c4n4ry", "--events", "--count", "2")
    assert ended.returncode == 0
    assert "/echo" in ended.stdout
    assert "c4n4ry" not in ended.stdout + ended.stderr


def test_nothing_can_be_sent(cli: Cli, url: str) -> None:
    ended = cli.run("send", f"{url}/clock", "hi")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "cannot send" in ended.stderr
