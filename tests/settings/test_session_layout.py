"""A saved session reads as if a person had written it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtui.settings.files import parse_toml
from rtui.settings.session import SavedMessage, Session, load_session, save_session
from rtui.settings.session_model import SessionSubscription
from rtui.settings.session_save import toml_of
from tests.settings.shapes import find

MESSAGES = (
    SavedMessage(name="one", payload="x", options={"qos": 1}),
    SavedMessage(name="two", payload='{\n  "a": 1\n}', format="json"),
)
WRITTEN = '''\
[session]
name = "a"
url = "ws://x/"

[options.headers]
A = "b"

[[subscriptions]]
channel = "a/#"

[[messages]]
name = "one"
payload = "x"
options = { qos = 1 }

[[messages]]
name = "two"
payload = """
{
  "a": 1
}"""
format = "json"

[variables]
a = "b"

[[steps]]
send = "x"

[[steps]]
expect = "in"
capture = { id = ".id" }
'''


def test_a_new_file_has_a_table_for_each_thing_in_the_order_of_the_documentation(tmp_path: Path) -> None:
    session = Session(
        name="a",
        url="ws://x/",
        options={"headers": {"A": "b"}},
        subscriptions=(SessionSubscription(channel="a/#"),),
        messages=MESSAGES,
        variables={"a": "b"},
        steps=({"send": "x"}, {"expect": "in", "capture": {"id": ".id"}}),
    )
    save_session(session, tmp_path / "a.toml")
    assert (tmp_path / "a.toml").read_text() == WRITTEN


def test_what_is_added_to_a_file_stands_where_the_documentation_has_it(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text('# top\n[session]\nurl = "ws://x/" # why\n\n# the steps\n# of it\n[[steps]]\nsend = "x"\n')
    session = load_session(path, find)
    session = msgspec.structs.replace(session, messages=MESSAGES[:1], variables={"a": "b"})
    session = save_session(session, path).session
    begins = (
        '# top\n[session]\nurl = "ws://x/" # why\n\n'
        '[[messages]]\nname = "one"\npayload = "x"\noptions = { qos = 1 }\n\n'
    )
    ends = '[variables]\na = "b"\n\n# the steps\n# of it\n[[steps]]\nsend = "x"\n'
    assert path.read_text() == begins + ends
    save_session(msgspec.structs.replace(session, messages=(*MESSAGES[:1], SavedMessage(name="three"))), path)
    assert path.read_text() == begins + '[[messages]]\nname = "three"\n\n' + ends


@pytest.mark.parametrize(
    "text", ['[session]\nurl = "ws://x/"', '[session]\nurl = "ws://x/"\n\n\n', '[session]\r\nurl = "ws://x/"\r\n']
)
def test_a_table_at_the_end_is_parted_by_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.toml"
    path.write_text(text, newline="")
    session = msgspec.structs.replace(load_session(path, find), messages=(SavedMessage(name="one"),))
    save_session(session, path)
    with path.open(newline="") as file:
        assert file.read() == f'{text.rstrip()}\n\n[[messages]]\nname = "one"\n'


scalars = (
    st.booleans() | st.integers(-9, 9) | st.text(max_size=8) | st.sampled_from(['"""', "a\nb", "\r", "\\", "x" * 120])
)
keys = st.sampled_from(["a", "b c", "d.e", "messages", ""])
values = scalars | st.dictionaries(keys, scalars, max_size=2) | st.lists(scalars, max_size=2)
items = st.lists(
    st.dictionaries(keys, values | st.dictionaries(keys, values, max_size=2), max_size=3), min_size=1, max_size=3
)


@given(
    st.dictionaries(
        st.sampled_from(["messages", "steps", "options"]), items | st.dictionaries(keys, values), min_size=1
    )
)
@settings(max_examples=300, deadline=None)
def test_whatever_is_written_reads_back(data: dict[str, object]) -> None:
    assert parse_toml(toml_of(data), Path("x.toml")).data == data
