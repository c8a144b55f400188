"""Our words for what comes from Textual: the keys that its widgets bring along, and the names of classes."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

HEADINGS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "Sidebar": "Sessions",
        "ChannelTree": "Channel tree",
        "MessageLog": "Message log",
        "MessageView": "Message pane",
        "Composer": "Composer",
        "PayloadArea": "Text of the message",
        "FilterBar": "Filter",
        "Expression": "Filter",
        "Tour": "Tour",
        "Caption": "Presentation",
        "SubscriptionList": "Subscriptions",
        "Input": "Field",
        "_Line": "Field",
        "SafeInput": "Field",
        "Select": "Field",
        "Checkbox": "Field",
    }
)
"""What help calls the keys of a widget. Those of all others hold always."""
EDITING: Final = frozenset({"Text of the message", "Field"})
"""Those that are as in any editor: help tells of them last."""
WORDS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        # Everywhere
        "focus_next": ("Next field", "To the next pane or field"),
        "focus_previous": ("Previous field", "To the pane or field before"),
        "screen.copy_text": ("Copy marked text", "Copy what was marked with the mouse"),
        # The list of sessions
        "cursor_up": ("Up", "One row up"),
        "cursor_down": ("Down", "One row down"),
        "page_up": ("Page up", "One page back"),
        "page_down": ("Page down", "One page on"),
        "cursor_parent": ("Folder", "To the folder that it is in"),
        "cursor_previous_sibling": ("Previous beside it", "Up, past what is in folders"),
        "cursor_next_sibling": ("Next beside it", "Down, past what is in folders"),
        "toggle_expand_all": ("Fold all", "Fold or unfold everything in the folder"),
        # Text
        "cursor_left": ("Left", "One character back"),
        "cursor_right": ("Right", "One character on"),
        "cursor_line_start": ("Start of line", "To the start of the line"),
        "cursor_line_end": ("End of line", "To the end of the line"),
        "cursor_page_up": ("Page up", "One page back"),
        "cursor_page_down": ("Page down", "One page on"),
        "cursor_word_left": ("Word left", "One word back"),
        "cursor_word_right": ("Word right", "One word on"),
        "home": ("Start", "To the start of the text"),
        "end": ("End", "To the end of the text"),
        "cursor_left_word": ("Word left", "One word back"),
        "cursor_right_word": ("Word right", "One word on"),
        "delete_left": ("Delete left", "Delete the character before"),
        "delete_right": ("Delete right", "Delete the character after"),
        "delete_word_left": ("Delete word left", "Delete to the start of the word"),
        "delete_word_right": ("Delete word right", "Delete to the end of the word"),
        "delete_left_word": ("Delete word left", "Delete to the start of the word"),
        "delete_right_word": ("Delete word right", "Delete to the end of the word"),
        "delete_left_all": ("Delete to start", "Delete everything before"),
        "delete_right_all": ("Delete to end", "Delete everything after"),
        "delete_to_start_of_line": ("Delete to start", "Delete to the start of the line"),
        "delete_to_end_of_line_or_delete_line": ("Delete to end", "Delete to the end of the line, or the empty line"),
        "delete_line": ("Delete line", "Delete the whole line"),
        "cut": ("Cut", "Delete what is selected and keep it for pasting"),
        "copy": ("Copy", "Keep what is selected for pasting"),
        "paste": ("Paste", "Put in what was cut or copied"),
        "undo": ("Undo", "Take back the last change"),
        "redo": ("Redo", "Make the change again that was taken back"),
        # A choice
        "show_overlay": ("Choose", "Open the list"),
        "toggle_button": ("Tick", "Tick it, or no longer"),
    }
)
"""Action of Textual → title and explanation. An action that is not here is not worth a row: selecting with shift and
the arrows works as in every editor, and panes that are never wider than the screen do not scroll sideways."""
