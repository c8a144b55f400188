from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from rtui.capture.pattern import register
from rtui.capture.query import compile_filter
from rtui.capture.schema import TABLES
from rtui.protocols.socketio import SocketIO

CHANNELS = ("news", "/news", "a,b", "/chat,news", "/chat,a,b", "/chatter,news", "/,/x,y")


def filtered(expression: str) -> list[str]:
    """The channels of the rows that a display filter lets through."""
    found = compile_filter(expression)
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(TABLES)
        register(connection)
        rows = [(seq, seq, 1, 0, 1, channel, b"[]", None, None, None) for seq, channel in enumerate(CHANNELS, 1)]
        connection.executemany("INSERT INTO records VALUES(?,?,?,?,?,?,?,?,?,?)", rows)
        query = f"SELECT channel FROM records WHERE {found.sql} ORDER BY seq"  # noqa: S608 - the SQL is what is tested
        return [channel for (channel,) in connection.execute(query, found.params)]


@pytest.mark.parametrize(
    ("namespace", "brought"),
    [
        ("/", ["news", "/news", "a,b", "/,/x,y"]),
        ("/chat", ["/chat,news", "/chat,a,b"]),
        ("chat", ["/chat,news", "/chat,a,b"]),
        ("/other", []),
    ],
)
def test_a_namespace_brings_its_events_and_filters_to_them(namespace: str, brought: list[str]) -> None:
    assert list(filter(SocketIO.matcher(namespace), CHANNELS)) == brought
    assert filtered(SocketIO.expression(namespace)) == brought
    assert filtered(f"kind:message in {SocketIO.expression(namespace)}") == brought
