"""The tree of sessions: ./sessions, the user's folder, the samples. Connected ones carry their state."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar, Final

from rich.style import Style
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Tree
from textual.widgets.tree import TreeNode

from rtui.core.clean import clean, clip
from rtui.settings.session_list import SessionEntry

HEADINGS: Final = {"here": "this folder", "user": "mine", "packaged": "samples"}
NAME_CELLS: Final = 40
TAG_CELLS: Final = 34
"""Width from which the pane shows tags: in less, they would push the names about."""
Glyph = tuple[str, str]
"""The sign of a connection's state and its colour."""


class Sidebar(Tree[SessionEntry]):
    """Sessions by folder; enter connects."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select_cursor", "Connect", id="sessions.connect", tooltip="Connect, or go to its tab"),
        Binding("e", "ask('edit')", "Edit", id="sessions.edit", tooltip="Change it in a form"),
        Binding("E", "ask('editor')", "Editor", show=False, id="sessions.editor", tooltip="Change it in $EDITOR"),
        Binding("R", "ask('rename')", "Rename", show=False, id="sessions.rename", tooltip="Another name or folder"),
        Binding("d", "ask('duplicate')", "Duplicate", show=False, id="sessions.duplicate", tooltip="Save a copy"),
        Binding(
            "delete", "ask('delete')", "Delete", show=False, id="sessions.delete", tooltip="Delete it, after asking"
        ),
        Binding("j", "cursor_down", "Down", show=False, id="sessions.down"),
        Binding("k", "cursor_up", "Up", show=False, id="sessions.up"),
    ]

    DEFAULT_CSS = """
    Sidebar {
        width: 26;
        background: $background;
        padding: 0;
        scrollbar-size-vertical: 1;
        scrollbar-size-horizontal: 0;
    }
    """

    class Asked(Message):
        """The user wants something done with a session: connect, edit, editor, rename, duplicate, delete."""

        def __init__(self, verb: str, entry: SessionEntry) -> None:
            super().__init__()
            self.verb = verb
            self.entry = entry

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's word
        super().__init__("sessions", id=id)
        self.show_root = False
        self.guide_depth = 2
        self.auto_expand = True
        self._states: dict[str, Glyph] = {}

    def load(self, entries: Sequence[SessionEntry]) -> None:
        """Show `entries`, keeping the cursor on the session it was on."""
        before = self.cursor_node.data.path if self.cursor_node and self.cursor_node.data else None
        self.clear()
        branches: dict[tuple[str, ...], TreeNode[SessionEntry]] = {}
        for entry in entries:
            parts = (entry.source, *filter(None, entry.folder.split("/")))
            node = self._branch(parts, branches).add_leaf(self._label(entry), data=entry)
            if entry.path == before:
                self.call_after_refresh(self.move_cursor, node)
        if not entries:
            self.root.add_leaf(Text("no sessions yet", "dim"))

    def mark(self, states: Mapping[str, Glyph]) -> None:
        """Show the state glyph of connected sessions, by path; draws only what changed."""
        if states == self._states:
            return
        self._states = dict(states)
        self._relabel(self.root)

    def point_at(self, path: str) -> None:
        """Put the cursor on the session of the file `path`, unfolding what it is in."""
        node = next((node for node in _below(self.root) if node.data and str(node.data.path) == path), None)
        if node is None:
            return
        above = node.parent
        while above is not None:
            above.expand()
            above = above.parent
        self.call_after_refresh(self.move_cursor, node)

    def action_ask(self, verb: str) -> None:
        """Pass the wish on with the session under the cursor."""
        node = self.cursor_node
        if node is not None and node.data is not None:
            self.post_message(self.Asked(verb, node.data))

    def on_tree_node_selected(self, event: Tree.NodeSelected[SessionEntry]) -> None:
        """Enter or a click on a session connects it."""
        event.stop()
        if event.node.data is not None:
            self.post_message(self.Asked("connect", event.node.data))

    def render_label(self, node: TreeNode[SessionEntry], base_style: Style, style: Style) -> Text:
        """The stock label, without markup and with our glyph."""
        if node.data is None:
            return super().render_label(node, base_style, style)
        text = Text(style=style)
        text.append_text(self._label(node.data))
        return text

    def _branch(
        self, parts: tuple[str, ...], branches: dict[tuple[str, ...], TreeNode[SessionEntry]]
    ) -> TreeNode[SessionEntry]:
        if not parts:
            return self.root
        if parts not in branches:
            name = HEADINGS.get(parts[0], parts[0]) if len(parts) == 1 else f"{clean(parts[-1])}/"
            branches[parts] = self._branch(parts[:-1], branches).add(Text(name), expand=True)
        return branches[parts]

    def _label(self, entry: SessionEntry) -> Text:
        name = clip(clean(entry.name.rpartition("/")[2]), NAME_CELLS)
        glyph, colour = self._states.get(str(entry.path), ("!" if entry.error else " ", ""))
        label = Text.assemble((glyph, colour), " ", (name, "dim" if entry.error else ""))
        if entry.tags and self.size.width >= TAG_CELLS:
            label.append(f"  {tags_of(entry)}", "dim")
        return label

    def _relabel(self, node: TreeNode[SessionEntry]) -> None:
        for child in node.children:
            if child.data is not None:
                child.set_label(self._label(child.data))
            self._relabel(child)


def tags_of(entry: SessionEntry) -> str:
    """The tags as they are shown: "#demo #mqtt"."""
    return " ".join(f"#{clean(tag)}" for tag in entry.tags)


def _below(node: TreeNode[SessionEntry]) -> Iterator[TreeNode[SessionEntry]]:
    for child in node.children:
        yield child
        yield from _below(child)
