"""Templates in session files: `{{ name }}`, `{{ env.TOKEN }}`, `{{ uuid() }}`, `{{ now() }}`, `{{ counter() }}`.

Jinja2 in its sandbox, with undefined names refused. The sandbox stops attribute tricks, not work without end, and a
session file may come from a stranger; so of the language we take expressions over our own names and refuse the rest
before it runs: statements, calls of anything but our functions, loops, arithmetic that can grow without bound.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeVar
from urllib.parse import quote

import msgspec

from rtui.core.fault import Failure, Fault
from rtui.settings.env_file import read_env
from rtui.settings.option import has_template, nearest
from rtui.settings.secrets import Secrets
from rtui.settings.session_model import SavedMessage, Session

if TYPE_CHECKING:
    from jinja2 import nodes
    from jinja2.sandbox import SandboxedEnvironment

T = TypeVar("T")

LONGEST: Final = 1024 * 1024
"""Characters that a template may have or make."""

MOST_NODES: Final = 2_000
"""Parts that one template may have; with `LONGEST` it bounds the work of rendering."""

FILTERS: Final = (
    *("abs", "capitalize", "default", "float", "int", "length", "lower"),
    *("round", "string", "title", "trim", "upper", "urlencode"),
)
"""Of Jinja2's filters, those whose result is about as long as their input; `base64` and `json` are added."""
_BESIDE: Final = re.compile(r"replay:[^/?#~]")
_FUNCTIONS: Final = ("uuid", "now", "counter")
_ALLOWED: Final = """
Template Output TemplateData Name Const Getattr Getitem Call Filter Keyword CondExpr Compare Operand
And Or Not Neg Concat Add Sub List Dict Pair Tuple
"""
_ALLOWED_NODES: Final = frozenset(_ALLOWED.split())


def template_names(variables: Iterable[str]) -> list[str]:
    """What can stand in `{{ … }}`, as it is typed, where `variables` are known."""
    return [*variables, *(f"{name}()" for name in _FUNCTIONS), "env."]


class Renderer:
    """Renders the strings of one session; counts and remembers what came from the environment."""

    def __init__(self, variables: Mapping[str, str], env: Mapping[str, str], secrets: Secrets) -> None:
        self.variables = dict(variables)
        self.values: dict[str, str] = {}
        """Variables that came from a peer: taken as they are. Rendered, one could ask for `env`."""
        self._env = env
        self._secrets = secrets
        self._count = 0
        self._environment: SandboxedEnvironment | None = None

    def render(self, text: str, where: str) -> str:
        """`text` with its templates replaced; `where` names the key in errors ("options.token").

        Raises:
            Failure: kind "usage", naming the key, if a name is unknown or the template is not allowed.
        """
        return self._render(text, where, ()) if has_template(text) else text

    def _render(self, text: str, where: str, inside: tuple[str, ...]) -> str:
        """`inside` lists the variables being rendered: a variable may use others, but not itself."""
        import jinja2

        if len(text) > LONGEST:
            _refuse(where, f"the template is longer than {LONGEST:,} characters")
        if self._environment is None:
            self._environment = _environment()
        try:
            tree = self._environment.parse(text)
            used = _checked(tree, where)
            names = self._names(set(used), where, inside)
            _check_length(used, names, where)
            return _short(self._environment.from_string(tree).render(names))
        except jinja2.UndefinedError as error:
            _refuse(where, str(error.message))
        except jinja2.TemplateError as error:
            _refuse(where, f"not a valid template: {error.message or type(error).__name__}")
        except (RecursionError, MemoryError, SyntaxError):
            _refuse(where, "the template is nested too deeply")
        except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
            _refuse(where, f"the template failed: {error}")

    def _names(self, used: set[str], where: str, inside: tuple[str, ...]) -> dict[str, Any]:
        """A value for each name that the template uses."""
        functions: dict[str, Callable[..., object]] = {"uuid": _uuid, "now": _now, "counter": self._next}
        names: dict[str, Any] = {}
        for name in used:
            if name in functions:
                names[name] = functions[name]
            elif name == "env":
                names[name] = _Environ(self._env, self._secrets, where)
            else:
                names[name] = self._variable(name, where, inside)
        return names

    def _variable(self, name: str, where: str, inside: tuple[str, ...]) -> str:
        if name in self.values:
            return self.values[name]
        if name not in self.variables:
            known = [*self.variables, *self.values, *_FUNCTIONS, "env"]
            near = nearest(name, known)
            others = f"Known: {', '.join(known)}. Others are written under [variables]."
            hint = f"Did you mean {near!r}?" if near else others
            _refuse(where, f"unknown name {name!r}", hint)
        if name in inside:
            _refuse(where, f"the variables {' → '.join((*inside, name))} use each other in a circle")
        text = self.variables[name]
        return self._render(text, f"variables.{name}", (*inside, name)) if has_template(text) else text

    def _next(self) -> int:
        self._count += 1
        return self._count


class _Environ:
    """`env` in templates: values are read when asked for, and are secrets from then on."""

    def __init__(self, env: Mapping[str, str], secrets: Secrets, where: str) -> None:
        self._values = (env, secrets, where)

    def __getattr__(self, name: str) -> str:
        env, secrets, where = self._values
        if name not in env:
            near = nearest(name, env)
            hint = f"Did you mean {near!r}?" if near else f"Set it, or add {name}=… to .env beside the session file."
            _refuse(where, f"the environment variable {name!r} is not set", hint)
        secrets.add(env[name])
        return env[name]

    __getitem__ = __getattr__


def _environment() -> SandboxedEnvironment:
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=True)
    environment.filters = {name: environment.filters[name] for name in FILTERS} | {"base64": _base64, "json": _json}
    environment.globals.clear()
    environment.tests.clear()
    return environment


def _checked(tree: nodes.Template, where: str) -> list[str]:
    """Each use of a name in the template, once nothing in it is outside of our part of the language."""
    names: list[str] = []
    for count, node in enumerate(_walk(tree)):
        kind = type(node).__name__
        if kind not in _ALLOWED_NODES:
            _refuse(where, f"{kind.lower()} is not allowed in a template", "Only {{ expressions }} are.")
        if count > MOST_NODES:
            _refuse(where, f"the template has more than {MOST_NODES:,} parts")
        if kind == "Call":
            _check_call(node, where)
        if kind in {"Getattr", "Getitem"}:
            _check_access(node, where)
        if kind == "Name":
            names.append(node.name)  # type: ignore[attr-defined]
    return names


def _check_length(used: list[str], names: Mapping[str, Any], where: str) -> None:
    """A short template can name a long variable a thousand times."""
    if sum(len(names[name]) for name in used if isinstance(names[name], str)) > LONGEST:
        _refuse(where, f"the result would be longer than {LONGEST:,} characters")


def _walk(tree: nodes.Node) -> Iterator[nodes.Node]:
    """Every node, without recursion: a template nested ten thousand deep is refused elsewhere, not here."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(node.iter_child_nodes())


def _check_call(node: Any, where: str) -> None:
    name = getattr(node.node, "name", "")
    if name not in _FUNCTIONS:
        _refuse(where, "only these functions can be called: uuid(), now(), counter()")


def _check_access(node: Any, where: str) -> None:
    if getattr(node.node, "name", "") != "env":
        _refuse(where, "only env has members, as in {{ env.TOKEN }}")


def _refuse(where: str, cause: str, hint: str = "") -> NoReturn:
    raise Failure(Fault(kind="usage", side="us", title=f"Cannot fill in {where}", cause=cause, hint=hint))


def _uuid() -> str:
    from uuid import uuid4

    return str(uuid4())


def _now(layout: str = "") -> str:
    """ISO 8601 in UTC, or by a strftime layout; `now("unix")` and `now("ms")` are numbers."""
    import time
    from datetime import UTC, datetime

    if layout in {"unix", "ms"}:
        return str(time.time_ns() // (10**9 if layout == "unix" else 10**6))
    moment = datetime.now(UTC)
    return moment.strftime(layout) if layout else moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _base64(text: object) -> str:
    from base64 import b64encode

    return _short(b64encode(str(text).encode()).decode())


def _json(value: object) -> str:
    return _short(msgspec.json.encode(value).decode())


def _short(text: str) -> str:
    # Filters can be chained: each `json` doubles every backslash.
    if len(text) > LONGEST:
        raise ValueError(f"the result is longer than {LONGEST:,} characters")
    return text


def environment_for(session: Session, extra: Path | None = None) -> dict[str, str]:
    """What `env` offers: the process environment, over `extra` (--env-file), over the `.env` beside the session file.

    Raises:
        SettingsError: if one of the files is malformed.
    """
    beside = session.path.parent / ".env" if session.path else None
    values = read_env(beside) if beside and beside.is_file() else {}
    return values | (read_env(extra) if extra else {}) | dict(os.environ)


def resolve(session: Session, renderer: Renderer) -> Session:
    """`session` with every template that a connection needs rendered: URL, options, subscriptions.

    Saved messages and steps keep theirs: `resolve_message` renders at the moment of each send.

    Raises:
        Failure: kind "usage", naming the key.
    """
    return msgspec.structs.replace(
        session,
        name=renderer.render(session.name, "session.name"),
        url=_located(renderer.render(session.url, "session.url"), session),
        protocol=renderer.render(session.protocol, "session.protocol"),
        options=render_tree(session.options, renderer, "options"),
        subscriptions=tuple(
            msgspec.structs.replace(
                one,
                channel=renderer.render(one.channel, f"subscriptions[{index}].channel"),
                options=render_tree(one.options, renderer, f"subscriptions[{index}]"),
            )
            for index, one in enumerate(session.subscriptions)
        ),
        resolved=True,
    )


def _located(url: str, session: Session) -> str:
    """A capture to be played is meant from the folder of the session file, as files in options are."""
    if session.path is None or not _BESIDE.match(url):
        return url
    return f"replay:{quote(str(session.base.absolute()))}/{url.removeprefix('replay:')}"


def resolve_message(message: SavedMessage, renderer: Renderer) -> SavedMessage:
    """`message` as it is to be sent now.

    Raises:
        Failure: kind "usage", naming the message and its key.
    """
    where = f"the message {message.name!r}"
    return msgspec.structs.replace(
        message,
        channel=renderer.render(message.channel, f"channel of {where}"),
        payload=renderer.render(message.payload, f"payload of {where}"),
        file=renderer.render(message.file, f"file of {where}"),
        options=render_tree(message.options, renderer, f"options of {where}"),
    )


def render_tree(value: T, renderer: Renderer, where: str) -> T:
    """`value` with every string in it rendered; keys stay as they are."""
    rendered: Any = value
    if isinstance(value, str):
        rendered = renderer.render(value, where)
    elif isinstance(value, Mapping):
        rendered = {key: render_tree(item, renderer, f"{where}.{key}") for key, item in value.items()}
    elif isinstance(value, (list, tuple)):
        rendered = type(value)(render_tree(item, renderer, f"{where}[{index}]") for index, item in enumerate(value))
    return rendered  # type: ignore[no-any-return]
