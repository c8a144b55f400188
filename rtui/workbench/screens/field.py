"""Fields of forms, generated from declarations of options."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec
from rich.text import Text
from textual.containers import Horizontal
from textual.dom import DOMNode
from textual.widget import Widget
from textual.widgets import Checkbox, Input, Label, Select, TextArea

from rtui.protocols.base import CommonOptions
from rtui.settings.kind import read_pairs
from rtui.settings.option import Declared, declared
from rtui.settings.quantity import format_duration, format_size
from rtui.workbench.widgets.safe import SafeArea, SafeInput, Tick

PREFIX: Final = "option-"
"""Before an option's key in the id of its field."""
NO_NAMES: Final[Mapping[str, str]] = {}
COMMON: Final = frozenset(one.section for one in declared(CommonOptions))


def row(label: str, field: Widget, summary: str) -> Iterator[Widget]:
    """A field with its name before it; `summary` says what it is for, to who points at it or is in it."""
    field.tooltip = Text(summary)
    yield Horizontal(Label(label, markup=False, classes="name"), field, classes="field")


def fields(
    options: Iterable[Declared], heading: str, values: Mapping[str, Any], names: Mapping[str, str] = NO_NAMES
) -> list[Widget]:
    """A heading per section and a row per option; `heading` for those without a section.

    `names`: what a key is called here, where that is not the key itself.

    What is the protocol's own comes first, what all have at the end.
    """
    widgets: list[Widget] = []
    by_section: dict[str, list[Declared]] = {}
    for one in options:
        by_section.setdefault(one.section or heading, []).append(one)
    for section, members in sorted(by_section.items(), key=lambda pair: pair[0] in COMMON):
        widgets.append(Label(section, markup=False, classes="heading"))
        for one in members:
            widgets += row(names.get(one.key, one.key), _field(one, values.get(one.key, one.default)), one.summary)
    return widgets


def given(form: DOMNode, options: Iterable[Declared]) -> dict[str, Any]:
    """What stands in the fields of `form` and differs from the defaults."""
    values: dict[str, Any] = {}
    for one in options:
        field = form.query_one(f"#{PREFIX}{one.key}")
        value = field.text if one.kind == "body" and isinstance(field, TextArea) else _value_of(field)
        if value != _shown(one, one.default):
            values[one.key] = _table(value) if one.kind == "pairs" else value
    return values


def _field(one: Declared, value: Any) -> Widget:
    """The kind of field that suits the option."""
    name = f"{PREFIX}{one.key}"
    shown = _shown(one, value)
    if isinstance(shown, bool):
        return Tick(Text(one.summary), shown, id=name, compact=True)
    if one.choices and one.kind != "list":
        choices = [(choice or "(none)", choice) for choice in one.choices]
        return Select(choices, value=str(shown), id=name, allow_blank=False, compact=True)
    if one.kind == "body" and isinstance(shown, str):
        return SafeArea(shown, id=name, classes="body", compact=True, placeholder=one.summary)
    if isinstance(shown, list):
        return SafeArea("\n".join(shown), id=name, compact=True, placeholder=f"{one.summary}, one a line")
    return SafeInput(shown, id=name, placeholder=one.summary, password=one.secret, compact=True)


def _shown(one: Declared, value: Any) -> str | bool | list[str]:
    """A value as its field holds it."""
    if one.kind == "flag" and isinstance(value, bool):
        return value
    if one.kind in {"pairs", "list", "files"}:
        return _lines(value)
    return _text(one, value)


def _lines(value: Any) -> list[str]:
    if isinstance(value, Mapping):
        return [f"{key}: {item}" for key, item in value.items()]
    return [value] if isinstance(value, str) else [str(item) for item in value or ()]


def _text(one: Declared, value: Any) -> str:
    if value is None or value is msgspec.NODEFAULT:
        return ""
    if isinstance(value, str):
        return value
    spell = {"duration": format_duration, "size": format_size}.get(one.kind)
    return spell(value) if spell else msgspec.json.encode(value).decode()


def _table(lines: str | bool | list[str]) -> object:
    """The table that `K: V` lines make, as a file holds it; left as they are if they are none, to be reported."""
    try:
        return read_pairs(lines)
    except ValueError:
        return lines


def _value_of(field: Widget) -> str | bool | list[str]:
    match field:
        case Checkbox():
            return field.value
        case TextArea():
            return [line.strip() for line in field.text.splitlines() if line.strip()]
        case Select():
            return str(field.value)
        case Input():
            return field.value.strip()
        case _:
            raise TypeError(type(field).__name__)
