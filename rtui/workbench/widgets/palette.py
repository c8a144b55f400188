"""The colours of widgets that draw their rows themselves: component classes, their style sheet, finished styles."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from rich.style import Style

from rtui.workbench.widgets.tint import is_tint, tinted


def sheet(widget: str, prefix: str, colours: Mapping[str, str], more: str = "") -> str:
    """The default CSS of `widget`: a component class `prefix--name` for each of `colours`, and one for the cursor."""
    lines = "\n".join(f"    & > .{prefix}--{name} {{ color: {colour}; }}" for name, colour in colours.items())
    return f"""
{widget} {{
{lines}
    & > .{prefix}--cursor {{
        background: $block-cursor-blurred-background;
        color: $block-cursor-blurred-foreground;
        text-style: $block-cursor-blurred-text-style;
    }}
    &:focus > .{prefix}--cursor {{
        background: $block-cursor-background;
        color: $block-cursor-foreground;
        text-style: $block-cursor-text-style;
    }}
    {more}
}}
"""


class Palette:
    """Styles by name, each asked for once. A name may also be a colour that a user chose (`tint`)."""

    def __init__(self, style_of: Callable[[str], Style], *, tinted_as: str) -> None:
        """`style_of` gives the style of a component class; `tinted_as` is the one that a user's colour is put on."""
        self._style_of = style_of
        self._tinted_as = tinted_as
        self._styles: dict[tuple[str, str], Style] = {}

    def style(self, name: str, over: str = "") -> Style:
        """The style `name`, on a row that is `over`: "cursor" hides it, another one only lends its background."""
        style = self._styles.get((name, over))
        if style is None:
            style = self._styles[name, over] = self._made(name, over)
        return style

    def forget(self) -> None:
        """Every colour is suspect."""
        self._styles.clear()

    def _made(self, name: str, over: str) -> Style:
        if over == "cursor":
            return self._style_of(over)
        style = tinted(self._style_of(self._tinted_as), name) if is_tint(name) else self._style_of(name)
        return style + Style(bgcolor=self._style_of(over).bgcolor) if over else style
