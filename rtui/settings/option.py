"""One declaration of an option → TOML key, command-line flag, form field, JSON schema, docs row.

An options class is a `msgspec.Struct` whose fields are annotated with `option(...)`:

    class Options(CommonOptions, kw_only=True, frozen=True):
        max_size: Annotated[int, option("Largest message accepted", kind="size", flag=True)] = 16 * 1024**2

`declared(Options)` lists the declarations in order; `build(Options, values)` makes an instance from TOML or flag
values (strings are accepted for every kind, JSON text for objects and lists) and reports every wrong key at once.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias, TypeVar

import msgspec

from rtui.settings.kind import READERS, SCHEMAS, describe
from rtui.settings.quantity import format_duration, format_size, parse_duration, parse_size

__all__ = [
    "Declared",
    "OptionError",
    "OptionErrors",
    "OptionKind",
    "build",
    "check",
    "declared",
    "flatten",
    "format_duration",
    "format_size",
    "has_template",
    "nearest",
    "option",
    "parse_duration",
    "parse_size",
    "parse_text",
    "schema",
    "unknown_key",
]

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
    "files",  # list[str]: paths likewise; one that is not there stays as it is, for it may mean another place
    "body",  # text, or "@" and the path of a file, as above
    "colour",  # "#5fd7ff", "ansi_cyan"
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


T = TypeVar("T", bound=msgspec.Struct)


class OptionError(msgspec.Struct, frozen=True):
    """One wrong value or key. `key` is as written: "max_size", or "tls.ca" inside a group table."""

    key: str
    message: str
    allowed: tuple[str, ...] = ()

    def __str__(self) -> str:
        hint = f" (allowed: {', '.join(self.allowed)})" if self.allowed else ""
        return f"{self.key}: {self.message}{hint}"


class OptionErrors(Exception):
    """Everything that is wrong with a set of values, never only the first."""

    def __init__(self, errors: list[OptionError]) -> None:
        super().__init__("; ".join(map(str, errors)))
        self.errors = errors


@cache
def declared(options: type[msgspec.Struct]) -> tuple[Declared, ...]:
    """The declarations of `options` in the order of its fields.

    Raises:
        TypeError: if a field lacks `option(...)`.
    """
    return tuple(_declare(options, info) for info in msgspec.structs.fields(options))


def _declare(owner: type[msgspec.Struct], info: msgspec.structs.FieldInfo) -> Declared:
    described = next((m for m in getattr(info.type, "__metadata__", ()) if isinstance(m, msgspec.Meta)), None)
    if described is None or not described.extra or "kind" not in described.extra:
        raise TypeError(f"{owner.__name__}.{info.name} is not declared with option(...)")
    default = info.default if info.default_factory is msgspec.NODEFAULT else info.default_factory()
    return Declared(key=info.name, summary=described.description or "", default=default, **described.extra)


def build(options: type[T], values: Mapping[str, object], *, base: Path | None = None) -> T:
    """Make an instance of `options`. Files are taken relative to `base`.

    Values of one section may stand in a table of its name: `tls.ca` is `ca`, `will.topic` is `will_topic`.

    Raises:
        OptionErrors: every unknown key and wrong value at once.
    """
    read, errors = _read(options, values, defer=False)
    if errors:
        raise OptionErrors(errors)
    for one in declared(options):
        if one.kind == "file" and read.get(one.key):
            read[one.key] = str(_located(read[one.key], base))
        elif one.kind == "files" and one.key in read:
            read[one.key] = [_nearby(name, base) for name in read[one.key]]
        elif one.kind == "body" and read.get(one.key, "").startswith("@"):
            read[one.key] = f"@{_located(read[one.key][1:], base)}"
    try:
        return msgspec.convert(read, options)
    except msgspec.ValidationError as error:
        raise OptionErrors([_converted(str(error))]) from None


def check(options: type[msgspec.Struct], values: Mapping[str, object]) -> list[OptionError]:
    """What `build` would refuse; a text that holds a template passes, since its value is not known yet."""
    return _read(options, values, defer=True)[1]


def flatten(options: type[msgspec.Struct], values: Mapping[str, object]) -> dict[str, object]:
    """`values` with group tables dissolved: `{"tls": {"ca": "x"}}` becomes `{"ca": "x"}`; unknown keys stay."""
    return {one.key if one else path: value for path, one, value in _entries(options, values)}


def parse_text(one: Declared, text: str) -> Any:
    """The value that `text` (of a flag or a form field) means.

    Raises:
        ValueError: with a message that goes on from the key ("must be …").
    """
    return _value(one, text)


def has_template(value: object) -> bool:
    """Whether `value` is a text to be rendered before use."""
    return isinstance(value, str) and ("{{" in value or "{%" in value or "{#" in value)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The entry of `known` that `word` was probably meant to be."""
    from difflib import get_close_matches

    plain = {entry.lower().replace("-", "_"): entry for entry in known}
    found = get_close_matches(word[:80].lower().replace("-", "_"), plain, n=1, cutoff=0.55)
    return plain[found[0]] if found else None


def unknown_key(word: str, known: Iterable[str]) -> str:
    """The message for a key that nobody knows."""
    near = nearest(word, known)
    return f"unknown key; did you mean {near!r}?" if near else "unknown key"


def schema(options: type[msgspec.Struct]) -> dict[str, Any]:
    """JSON schema of a table of these options."""
    properties = {one.key: _property(one) for one in declared(options)}
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _property(one: Declared) -> dict[str, Any]:
    about: dict[str, Any] = {"description": one.summary, **SCHEMAS[one.kind]}
    if one.choices:
        about["enum"] = [*one.choices, *(int(c) for c in one.choices if one.kind == "integer" and c.isdecimal())]
    limits = {"minimum": one.minimum, "maximum": one.maximum}
    about |= {name: limit for name, limit in limits.items() if limit is not None}
    if one.default not in (None, msgspec.NODEFAULT) and not one.secret:
        about["default"] = one.default
    if one.secret:
        about["writeOnly"] = True
    return about


def _entries(
    options: type[msgspec.Struct], values: Mapping[str, object]
) -> Iterator[tuple[str, Declared | None, object]]:
    """Each value with the path it is written at and what it declares, group tables dissolved."""
    known = {one.key: one for one in declared(options)}
    for key, value in values.items():
        if key in known or not isinstance(value, Mapping) or not _is_group(key, known):
            yield key, known.get(key), value
            continue
        for inner, item in value.items():
            yield f"{key}.{inner}", _member(key, inner, known), item


def _is_group(name: str, known: Mapping[str, Declared]) -> bool:
    return any(one.section.lower() == name.lower() or key.startswith(f"{name}_") for key, one in known.items())


def _member(group: str, inner: str, known: Mapping[str, Declared]) -> Declared | None:
    one = known.get(inner)
    return one if one and one.section.lower() == group.lower() else known.get(f"{group}_{inner}")


def _read(
    options: type[msgspec.Struct], values: Mapping[str, object], *, defer: bool
) -> tuple[dict[str, Any], list[OptionError]]:
    known = tuple(one.key for one in declared(options))
    read: dict[str, Any] = {}
    errors: list[OptionError] = []
    for path, one, value in _entries(options, values):
        if one is None:
            errors.append(OptionError(path, unknown_key(path.rpartition(".")[2], known), known))
        elif one.key in read:
            errors.append(OptionError(path, f"given twice: {one.key!r} is the same option"))
        elif defer and has_template(value):
            read[one.key] = None
        else:
            try:
                read[one.key] = _value(one, value)
            except ValueError as error:
                errors += _refusals(path, one, value, error)
    return read, errors + [
        OptionError(one.key, "is missing") for one in declared(options) if _missing(one, read, errors)
    ]


def _missing(one: Declared, read: Mapping[str, Any], errors: Sequence[OptionError]) -> bool:
    required = one.default is msgspec.NODEFAULT
    return required and one.key not in read and all(error.key != one.key for error in errors)


def _refusals(path: str, one: Declared, value: object, error: ValueError) -> list[OptionError]:
    if one.secret:  # a secret that has the wrong form is still a secret
        return [OptionError(path, f"is not valid (expected: {one.kind})")]
    if one.kind == "pairs" and isinstance(value, Mapping):
        wrong = {name: item for name, item in value.items() if not isinstance(item, str)}
        return [OptionError(f"{path}.{name}", f"must be text, not {describe(item)}") for name, item in wrong.items()]
    return [OptionError(path, str(error), one.choices)]


def _value(one: Declared, value: object) -> Any:
    if one.default is None and value in (None, ""):
        return None
    read = READERS[one.kind](value)
    if one.choices:
        _check_choice(one, read)
    if isinstance(read, (int, float)) and not isinstance(read, bool):
        _check_range(one, read)
    return read


def _check_choice(one: Declared, value: object) -> None:
    for item in value if isinstance(value, list) else [value]:
        if str(item) not in one.choices:
            near = nearest(str(item), one.choices)
            raise ValueError(f"{describe(item)} is not allowed" + (f"; did you mean {near!r}?" if near else ""))


def _check_range(one: Declared, value: float) -> None:
    if one.minimum is not None and value < one.minimum:
        raise ValueError(f"must be at least {_shown(one, one.minimum)}, not {_shown(one, value)}")
    if one.maximum is not None and value > one.maximum:
        raise ValueError(f"must be at most {_shown(one, one.maximum)}, not {_shown(one, value)}")


def _shown(one: Declared, number: float) -> str:
    if one.kind == "duration":
        return format_duration(number)
    return format_size(int(number)) if one.kind == "size" else f"{number:g}"


def _located(text: str, base: Path | None) -> Path:
    path = Path(os.path.expanduser(text))  # noqa: PTH111 - Path.expanduser raises where there is no home
    return base / path if base else path


def _nearby(text: str, base: Path | None) -> str:
    path = _located(text, base)
    return str(path) if path.exists() else text


_CONVERT: Final = re.compile(r"(.*?)(?: - at `\$\.?([^`]*)`)?", re.DOTALL)


def _converted(message: str) -> OptionError:
    """What msgspec says of a type that the kind does not tell (a Literal, a tuple's length)."""
    found = _CONVERT.fullmatch(message)
    text, key = (found[1], found[2]) if found else (message, "")
    return OptionError((key or "").split("[")[0], text.replace("`", "'"))
