"""What is around it: connections, sessions, the log, filters, the view, presenting."""

from __future__ import annotations

import msgspec
from textual.command import CommandPalette

from rtui.core.lifecycle import State
from rtui.core.record import Direction, Kind
from rtui.workbench.presenter import Presenter
from rtui.workbench.screens.black import Black
from rtui.workbench.screens.dialog import Choose, Confirm, Prompt
from rtui.workbench.screens.form import SessionForm
from rtui.workbench.screens.help import Help
from rtui.workbench.screens.jump import Jump
from rtui.workbench.screens.menu import Menu
from rtui.workbench.screens.search import Search
from rtui.workbench.sheet import TIMELINE
from tests.workbench.glass import Glass, in_full
from tests.workbench.scene import Scene, case

# Connections


@case("none", "connect")
async def _connect(at: Scene) -> None:
    await at.do()
    await at.answer(Prompt, "ws://127.0.0.1:9")
    await at.until(lambda: at.desk.connection is not None and "127.0.0.1:9" in at.desk.connection.session.url)


@case("none", "new-session")
async def _new_session(at: Scene) -> None:
    await at.do()
    await at.asks(SessionForm)


@case("echo", "disconnect")
async def _disconnect(at: Scene) -> None:
    await at.do()
    await at.until(lambda: at.desk.sure.state is State.CLOSED)


@case("echo", "reconnect")
async def _reconnect(at: Scene) -> None:
    at.desk.sure.close()
    await at.until(lambda: at.desk.sure.state is State.CLOSED)
    await at.do()
    await at.until(lambda: len(at.rows(Kind.OPEN)) > 1, "open again")


@case("echo", "ping")
async def _ping(at: Scene) -> None:
    await at.do()
    await at.until(lambda: at.rows(Kind.PING))


@case("echo", "close-with")
async def _close_with(at: Scene) -> None:
    await at.do()
    await at.answer(Prompt, "3001 enough")
    await at.until(lambda: at.desk.sure.state is State.CLOSED)
    assert "3001" in str(at.rows(Kind.CLOSE)[-1])


@case("echo", "break")
async def _break(at: Scene) -> None:
    await at.do()
    await at.answer(Choose, "stop-pongs")
    await at.until(lambda: "stop-pongs" in at.desk.sure.faults)


# Sessions


@case("echo", "save")
async def _save(at: Scene) -> None:
    await at.do()
    await at.answer(Prompt, "mine")
    await at.until(lambda: list(at.folder.rglob("mine.toml")), "a file")


@case("echo", "edit")
async def _edit(at: Scene) -> None:
    await at.do()
    await at.asks(SessionForm)


@case("file", "reload")
async def _reload(at: Scene) -> None:
    file = at.folder / "echo.toml"
    file.write_text(file.read_text().replace("echo", "other"))
    await at.do()
    await at.until(lambda: at.desk.session is not None and at.desk.session.name == "other")


@case("none", "find-session")
async def _find_session(at: Scene) -> None:
    await at.do()
    await at.answer(Choose, "echo")
    await at.until(lambda: at.desk.session is not None and at.desk.session.name == "echo", "connected")


# The demonstration


@case("demo", "demo-servers")
async def _demo_servers(at: Scene) -> None:
    await at.do()
    await at.until(lambda: not at.bench.demo.running, "stopped")  # type: ignore[union-attr]
    await at.do()
    await at.until(lambda: at.bench.demo.running, "started")  # type: ignore[union-attr]


@case("demo", "tour")
async def _tour(at: Scene) -> None:
    await at.do()
    await at.until(lambda: at.desk.query("Tour"), "the card")


# The log


@case("echo", "columns")
async def _columns(at: Scene) -> None:
    await at.do()
    await at.answer(Prompt, "time payload")
    await at.until(lambda: [one.name for one in at.desk.sheets.current.columns] == ["time", "payload"])  # type: ignore[union-attr]


async def _timeline_of_two(at: Scene) -> None:
    at.desk.go_to(at.desk.sheets.get(TIMELINE))
    await at.until(lambda: at.desk.has_row, "rows of both")


@case("echoes", "mute-source", "solo-source", "sources")
async def _sources(at: Scene) -> None:
    await _timeline_of_two(at)
    await at.do()
    if at.action.id == "app.sources":
        await at.answer(Choose, "other")
    await at.until(lambda: len(at.desk.sheets.current.muted) == 1, "one is left out")  # type: ignore[union-attr]


# Filters


@case("echo", "filter")
async def _filter(at: Scene) -> None:
    await at.talk("hello")
    await at.do()
    await at.write("hello")
    await at.press("enter")
    await at.until(lambda: at.desk.sheets.current.filter_text == "hello")  # type: ignore[union-attr]


@case("echo", "clear-filter")
async def _clear_filter(at: Scene) -> None:
    at.desk.put_filter("hello")
    await at.do()
    await at.until(lambda: not at.desk.has_filter)


@case("echo", "filters")
async def _filters(at: Scene) -> None:
    at.bench.state.saved_filters["mine"] = "kind:error"
    await at.do()
    await at.answer(Choose)
    await at.until(lambda: at.desk.sheets.current.filter_text == "kind:error")  # type: ignore[union-attr]


@case("echo", "keep-filter")
async def _keep_filter(at: Scene) -> None:
    at.desk.put_filter("hello")
    await at.do()
    await at.answer(Prompt, "mine")
    await at.until(lambda: at.bench.state.saved_filters == {"mine": "hello"})


@case("echo", "forget-filter")
async def _forget_filter(at: Scene) -> None:
    at.bench.state.saved_filters["mine"] = "hello"
    await at.do()
    await at.answer(Choose)
    await at.until(lambda: not at.bench.state.saved_filters)


@case("echo", "search")
async def _search(at: Scene) -> None:
    await at.talk("needle", "hay")
    await at.do()
    await at.answer(Search, "needle")
    await at.until(lambda: not at.desk.log_view.follow, "found")
    found = at.bench.catalog.record(at.desk.log_view.cursor_seq)
    assert found is not None
    assert found.payload == b"needle"


@case("echo", "search-next", "search-previous")
async def _search_on(at: Scene) -> None:
    await at.talk("needle", "hay", "needle")
    await at.press("ctrl+f")
    await at.answer(Search, "needle out")
    first, last = (row.seq for row in at.rows(direction=Direction.OUT) if row.payload == b"needle")
    await at.until(lambda: at.desk.log_view.cursor_seq == last, "the newest one")
    if at.action.id == "app.search-next":
        await at.stand_on(at.rows(direction=Direction.OUT)[0])
    await at.do()
    await at.until(lambda: at.desk.log_view.cursor_seq == (last if at.action.id == "app.search-next" else first))


# The view


@case("echo", "help")
async def _help(at: Scene) -> None:
    await at.do()
    await at.asks(Help)


@case("echo", "menu")
async def _menu(at: Scene) -> None:
    await at.do()
    await at.until(lambda: isinstance(at.screen, Menu), "the menu")
    await at.pilot.pause()
    await at.write("mark")
    await at.press("enter")
    await at.until(lambda: at.desk.log_view.picks.marks, "the row is marked")


@case("echo", "palette")
async def _palette(at: Scene) -> None:
    await at.do()
    await at.until(lambda: isinstance(at.screen, CommandPalette))


@case("echoes", "next-tab", "previous-tab", "timeline")
async def _tabs(at: Scene) -> None:
    before = at.desk.sheets.current
    await at.do()
    shown = at.desk.sheets.current
    assert shown is not before
    assert at.action.id != "app.timeline" or at.desk.is_merged


@case("echoes", "close-tab")
async def _close_tab(at: Scene) -> None:
    closed = at.desk.sheets.current
    await at.do()
    await at.until(lambda: closed not in list(at.desk.sheets))


@case("echoes", "split")
async def _split(at: Scene) -> None:
    await at.do()
    await at.until(lambda: len(at.desk.sheets.shown) > 1, "two halves")


@case("echoes", "split-with")
async def _split_with(at: Scene) -> None:
    await at.do()
    await at.answer(Choose, "other")
    await at.until(lambda: len(at.desk.sheets.shown) > 1, "two halves")


@case("echoes", "other-half")
async def _other_half(at: Scene) -> None:
    await at.press("vertical_line")
    await at.until(lambda: len(at.desk.sheets.shown) > 1, "two halves")
    before = at.desk.sheets.current
    await at.do()
    assert at.desk.sheets.current is not before


@case("echoes", "swap-halves")
async def _swap_halves(at: Scene) -> None:
    await at.press("vertical_line")
    await at.until(lambda: len(at.desk.sheets.shown) > 1, "two halves")
    shown = list(at.desk.sheets.shown)
    await at.do()
    assert at.desk.sheets.shown == shown[::-1]


@case("echo", "jump")
async def _jump(at: Scene) -> None:
    await at.do()
    await at.asks(Jump)


@case("echo", "zoom")
async def _zoom(at: Scene) -> None:
    await at.do()
    assert at.desk.panes.zoomed == "log"
    assert not at.desk.query_one("#tree").display


@case("echo", "larger", "smaller")
async def _size(at: Scene) -> None:
    at.desk.show_pane("tree")
    await at.pilot.pause()
    before = at.desk.sure_tree.size.width
    await at.do(pane="tree")
    sign = 1 if at.action.id == "app.larger" else -1
    await at.until(lambda: sign * (at.desk.sure_tree.size.width - before) > 0)


@case("echo", "pane-sessions", "pane-tree", "pane-log", "pane-message", "pane-composer")
async def _panes(at: Scene) -> None:
    pane = at.action.id.removeprefix("app.pane-")
    at.desk.show_pane("tree" if pane != "tree" else "log")
    await at.pilot.pause()
    await at.do(pane="")
    assert at.desk.focused_pane == pane


@case("none", "theme")
async def _theme(at: Scene) -> None:
    await at.do()
    await at.answer(Choose, "nord")
    await at.until(lambda: at.bench.theme == "nord")


@case("none", "redraw")
async def _redraw(at: Scene) -> None:
    glass = Glass(at.bench)
    await at.do()
    await at.until(lambda: glass.lines() == in_full(at.bench), "all of it")


@case("none", "suspend")
async def _suspend(at: Scene) -> None:
    called: list[str] = []
    at.bench.action_suspend_process = lambda: called.append("suspended")  # type: ignore[method-assign]
    await at.do()
    assert called  # the terminal's part has a test of its own: a pilot has no process to stop


@case("echo", "quit")
async def _quit(at: Scene) -> None:
    connection = at.desk.sure
    at.desk.sheets.current.unsaved = True  # type: ignore[union-attr]
    await at.do()
    await at.until(lambda: isinstance(at.screen, Confirm), "asked")
    await at.press("y")
    await at.until(lambda: connection.state is State.CLOSED, "closed properly")
    await at.until(lambda: at.bench.return_value == 0, "left")


# Presenting


async def _present(at: Scene) -> Presenter:
    """Presenter mode, in a tab whose session has two steps."""
    sheet = at.desk.sheets.current
    assert sheet is not None
    assert sheet.session is not None
    steps = ({"send": "one"}, {"send": "two"})
    sheet.session = msgspec.structs.replace(sheet.session, steps=steps)
    at.desk.presenter.begin()
    await at.pilot.pause()
    return at.desk.presenter


def _outcomes(presenter: Presenter) -> list[str]:
    assert presenter.presentation is not None
    return [one.outcome for one in presenter.presentation.results.values()]


@case("echo", "density")
async def _density(at: Scene) -> None:
    before = at.desk.log_view.virtual_size.height
    await at.do()
    await at.until(lambda: at.desk.log_view.virtual_size.height > before)


@case("echo", "present")
async def _presents(at: Scene) -> None:
    sheet = at.desk.sheets.current
    assert sheet is not None
    assert sheet.session is not None
    sheet.session = msgspec.structs.replace(sheet.session, steps=({"send": "one"},))
    await at.do()
    await at.until(lambda: at.desk.query("Caption"))


@case("echo", "present-next", "present-skip")
async def _next_step(at: Scene) -> None:
    presenter = await _present(at)
    await at.do()
    outcome = "passed" if at.action.id == "app.present-next" else "skipped"
    await at.until(lambda: _outcomes(presenter) == [outcome])


@case("echo", "present-back")
async def _caption_before(at: Scene) -> None:
    presenter = await _present(at)
    presenter.go_on()
    await at.until(lambda: _outcomes(presenter) == ["passed"])
    await at.do()
    await at.until(lambda: presenter.presentation is not None and presenter.presentation.shown == 0)


@case("echo", "present-clock")
async def _clock(at: Scene) -> None:
    presenter = await _present(at)
    await at.do()
    await at.until(lambda: presenter.clock.on)


@case("echo", "present-black")
async def _black(at: Scene) -> None:
    await _present(at)
    await at.do()
    await at.asks(Black)


@case("echo", "present-leave")
async def _leave(at: Scene) -> None:
    presenter = await _present(at)
    await at.do()
    await at.until(lambda: not presenter.on)


@case("none", "show-keys")
async def _show_keys(at: Scene) -> None:
    await at.do()
    await at.until(lambda: at.desk.query("KeyCaps"))
