"""One declaration of an option → TOML key, command-line flag, form field, JSON schema, docs row.

An options class is a `msgspec.Struct` whose fields are annotated with `option(...)`:

    class Options(CommonOptions, kw_only=True, frozen=True):
        max_size: Annotated[int, option("Largest message accepted", kind="size", flag=True)] = 16 * 1024**2

`declared(Options)` lists the declarations in order; `build(Options, values)` makes an instance from TOML or flag
values (strings are accepted for every kind, JSON text for objects and lists) and reports every wrong key at once.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import msgspec

OptionKind: TypeAlias = Literal[
    "text",
    "integer",
    "number",
    "flag",  # true or false
    "duration",  # float seconds; "500ms" "2s" "1m"
    "size",  # int bytes; "64k" "16M"
    "pairs",  # dict[str, str]; on the command line repeatable "K: V"
    "list",  # list[str]; on the command line repeatable
    "json",  # any JSON value
    "file",  # a path, `~` expanded, relative to the session file
]


def option(
    summary: str,
    *,
    kind: OptionKind = "text",
    flag: bool = True,
    secret: bool = False,
    choices: tuple[str, ...] = (),
    metavar: str = "",
    minimum: float | None = None,
    maximum: float | None = None,
    section: str = "",
) -> msgspec.Meta:
    """Metadata for `Annotated`: the one place where an option is described.

    Args:
        summary: one line, shown in help, forms and docs.
        kind: how text becomes a value and which field a form shows.
        flag: whether it has a command-line flag of its own (`--set key=value` works for all).
        secret: never shown, stored or exported in the clear.
        choices: the only values allowed.
        metavar: what help shows for the value.
        minimum: smallest number allowed.
        maximum: largest number allowed.
        section: heading in forms and help ("TLS", "Authentication", …).
    """
    return msgspec.Meta(
        description=summary,
        extra={
            "kind": kind,
            "flag": flag,
            "secret": secret,
            "choices": choices,
            "metavar": metavar,
            "minimum": minimum,
            "maximum": maximum,
            "section": section,
        },
    )


class Declared(msgspec.Struct, frozen=True, kw_only=True):
    """One option as the surfaces see it."""

    key: str
    """TOML key; the flag is `--` + key with `_` written as `-`."""
    summary: str
    kind: OptionKind
    default: Any
    flag: bool
    secret: bool
    choices: tuple[str, ...]
    metavar: str
    minimum: float | None
    maximum: float | None
    section: str
