"""The options of one send as a row of fields, made from what the protocol declares."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any, Final, TypeAlias

from textual.containers import Horizontal
from textual.events import DescendantFocus
from textual.geometry import Spacing
from textual.widget import Widget
from textual.widgets import Checkbox, Input, Label

from rtui.core.clean import clean
from rtui.settings.option import Declared, parse_text
from rtui.settings.quantity import format_duration, format_size
from rtui.workbench.widgets.choice import Choice
from rtui.workbench.widgets.safe import SafeInput, Tick

Field: TypeAlias = Input | Checkbox | Choice

MORE: Final = Spacing(right=2)
"""Cells for the sign that there is more to the right."""


class SendFields(Horizontal):
    """A label and a field for each option. What was typed for one protocol stays for the next that has it too.

    What has no room is a little to the right: the field that is gone to is brought into view with its label.
    """

    DEFAULT_CSS = """
    SendFields {
        overflow-x: auto;
        scrollbar-size-horizontal: 0;
        & SafeInput { min-width: 10; }
        & > .more { dock: right; visibility: hidden; width: 2; padding: 0; color: $accent; text-style: bold; }
        &.-more > .more { visibility: visible; }
    }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._declared: tuple[Declared, ...] = ()
        self._fields: dict[str, Field] = {}
        """By key."""

    def show(self, options: tuple[Declared, ...]) -> None:
        """Offer other options."""
        kept = self.typed()
        self._declared = options
        leaving = {child.id for child in self.children}
        self.remove_children()
        self.display = bool(options)
        self._fields = {one.key: _field(one, leaving) for one in options}
        for key, field in self._fields.items():
            self.mount(Label(key.replace("_", " "), markup=False), field)
        self.mount(Label(" ›", markup=False, classes="more"))
        self.fill({key: value for key, value in kept.items() if key in {one.key for one in options}})

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        """Show the field and what it is called."""
        if isinstance(event.widget, Input | Checkbox | Choice):
            label = self.children[self.children.index(event.widget) - 1]
            both = label.virtual_region.union(event.widget.virtual_region)
            self.scroll_to_region(both, spacing=MORE, animate=False, force=True)

    def on_descendant_blur(self) -> None:
        """Back to the first ones, if the cursor left: they are what is looked at before a message is sent."""
        focused = self.screen.focused
        if focused is None or self not in focused.ancestors:
            self.scroll_home(animate=False)

    def watch_scroll_x(self, old_value: float, new_value: float) -> None:
        """Say whether there is more to the right."""
        super().watch_scroll_x(old_value, new_value)
        self._tell_more()

    def on_resize(self) -> None:
        """As above."""
        self._tell_more()

    def watch_virtual_size(self) -> None:
        """As above."""
        self._tell_more()

    def _tell_more(self) -> None:
        end = max((child.virtual_region.right for child in self.children if not child.has_class("more")), default=0)
        self.set_class(self.scroll_x + self.size.width < end, "-more")

    def typed(self) -> dict[str, Any]:
        """Text, choice or boolean by key."""
        return {key: value_of(field) for key, field in self._fields.items()}

    def fill(self, values: Mapping[str, Any]) -> None:
        """Put values in; what is no option here is left out."""
        for key, value in values.items():
            if key in self._fields:
                put(self._fields[key], value)

    def given(self) -> dict[str, Any]:
        """The values that differ from the defaults.

        Raises:
            ValueError: if one is wrong.
        """
        values: dict[str, Any] = {}
        typed = self.typed()
        for one in self._declared:
            given = typed.get(one.key)
            if isinstance(given, str) and given:
                values[one.key] = parse_text(one, given)
            elif isinstance(given, bool):
                values[one.key] = given
        return {one.key: values[one.key] for one in self._declared if values.get(one.key, one.default) != one.default}


def put(field: Widget, value: Any) -> None:
    """Show `value` in the widget of an option."""
    if isinstance(field, Checkbox):
        field.value = bool(value)
    elif isinstance(field, Input):
        field.value = ", ".join(value) if isinstance(value, list) else str(value)
    elif isinstance(field, Choice):
        field.choose(value)  # kept from another protocol, it may be no choice here


def value_of(field: Field) -> str | bool:
    """What stands in the widget of an option."""
    return field.chosen if isinstance(field, Choice) else field.value


def _field(one: Declared, leaving: Container[str | None]) -> Field:
    """The widget for one option.

    It has no id if one among those that are `leaving` has the same: they leave in their own time, and until then
    another like it would end the app. Who goes through tabs quickly would meet that.
    """
    name = f"out-{one.key}" if f"out-{one.key}" not in leaving else None
    if one.choices:
        default = str(one.default) if str(one.default) in one.choices else one.choices[0]
        choices = [(choice, choice) for choice in one.choices]
        field: Field = Choice(choices, value=default, allow_blank=False, compact=True, id=name)
    elif one.kind == "flag":
        field = Tick("", value=bool(one.default), compact=True, id=name)
    else:
        field = SafeInput(placeholder=clean(_default(one)) or one.metavar, compact=True, id=name)
    field.tooltip = one.summary
    return field


def _default(one: Declared) -> str:
    """What holds while the field is empty, as it would be typed."""
    if one.default is None or (not one.default and isinstance(one.default, list | dict)):
        return ""
    spell = {"duration": format_duration, "size": format_size}.get(one.kind, str)
    return spell(one.default)
