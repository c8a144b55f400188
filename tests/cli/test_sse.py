from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from rtui.demo import sse_token
from tests.cli.conftest import Cli, serving
from tests.port import reserved
from tests.waiting import PATIENCE


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving("sse", tmp_path_factory.mktemp("serve")) as url:
        yield url


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def ids(text: str) -> list[int]:
    return [int(line["meta"]["id"]) for line in lines(text)]


def test_an_event_s_type_is_its_channel(cli: Cli, url: str) -> None:
    ended = cli.run("tail", f"{url}/news?rate=200", "--last-event-id", "0", "--count", "40")
    assert (ended.returncode, ended.stderr) == (0, "")
    found = lines(ended.stdout)
    assert {line["channel"] for line in found} == {"message", "weather", "quote", "story"}
    assert {line["protocol"] for line in found} == {"sse"}
    assert {line["encoding"] for line in found if line["channel"] == "story"} == {"text"}
    assert all("headline" in line["data"] for line in found if line["channel"] == "message")


def test_the_last_event_id_is_set_by_hand(cli: Cli, url: str) -> None:
    ended = cli.run("tail", f"{url}/news?rate=200", "--last-event-id", "41", "--count", "3")
    assert ended.returncode == 0
    assert ids(ended.stdout) == [42, 43, 44]


def test_a_plain_http_url_with_the_protocol_s_name(cli: Cli, url: str) -> None:
    ended = cli.run("tail", url.removeprefix("sse+") + "/slow", "--protocol", "sse", "--count", "1")
    assert ended.returncode == 0
    assert lines(ended.stdout)[0]["data"] == {"n": 1}


def test_a_question_from_a_file_is_answered_to_its_end(cli: Cli, url: str) -> None:
    question = {"messages": [{"role": "user", "content": "Is it  done?"}], "stream": True}
    (cli.folder / "body.json").write_text(json.dumps(question), encoding="utf-8")
    ended = cli.run("tail", f"{url}/tokens?rate=5000", "--method", "POST", "--data", "@body.json")
    assert (ended.returncode, ended.stderr) == (0, "")
    *chunks, done = lines(ended.stdout)
    assert done["data"] == sse_token.DONE
    text = "".join(choice["delta"].get("content", "") for line in chunks for choice in line["data"]["choices"])
    assert text == sse_token.TEXT.format(prompt="Is it done?")


def test_a_question_of_nobody_is_refused_with_the_server_s_words(cli: Cli, url: str) -> None:
    ended = cli.run("tail", f"{url}/tokens", "--data", "[]")
    assert (ended.returncode, ended.stdout) == (3, "")
    assert "400" in ended.stderr
    assert "Expected `object`, got `array`" in ended.stderr


def test_raw_is_the_data_as_it_came(cli: Cli, url: str) -> None:
    ended = cli.run("tail", f"{url}/crlf", "--count", "4", "--format", "raw")
    assert ended.stdout == "after a byte order mark\nended by CR\nended by CRLF\none\ntwo\n"


def test_bytes_that_are_no_text(cli: Cli, url: str) -> None:
    ended = cli.run("tail", f"{url}/bad-utf8", "--count", "1")
    assert lines(ended.stdout)[0]["encoding"] == "base64"


def test_204_is_the_end_for_good(cli: Cli, url: str) -> None:
    ended = cli.run("tail", f"{url}/gone", "--retry-first", "--for", "20s")
    assert ended.returncode == 3
    assert "204" in ended.stderr


@pytest.mark.parametrize("retry", ["--no-reconnect", "--retry-first"])
def test_another_type_is_refused_with_the_beginning_of_the_body(cli: Cli, url: str, retry: str) -> None:
    ended = cli.run("tail", f"{url}/bad-type", retry)
    assert (ended.returncode, ended.stdout) == (3, "")
    assert "text/html" in ended.stderr
    assert "<h1>I am a page</h1>" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("path", "words"),
    [("/status?code=401", "401"), ("/status?code=503", "503"), ("/nowhere", "404"), ("/loop", "Redirected")],
)
def test_what_opens_nothing(cli: Cli, url: str, path: str, words: str) -> None:
    ended = cli.run("tail", url + path)
    assert (ended.returncode, ended.stdout) == (3, "")
    assert words in ended.stderr


def test_nobody_listens(cli: Cli) -> None:
    ended = cli.run("tail", "sse+http://127.0.0.1:9/")
    assert (ended.returncode, ended.stdout) == (3, "")
    assert "refused" in ended.stderr


@pytest.mark.parametrize("path", ["/cut?after=2", "/drop?after=2", "/end?after=2"])
def test_an_end_without_a_second_try_is_a_loss(cli: Cli, url: str, path: str) -> None:
    ended = cli.run("tail", url + path, "--no-reconnect", "--count", "9")
    assert ended.returncode == 4
    assert ids(ended.stdout) == [1, 2]


@pytest.mark.parametrize("path", ["/cut?after=2", "/drop?after=2", "/end?after=2"])
def test_what_was_cut_goes_on_and_loses_nothing(cli: Cli, url: str, path: str) -> None:
    ended = cli.run("tail", url + path, "--count", "5")
    assert (ended.returncode, ids(ended.stdout)) == (0, [1, 2, 3, 4, 5])
    assert len(re.findall("next attempt", ended.stderr)) == 2


@pytest.mark.parametrize(("path", "flag"), [("/endless-line", "--max-line"), ("/endless-event", "--max-size")])
def test_what_never_ends_is_named_with_its_limit(cli: Cli, url: str, path: str, flag: str) -> None:
    ended = cli.run("tail", url + path, flag, "1M", "--no-reconnect")
    assert (ended.returncode, ended.stdout) == (4, "")
    assert "more than 1M" in ended.stderr
    assert flag.removeprefix("--").replace("-", "_") in ended.stderr
    assert "ended inside an event" not in ended.stderr


def test_gaps_and_repeats_are_told(cli: Cli, url: str) -> None:
    ended = cli.run("tail", f"{url}/gaps", "--count", "13")
    assert ids(ended.stdout) == [1, 2, 3, 4, 7, 8, 9, 9, 10, 11, 20, 21, 22]
    assert "2 missing" in ended.stderr
    assert "8 missing" in ended.stderr


def test_time_runs_out(cli: Cli, url: str) -> None:
    ended = cli.run("tail", f"{url}/silent", "--count", "2", "--for", "5s")
    assert ended.returncode == 5
    assert lines(ended.stdout)[0]["channel"] == "last words"


def test_nothing_can_be_sent(cli: Cli, url: str) -> None:
    ended = cli.run("send", f"{url}/news", "hi")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "cannot send" in ended.stderr


def test_a_secret_is_shown_nowhere(cli: Cli, url: str) -> None:
    ended = cli.run("tail", f"{url}/status?code=403", "--token", "c4n4ry", "--cookie", "sid: c4n4ry", "--events")
    assert ended.returncode == 3
    assert "c4n4ry" not in ended.stdout + ended.stderr


def test_nothing_is_lost_while_the_server_is_away(cli: Cli) -> None:
    with reserved() as port:
        with serving("sse", cli.folder, port) as url:
            tail = cli.start("tail", f"{url}/news?rate=20", "--count", "60", "--for", f"{PATIENCE:.0f}s")
            assert tail.stdout is not None
            seen = [tail.stdout.readline() for _ in range(20)]
        with serving("sse", cli.folder, port):
            rest = tail.stdout.read()  # `communicate` would not know of what `readline` has read ahead
            _, told = tail.communicate(timeout=PATIENCE)
    found = ids("".join(seen) + rest)
    assert (tail.returncode, found) == (0, [*range(found[0], found[0] + 60)])
    assert "next attempt" in told
    assert "missing" not in told
