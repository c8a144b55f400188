"""The session form, generated from what the protocol declares."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Final

import msgspec
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import Button, Input, Label, TextArea

from rtui.core.clean import clean
from rtui.core.fault import Failure
from rtui.protocols import registry
from rtui.protocols.base import Adapter
from rtui.settings.kind import read_pairs
from rtui.settings.option import check, declared, has_template
from rtui.settings.secrets import MASK, is_secret_header
from rtui.settings.session import Session, session_from_url
from rtui.workbench.screens.address import URLS, which_protocol
from rtui.workbench.screens.dialog import Confirm, Form
from rtui.workbench.screens.field import fields, given, row
from rtui.workbench.widgets.knob import Knob
from rtui.workbench.widgets.safe import SafeArea, SafeInput

NAME: Final = "made from the URL"
NAME_HELP: Final = f"What its tab is called; {NAME} if it is empty"
ABOUT: Final = "A line about it, shown where sessions are found"
TAGS: Final = "words to find it by, with commas between"
VARIABLES: Final = "name: value, one a line; {{ name }} stands for it"


class Filled(msgspec.Struct, frozen=True, kw_only=True):
    """What the user made of the form."""

    session: Session
    connect: bool
    save: bool


class SessionForm(Form[Filled]):
    """Name, URL, and every connect option of the protocol that the URL names."""

    AUTO_FOCUS = "#url"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f10", "finish(True, False)", "Connect", id="form.connect", tooltip="Connect without saving"),
        Binding("f2", "finish(False, True)", "Save", id="form.save", tooltip="Save to a file"),
    ]

    def __init__(self, session: Session | None = None, *, title: str = "new session") -> None:
        super().__init__(title)
        self._session = session or Session(name="", url="")
        self._adapter: type[Adapter] | None = None
        self._changing = False
        """Whether the fields of `_adapter` are not all there yet."""
        self._untouched: tuple[Session, list[str]] | None = None
        """What the form said before anything was filled in."""

    def ask(self) -> ComposeResult:
        """Head, options, buttons."""
        one = self._session
        with VerticalScroll(classes="fields"):
            yield from row("URL", SafeInput(one.url, id="url", placeholder="wss://host/path", compact=True), URLS)
            yield from row("Name", SafeInput(one.name, id="name", placeholder=NAME, compact=True), NAME_HELP)
            yield from row("About", SafeInput(one.description, id="description", compact=True), ABOUT)
            yield from row("Tags", SafeInput(", ".join(one.tags), id="tags", placeholder=TAGS, compact=True), TAGS)
            area = SafeArea(self._variables(), id="variables", placeholder=VARIABLES, compact=True)
            yield from row("Variables", area, VARIABLES)
            yield Vertical(id="options")
        yield from self.foot()
        with Horizontal(classes="buttons"):
            yield Knob(Text("Cancel"), id="cancel", compact=True)
            yield Knob(Text("Save (f2)"), id="save", compact=True)
            yield Knob(Text("Connect (f10)"), id="connect", variant="primary", compact=True)

    async def on_mount(self) -> None:
        """The fields of the protocol, as far as it is known."""
        await self._offer_options()
        self._untouched = self._read()

    def action_dismiss_without(self) -> None:
        """Leave; what was filled in is not thrown away without a question."""
        if self._read() == self._untouched:
            self.dismiss(None)
        else:
            question = Confirm("leave the form", "What was filled in will be lost.", yes="Leave", no="Go on")
            self.app.push_screen(question, self._leave)

    def _leave(self, sure: bool | None) -> None:
        if sure:
            self.dismiss(None)

    def action_finish(self, connect: bool, save: bool) -> None:
        """Leave with the session, unless something is wrong with it. The protocol of plain http is asked first."""
        if self._ask_protocol(lambda: self.action_finish(connect, save)):
            return
        session, troubles = self._read()
        if troubles:
            self.query_one(".trouble", Label).update("\n".join(map(clean, troubles[:4])))
        else:
            self.dismiss(Filled(session=session, connect=connect, save=save))

    @on(Button.Pressed, "#save, #connect")
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self.action_finish(event.button.id == "connect", event.button.id == "save")

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if event.input.id != "url" or not self._ask_protocol(self.focus_next):
            self.focus_next()

    def _ask_protocol(self, then: Callable[[], object]) -> bool:
        """Whether the URL does not tell the protocol; then it is asked, and `then` follows if there is an answer."""
        url = self._text("#url")
        try:
            question = which_protocol(url) if url and not self._session.protocol else None
        except Failure:  # no URL: told when the form is left
            return False
        if question is None:
            return False

        async def answered(protocol: str | None) -> None:
            if protocol is not None:
                self.query_one("#url", Input).value = registry.for_url(url, protocol)[1]
                await self._offer_options()
                then()

        self.app.push_screen(question, answered)
        return True

    @on(Input.Blurred, "#url")
    async def _url_left(self) -> None:
        await self._offer_options()

    async def _offer_options(self) -> None:
        """Show the fields of the URL's protocol, if it is another one than before."""
        adapter, _ = self._find()
        if adapter is None or adapter is self._adapter:
            return
        self._adapter, self._changing = adapter, True
        options = self.query_one("#options", Vertical)
        await options.remove_children()
        await options.mount_all(fields(declared(adapter.Options), adapter.title, self._session.options))
        self._changing = False

    def _find(self) -> tuple[type[Adapter] | None, str]:
        try:
            return registry.for_url(self._text("#url") or "ws://localhost", self._session.protocol or None)[0], ""
        except Failure as failure:
            return None, f"{failure.fault.sentence()}. {failure.fault.hint}"

    def _text(self, selector: str) -> str:
        return self.query_one(selector, Input).value.strip()

    def _read(self) -> tuple[Session, list[str]]:
        url = self._text("#url")
        adapter, trouble = self._find() if not has_template(url) else (self._adapter, "")
        if not url:
            trouble = "URL: is missing"
        options = self._options()
        troubles = [trouble] if trouble else []
        if adapter is not None:
            troubles += map(str, check(adapter.Options, options))
        variables = self._session.variables
        try:
            typed = read_pairs(self.query_one("#variables", TextArea).text.strip().splitlines())
            variables = {name: variables.get(name, text) if text == MASK else text for name, text in typed.items()}
        except ValueError as error:
            troubles.append(f"Variables: {error}")
        session = msgspec.structs.replace(
            self._session,
            url=url,
            name=self._text("#name") or session_from_url(url).name,
            description=self._text("#description"),
            tags=tuple(filter(None, map(str.strip, self._text("#tags").split(",")))),
            variables=variables,
            options=options,
        )
        return session, troubles

    def _variables(self) -> str:
        """What stands in their field; a text that is named like a credential is not shown."""
        variables = self._session.variables.items()
        hidden = {name for name, text in variables if is_secret_header(name) and not has_template(text)}
        return "\n".join(f"{name}: {MASK if name in hidden else text}" for name, text in variables)

    def _options(self) -> dict[str, Any]:
        """What differs from the defaults; values that the form does not show, or not yet, stay."""
        if self._adapter is None or self._changing:
            return dict(self._session.options)
        known = declared(self._adapter.Options)
        names = {one.key for one in known}
        hidden = {key: value for key, value in self._session.options.items() if key not in names}
        return hidden | given(self, known)
