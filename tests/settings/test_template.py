from __future__ import annotations

import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtui.core.fault import Failure
from rtui.settings.env_file import read_env
from rtui.settings.files import SettingsError
from rtui.settings.secrets import Secrets
from rtui.settings.session import SavedMessage, Session, SessionSubscription
from rtui.settings.template import Renderer, environment_for, resolve, resolve_message

VARIABLES = {"name": "you", "quote": '"', "url": "ws://{{ host }}", "host": "h", "a": "{{ b }}", "b": "{{ a }}"}


def renderer(secrets: Secrets | None = None) -> Renderer:
    return Renderer(VARIABLES, {"TOKEN": "s3cr3t-value"}, Secrets() if secrets is None else secrets)


def refusal(text: str) -> str:
    started = time.process_time()
    with pytest.raises(Failure) as caught:
        renderer().render(text, "options.x")
    assert time.process_time() - started < 2
    fault = caught.value.fault
    assert fault.kind == "usage"
    return f"{fault.sentence()} {fault.hint}"


@pytest.mark.parametrize(
    ("text", "rendered"),
    [
        ("plain {x}", "plain {x}"),
        ("hi {{ name }}!", "hi you!"),
        ("{{ url }}/x", "ws://h/x"),
        ("{{ env.TOKEN }}", "s3cr3t-value"),
        ("{{ counter() }}{{ counter() }}", "12"),
        ("{{ quote|json }}{{ name|base64 }}{{ 'a b'|urlencode }}", '"\\""eW91a%20b'),
        ("{{ 'x' if name == 'you' else 'y' }}\n", "x\n"),
        ("{{ now('%%') }}", "%"),
    ],
)
def test_what_templates_can_do(text: str, rendered: str) -> None:
    assert renderer().render(text, "x") == rendered


def test_an_unknown_name_is_refused_with_the_key_and_the_nearest() -> None:
    assert refusal("{{ nmae }}") == "Cannot fill in options.x: unknown name 'nmae' Did you mean 'name'?"
    assert "Others are written under [variables]." in refusal("{{ zzz }}")
    assert "'TOKEM' is not set Did you mean 'TOKEN'?" in refusal("{{ env.TOKEM }}")


@pytest.mark.parametrize(
    "text",
    [
        "{% for x in range(10**9) %}{% endfor %}",
        "{{ range(10**9) }}",
        "{{ 9**9**9 }}",
        "{{ 'a' * 10**9 }}",
        "{{ ''.__class__.__mro__ }}",
        "{{ ''['__class__'] }}",
        "{{ uuid.__globals__ }}",
        "{{ uuid()().x }}",
        "{{ env.__class__ }}",
        "{{ env._values }}",
        "{{ env.items() }}",
        "{{ self }}",
        "{{ cycler }}",
        "{{ name|attr('x') }}",
        "{{ name|map('x') }}",
        "{% include '/etc/passwd' %}",
        "{% set x = 1 %}",
        "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
        "{{ " + "+".join(["1"] * 1500) + " }}",
        "{{ " + "~".join(["1"] * 9000) + " }}",
        "{{ quote" + "|json" * 60 + " }}",
        "{{ a }}",
        "{{ now(1) }}",
        "{{",
        "{{ 'a' - 1 }}",
        "{{ '%s' % name }}",
    ],
)
def test_hostile_templates_are_refused_at_once(text: str) -> None:
    assert "Cannot fill in" in refusal(text)


def test_a_short_template_cannot_make_a_huge_text() -> None:
    huge = Renderer({"a": "x" * 100_000}, {}, Secrets())
    with pytest.raises(Failure, match="longer than"):
        huge.render("{{ a }}" * 500, "x")


@given(st.text(max_size=30), st.booleans())
def test_no_text_raises_anything_but_a_failure(text: str, wrapped: bool) -> None:
    with suppress(Failure):
        renderer().render(f"{{{{ {text} }}}}" if wrapped else text, "x")


def test_what_came_from_the_environment_is_a_secret() -> None:
    secrets = Secrets()
    text = renderer(secrets).render("Bearer {{ env.TOKEN }}", "x")
    assert secrets.mask(text) == "Bearer •••"


def test_a_session_is_resolved_but_its_messages_wait() -> None:
    session = Session(
        name="n",
        url="{{ url }}/x",
        options={"headers": {"A": "{{ name }}"}, "list": ["{{ host }}"], "n": 1},
        subscriptions=(SessionSubscription(channel="{{ name }}/#"),),
        messages=(SavedMessage(name="m", payload="{{ counter() }}"),),
    )
    one = renderer()
    resolved = resolve(session, one)
    assert resolved.url == "ws://h/x"
    assert resolved.options == {"headers": {"A": "you"}, "list": ["h"], "n": 1}
    assert resolved.subscriptions[0].channel == "you/#"
    assert resolved.resolved
    assert [resolve_message(resolved.messages[0], one).payload for _ in range(2)] == ["1", "2"]


def test_an_error_in_a_session_names_its_key() -> None:
    session = Session(name="n", url="ws://x", options={"headers": {"A": "{{ nmae }}"}})
    with pytest.raises(Failure, match=r"options\.headers\.A"):
        resolve(session, renderer())


def test_text_without_a_template_needs_no_jinja() -> None:
    code = (
        "import sys; from rtui.settings.template import Renderer; from rtui.settings.secrets import Secrets;"
        "Renderer({}, {}, Secrets()).render('x', 'y'); assert 'jinja2' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_an_env_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = '# c\nA=1 # one\nexport B = \'two # 2\'\nC="th\\"ree\\n"\nD=\nE=a#b\nF=$A\n'
    (tmp_path / ".env").write_text(text)
    assert read_env(tmp_path / ".env") == {
        "A": "1", "B": "two # 2", "C": 'th"ree\n', "D": "", "E": "a#b", "F": "$A",
    }  # fmt: skip
    monkeypatch.setenv("A", "from the process")
    offered = environment_for(Session(name="", url="", path=tmp_path / "s.toml"))
    assert (offered["A"], offered["B"]) == ("from the process", "two # 2")


def test_a_malformed_env_file_names_lines_but_no_values(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("A=1\nhunter2\nB='hunter2\n")
    with pytest.raises(SettingsError) as caught:
        read_env(path)
    assert [problem.line for problem in caught.value.problems] == [2, 3]
    assert "hunter2" not in str(caught.value)
