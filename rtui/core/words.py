"""Small grammar."""

from __future__ import annotations


def counted(count: int, noun: str) -> str:
    """`count` of what `noun` names in the singular: "1 row", "2,000 rows"."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
