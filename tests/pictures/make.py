"""The README's picture, made by the program itself: `python -m tests.pictures.make`."""

from __future__ import annotations

import asyncio
import os
import tempfile
from pathlib import Path

PICTURE = Path(__file__).parent / "workbench.svg"
SIZE = (140, 40)
ROWS = 900
"""Messages recorded before the picture is taken."""


async def make() -> None:
    """Run the workbench on the demo servers, without a terminal, and keep what it shows."""
    from rtui.capture.journal import Journal
    from rtui.capture.reader import Reader
    from rtui.cli.demo import SHOWN, demo_sessions
    from rtui.demo import lab
    from rtui.workbench.app import Workbench

    urls: dict[str, str] = {}
    servers = await lab.serve(announce=lambda ready: urls.update({ready["protocol"]: ready["url"]}))
    journal = Journal.create()
    reader = Reader(journal.path)
    try:
        bench = Workbench(reader=reader, journal=journal, targets=demo_sessions(urls))
        async with bench.run_test(size=SIZE) as pilot:
            while journal.last < ROWS:
                await pilot.pause(0.1)
            # The plant's tab; the course of one device, charted.
            await pilot.press(*["]"] * SHOWN.index("plant"), "slash", *"ch:plant/aachen/press-1/#", "enter", "f5", "v")
            await pilot.pause(1)
            PICTURE.write_text(bench.export_screenshot(title="rtui demo"), encoding="utf-8")
    finally:
        reader.close()
        journal.close()
        await servers.close()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"RTUI_CONFIG_HOME": folder, "RTUI_STATE_HOME": folder}
        asyncio.run(make())
