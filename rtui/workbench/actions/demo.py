"""Actions on the embedded servers of `rtui demo`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtui.core.lifecycle import State
from rtui.workbench.action import Book
from rtui.workbench.actions.session import is_sample

if TYPE_CHECKING:
    from rtui.workbench.screens.desk import Desk
    from rtui.workbench.sheet import Sheet

BOOK = Book("Demo")
_action = BOOK.action


def _matters(desk: Desk) -> bool:
    """Whether the servers are what the tab is about: in the demonstration, and where a sample finds nobody."""
    return desk.bench.demonstration or (desk.sheets.current is not None and _is_lost(desk.sheets.current))


def _is_lost(sheet: Sheet) -> bool:
    """Whether it is a sample without its server."""
    path = sheet.session.path if sheet.session is not None else None
    lost = sheet.connection is not None and sheet.connection.state is not State.OPEN
    return lost and path is not None and is_sample(path)


@_action(
    "demo-servers",
    "D",
    "Demo servers",
    when=lambda d: d.demo is not None,
    footer=_matters,
    called=lambda d: "Stop servers" if d.demo is not None and d.demo.running else "Start servers",
    menu=("bottom",),
)
async def toggle_servers(desk: Desk) -> None:
    """Start the servers that the samples connect to, or stop them: connections wait and come back."""
    demo = desk.demo
    if demo is None:
        return
    key = desk.bench.key_of("app.demo-servers")
    if demo.running:
        desk.say(f"stopping the demo servers: watch the connections wait and retry; {key} starts them again")
        await demo.stop()
    else:
        await demo.start()
        desk.say("the demo servers run: the samples can connect")
        for sheet in desk.sheets if not desk.bench.demonstration else ():
            if sheet.connection is not None and _is_lost(sheet):
                sheet.connection.reconnect()
    desk.refresh_bindings()  # the key is called otherwise now


@_action("tour", "", "Tour", when=lambda d: d.demo is not None, menu=("bottom",))
def tour(desk: Desk) -> None:
    """The guided tour of the demonstration."""
    desk.start_tour()
