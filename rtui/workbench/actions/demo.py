"""Actions on the embedded servers of `rtui demo`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtui.workbench.action import Book

if TYPE_CHECKING:
    from rtui.workbench.screens.desk import Desk

BOOK = Book("Demo")
_action = BOOK.action


@_action(
    "demo-servers",
    "D",
    "Stop servers",
    when=lambda d: d.demo is not None,
    footer=True,
)
async def toggle_servers(desk: Desk) -> None:
    """Stop the demo servers, or start them again."""
    demo = desk.demo
    if demo is None:
        return
    if demo.running:
        desk.say("stopping the demo servers: watch the connections wait and retry; D starts them again")
        await demo.stop()
    else:
        await demo.start()
        desk.say("the demo servers are back")


@_action("tour", "", "Tour", when=lambda d: d.demo is not None)
def tour(desk: Desk) -> None:
    """The guided tour of the demonstration."""
    desk.start_tour()
