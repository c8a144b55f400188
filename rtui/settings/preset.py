"""Sets of keys to start from (`keys` in config.toml); keys.toml goes on top of the one that is chosen.

The keys of the default set are declared with the actions and the widgets. The others say what they change.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_LISTS: Final = ("log", "tree", "message", "subscriptions", "unanswered")
VIM: Final[Mapping[str, str]] = MappingProxyType(
    {
        "app.palette": "colon,ctrl+p",
        "app.search": "slash",
        "app.filter": "ampersand",  # as in less
        "app.compose": "i,s",
        "app.jump": "ctrl+w,ctrl+g",
        "app.close-tab": "alt+w",
        "app.density": "alt+d",
        "app.next-tab": "right_square_bracket,ctrl+pagedown",
        "app.previous-tab": "left_square_bracket,ctrl+pageup",
        "log.select": "v,x",
        "log.next-error": "e,right_curly_bracket",
        "log.previous-error": "E,left_curly_bracket",
        **{f"{pane}.page-down": "pagedown,ctrl+f" for pane in _LISTS},
        **{f"{pane}.page-up": "pageup,ctrl+b" for pane in _LISTS},
        "dialog.next": "down,ctrl+n",
        "dialog.previous": "up,ctrl+p",
    }
)
PRESETS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType({"default": MappingProxyType({}), "vim": VIM})
