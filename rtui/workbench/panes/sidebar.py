"""The tree of sessions: ./sessions, the user's folder, the samples. Connected ones carry their state."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Final

from rich.style import Style
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Tree
from textual.widgets.tree import TreeNode

from rtui.core.clean import clean, clip
from rtui.settings.secrets import mask_url
from rtui.settings.session_list import SessionEntry
from rtui.workbench.mouse import RIGHT
from rtui.workbench.widgets.row import Piece

HEADINGS: Final = {"here": "this folder", "user": "mine", "packaged": "samples"}
NAME_CELLS: Final = 40
TAG_CELLS: Final = 34
"""Width from which the pane shows tags: in less, they would push the names about."""
Glyph = tuple[str, str]
"""The sign of a connection's state and its colour."""
Branch = tuple[str, ...]
"""A folder: the source of sessions it belongs to, then its path."""


class Sidebar(Tree[SessionEntry]):
    """Sessions by folder; enter connects."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select_cursor", "Connect", id="sessions.connect", tooltip="Connect, or go to its tab"),
        Binding("escape", "leave", "Back", id="sessions.leave", tooltip="Pick none any more, then back to the log"),
        Binding("space", "pick", "Pick", id="sessions.pick", tooltip="Pick it, or its folder: enter connects all"),
        Binding("e", "ask('edit')", "Edit", id="sessions.edit", tooltip="Change it in a form"),
        Binding("E", "ask('editor')", "Edit as text", show=False, id="sessions.editor", tooltip="Change it in $EDITOR"),
        Binding("R", "ask('rename')", "Rename", show=False, id="sessions.rename", tooltip="Another name or folder"),
        Binding("d", "ask('duplicate')", "Duplicate", show=False, id="sessions.duplicate", tooltip="Save a copy"),
        Binding(
            "delete", "ask('delete')", "Delete", show=False, id="sessions.delete", tooltip="Delete it, after asking"
        ),
        Binding("j", "cursor_down", "Down", show=False, id="sessions.down"),
        Binding("k", "cursor_up", "Up", show=False, id="sessions.up"),
        Binding("home,g", "first", "First", show=False, id="sessions.top", tooltip="The first row"),
        Binding("end,G", "last", "Last", show=False, id="sessions.bottom", tooltip="The last row"),
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

    class Picked(Message):
        """The user wants several sessions connected."""

        def __init__(self, entries: Sequence[SessionEntry]) -> None:
            super().__init__()
            self.entries = entries

    class LookedAt(Message):
        """The cursor came to something else, or the focus went. `about` says what it is, in pieces for a line."""

        def __init__(self, about: Sequence[Piece]) -> None:
            super().__init__()
            self.about = about

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's word
        super().__init__("sessions", id=id)
        self._picked: dict[str, SessionEntry] = {}
        self.show_root = False
        self.guide_depth = 2
        self.auto_expand = True
        self._entries: list[SessionEntry] | None = None
        """What is shown; None before anything was."""
        self._states: dict[str, Glyph] = {}
        self._branches: dict[Branch, TreeNode[SessionEntry]] = {}

    def load(self, entries: Sequence[SessionEntry]) -> None:
        """Show `entries`. What was folded stays so; the cursor stays where it was, or near if that is gone."""
        if entries == self._entries:
            return
        self._entries = list(entries)
        before, line = self._place(self.cursor_node), self.cursor_line
        folded = {parts for parts, node in self._branches.items() if not node.is_expanded}
        self._keep_picks({str(entry.path): entry for entry in entries if str(entry.path) in self._picked})
        self.clear()
        self._branches = {}
        for entry in entries:
            branch = self._branch((entry.source, *filter(None, entry.folder.split("/"))), folded)
            branch.add_leaf(self._label(entry), data=entry)
        if not entries:
            self.root.add_leaf(Text("no sessions yet", "dim"))
        if before is not None:
            self._return(before, line)  # at once: a key that comes before the next frame is about what was seen
        elif self.has_focus:
            self.call_after_refresh(self._go_to_first_session)

    def _place(self, node: TreeNode[SessionEntry] | None) -> Path | Branch | None:
        """What tells a node of this load from the others, and stays the same in the next."""
        if node is None:
            return None
        if node.data is not None:
            return node.data.path
        return next((parts for parts, branch in self._branches.items() if branch is node), None)

    def _return(self, before: Path | Branch, line: int) -> None:
        """Put the cursor on what it was on before a load, or on what has taken its line."""
        last = self.last_line  # this gives the new nodes their lines
        found = next((node for node in _below(self.root) if self._place(node) == before), None)
        self.move_cursor(found or self.get_node_at_line(min(line, last)))

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

    def _go_to_first_session(self) -> None:
        """To the first row that can be connected, if the cursor is nowhere yet."""
        if self.cursor_line < 0:
            self.move_cursor(next((node for node in _below(self.root) if node.data is not None), None))

    def action_first(self) -> None:
        """To the first row."""
        self.cursor_line = 0

    def action_last(self) -> None:
        """To the last row."""
        self.cursor_line = self.last_line

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """There may be no log to go back to."""
        if action == "leave" and not self._picked:
            return self.screen.check_action("back", ())
        return super().check_action(action, parameters)

    async def action_leave(self) -> None:
        """Pick none any more; then back to the log."""
        if self._picked:
            self._keep_picks({})
        else:
            await self.run_action("screen.back")

    def action_ask(self, verb: str) -> None:
        """Pass the wish on with the session under the cursor."""
        node = self.cursor_node
        if node is not None and node.data is not None:
            self.post_message(self.Asked(verb, node.data))
        else:
            self.notify("no session is under the cursor: choose one in the folder", markup=False)

    def action_pick(self) -> None:
        """Pick the session under the cursor, or all of the folder; those that were all picked are so no longer."""
        node = self.cursor_node
        if node is None:
            return
        here = {str(one.data.path): one.data for one in (node, *_below(node)) if one.data is not None}
        rest = {path: entry for path, entry in self._picked.items() if path not in here}
        self._keep_picks(rest if here.keys() <= self._picked.keys() else self._picked | here)
        if node.data is not None:
            self.action_cursor_down()

    def action_select_cursor(self) -> None:
        """Connect what is picked, wherever the cursor is; else what is under it."""
        if self._picked:
            self._connect_picked()
        else:
            super().action_select_cursor()

    def _connect_picked(self) -> None:
        self.post_message(self.Picked(tuple(self._picked.values())))
        self._keep_picks({})

    def _keep_picks(self, picked: Mapping[str, SessionEntry]) -> None:
        self._picked = dict(picked)
        self.refresh_bindings()
        self.border_title = Text(f"sessions · {len(picked)} picked" if picked else "sessions")
        self._relabel(self.root)

    def on_focus(self) -> None:
        """Say what the cursor is on."""
        self.call_after_refresh(self._go_to_first_session)
        self._tell()

    def on_blur(self) -> None:
        """No more."""
        self.post_message(self.LookedAt(()))

    def on_tree_node_highlighted(self, event: Tree.NodeHighlighted[SessionEntry]) -> None:
        """Say what the cursor is on now."""
        event.stop()
        if self.has_focus:
            self._tell()

    def _tell(self) -> None:
        node = self.cursor_node
        self.post_message(self.LookedAt(about(node.data) if node is not None and node.data is not None else ()))

    def on_click(self, event: events.Click) -> None:
        """A click chooses a session, two connect it, as everywhere; with ctrl, a click picks it."""
        line = event.style.meta.get("line", self.cursor_line)
        node = self.get_node_at_line(line)
        is_session = node is not None and node.data is not None
        if event.button == RIGHT or event.ctrl or (is_session and event.chain == 1):
            event.prevent_default()
            self.cursor_line = line
        if event.ctrl:
            self.action_pick()

    def on_tree_node_selected(self, event: Tree.NodeSelected[SessionEntry]) -> None:
        """Enter or two clicks on a session connect it, and what is picked with it."""
        event.stop()
        if event.node.data is None:
            return
        if self._picked:
            self._connect_picked()
        else:
            self.post_message(self.Asked("connect", event.node.data))

    def render_label(self, node: TreeNode[SessionEntry], base_style: Style, style: Style) -> Text:
        """The stock label, without markup and with our glyph."""
        if node.data is None:
            return super().render_label(node, base_style, style)
        text = Text(style=style)
        text.append_text(self._label(node.data))
        return text

    def _branch(self, parts: Branch, folded: Collection[Branch]) -> TreeNode[SessionEntry]:
        if not parts:
            return self.root
        if parts not in self._branches:
            name = HEADINGS.get(parts[0], parts[0]) if len(parts) == 1 else f"{clean(parts[-1])}/"
            above = self._branch(parts[:-1], folded)
            self._branches[parts] = above.add(Text(name), expand=parts not in folded)
        return self._branches[parts]

    def _label(self, entry: SessionEntry) -> Text:
        name = clip(clean(entry.name.rpartition("/")[2]), NAME_CELLS)
        glyph, colour = self._states.get(str(entry.path), ("!" if entry.error else " ", ""))
        if str(entry.path) in self._picked:
            glyph, colour = "+", "bold"
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


def about(entry: SessionEntry) -> list[Piece]:
    """What a session is, for a line: what is wrong with its file, or its own words and its address."""
    if entry.error:
        return [("error", clean(entry.error))]
    return [piece for piece in (("text", clean(entry.description)), ("dim", clean(mask_url(entry.url)))) if piece[1]]


def _below(node: TreeNode[SessionEntry]) -> Iterator[TreeNode[SessionEntry]]:
    for child in node.children:
        yield child
        yield from _below(child)
