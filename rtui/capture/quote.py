"""Names as the filter language takes them. Imports nothing: protocols need it before a capture is open."""

from __future__ import annotations


def quoted(name: str) -> str:
    """`name` as the value of an operator: quoted, unless it is plain."""
    if name and all(char.isalnum() or char in "/_-.#+:$" for char in name):
        return name
    return '"{}"'.format(name.replace("\\", "\\\\").replace('"', '\\"'))
