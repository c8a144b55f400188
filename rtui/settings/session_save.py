"""Writing a session: new files whole, existing ones by changing only what changed.

An edit is a three-way merge. The session remembers what its file said (`stored`); what differs from it now is applied
to the file as it is today. So comments, order, spelling ("5s"), keys we do not know, and what another program wrote
meanwhile all stay. The merge is one function over mutable mappings: it runs on tomlkit's document and on plain
dictionaries, and if tomlkit's text does not read back as the plain result, the plain result is written instead.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, MutableMapping, MutableSequence
from contextlib import suppress
from copy import deepcopy
from pathlib import Path
from typing import Any, Final

import msgspec

from rtui.core.fault import Failure, Fault
from rtui.settings.files import SettingsError, load_toml, parse_toml, read_settings, storage_failure, write_atomic
from rtui.settings.session_model import Declares, Session, to_data
from rtui.settings.withhold import withhold

_MULTILINE: Final = re.compile(r'"""\n(?:[^"\\]|\\.)*"""', re.DOTALL)
_WIDTH: Final = 100
"""Characters of a line with a table on it."""
_HEAD: Final = re.compile(r"\[\[?\s*(\w+)")
_ORDER: Final = ("session", "options", "reconnect", "subscriptions", "messages", "variables", "view", "steps")
"""The tables of a file in the order of the documentation."""
_IDENTITY: Final = {"subscriptions": "channel", "messages": "name"}


class Saved(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a save."""

    session: Session
    """The session with its path, to go on with."""
    withheld: dict[str, str]
    """Environment variable → what it stands for ("options.token"): secrets that were not written to the file."""


def save_session(session: Session, path: Path, declares: Declares | None = None) -> Saved:
    """Write `session` to `path`: an edit if it was loaded from there, else a new file (the caller asks before).

    Secrets typed since it was loaded are replaced by `{{ env.NAME }}`; `declares` tells which options are secret.

    Raises:
        Failure: kind "storage" if it cannot be written, "bug" if its templates are rendered already.
        SettingsError: if the file to be edited is no longer readable.
    """
    if session.resolved:
        raise Failure(Fault(kind="bug", side="us", title="A resolved session may hold secrets and is never saved"))
    edit = session.stored is not None and session.path is not None and _same(session.path, path) and path.exists()
    stored = (session.stored or {}) if edit else {}
    fresh, withheld = withhold(to_data(session), stored, declares, path.stem)
    text = _edited(path, stored, fresh) if edit else toml_of(fresh)
    try:
        write_atomic(path, text.encode())
    except UnicodeEncodeError as error:
        raise storage_failure(path, error) from error
    written = msgspec.structs.replace(session, path=path, stored=fresh)
    return Saved(session=written, withheld=withheld)


def _same(one: Path, other: Path) -> bool:
    try:
        return one.resolve() == other.resolve()
    except (OSError, RuntimeError):
        return False


def toml_of(data: Mapping[str, Any]) -> str:
    """The text of a new session file."""
    import tomllib

    import tomli_w

    escaped = "\n".join(_written(key, value) for key, value in data.items())
    # Multi-line strings with bare quotes read well, but three quotes would end one, and a carriage return is lost.
    for text in (_MULTILINE.sub(lambda found: found[0].replace('\\"', '"'), escaped), escaped):
        with suppress(tomllib.TOMLDecodeError):
            if tomllib.loads(text) == data:
                return text
    return tomli_w.dumps(data)


def _written(key: str, value: Any) -> str:
    """One table as a person would write it: tomli-w puts a list of small ones into one line."""
    import tomli_w

    if not isinstance(value, list) or not all(isinstance(one, Mapping) for one in value):
        return tomli_w.dumps({key: value}, multiline_strings=True)
    return "\n".join(_item(key, one) for one in value)


def _item(key: str, table: Mapping[str, Any]) -> str:
    """One of the tables of a list, with what is small in it on one line."""
    import tomli_w

    small = {name: text for name, value in table.items() if (text := _on_one_line(name, value))}
    rest = {name: value for name, value in table.items() if name not in small}
    body = tomli_w.dumps({key: rest}, multiline_strings=True).removeprefix(f"[{key}]\n")
    plain, gap, inner = body.partition("\n[") if not body.startswith("[") else ("", "[", body[1:])
    return f"[[{key}]]\n{plain}{''.join(small.values())}{gap}{inner}"


def _on_one_line(name: str, value: Any) -> str:
    """`name = { key = value }`, or nothing if that would not be read easily."""
    import tomli_w

    if not isinstance(value, Mapping) or any(isinstance(inner, Mapping | list) for inner in value.values()):
        return ""
    pairs = ", ".join(tomli_w.dumps(value).splitlines())
    text = tomli_w.dumps({name: 0}).replace(" = 0", f" = {{ {pairs} }}")
    return text if len(text) <= _WIDTH else ""


def _edited(path: Path, stored: Mapping[str, Any], fresh: Mapping[str, Any]) -> str:
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    text = read_settings(path)
    plain = deepcopy(load_toml(path).data)
    merge(plain, stored, fresh)
    try:
        document = tomlkit.parse(text)
        merge(document, stored, {key: value for key, value in fresh.items() if key in document})
        edited = tomlkit.dumps(document)
        for key in (key for key in plain if key not in document):
            edited = _inserted(edited, key, plain[key])
        if parse_toml(edited, path).data == plain:
            return edited
    except (TOMLKitError, SettingsError, LookupError, TypeError, ValueError, AttributeError):
        pass  # tomlkit has trouble with some layouts: the content counts more than the comments
    return toml_of(plain)


def _inserted(text: str, key: str, value: Any) -> str:
    """`text` with a table that it does not have: before the first of those that come after it in the documentation."""
    later = _ORDER[_ORDER.index(key) + 1 :] if key in _ORDER else ()
    lines = text.splitlines(keepends=True)
    heads = (at for at, line in enumerate(lines) if (found := _HEAD.match(line)) and found[1] in later)
    at = next(heads, len(lines))
    while at and at < len(lines) and lines[at - 1].startswith("#"):
        at -= 1  # it is about the table below
    before, after = "".join(lines[:at]).rstrip(), "".join(lines[at:])
    return f"{before}\n\n{toml_of({key: value})}" + (f"\n{after}" if after else "")


def merge(
    target: MutableMapping[str, Any], stored: Mapping[str, Any], fresh: Mapping[str, Any], *, grouped: bool = False
) -> None:
    """Apply to `target` what leads from `stored` to `fresh`. `grouped`: options may stand in group tables there."""
    known = {*stored, *fresh} if grouped else set(target)
    for key in stored.keys() - fresh.keys():
        _remove(*_home(target, key, known), key, stored[key])
    for key, value in fresh.items():
        if key not in stored or stored[key] != value:
            _put(*_home(target, key, known), key, stored.get(key), value)


def _home(table: MutableMapping[str, Any], key: str, known: set[str]) -> tuple[MutableMapping[str, Any], str]:
    """Where an option stands: in the table itself or in a group table (`ca` in `tls`, `will_topic` in `will`).

    A table that is in `known` is an option of its own, such as `headers`, and no group.
    """
    if key not in table:
        for group, inner in table.items():
            if isinstance(inner, MutableMapping) and group not in known:
                for name in (key, key.removeprefix(f"{group}_")):
                    if name in inner:
                        return inner, name
    return table, key


def _remove(home: MutableMapping[str, Any], name: str, key: str, stored: Any) -> None:
    """Take away what we know of; what others wrote beside it stays, and keeps its table."""
    inside = home.get(name)
    if isinstance(inside, MutableMapping) and isinstance(stored, Mapping):
        merge(inside, stored, {}, grouped=key == "options")
    elif isinstance(inside, MutableSequence) and key in _IDENTITY:
        _merge_items(inside, stored, [], key)
    elif name in home:
        del home[name]
        return
    if name in home and not inside:
        del home[name]


def _put(home: MutableMapping[str, Any], name: str, key: str, stored: Any, value: Any) -> None:
    inside = home.get(name)
    if isinstance(inside, MutableMapping) and isinstance(value, Mapping):
        merge(inside, stored if isinstance(stored, Mapping) else {}, value, grouped=key == "options")
    elif isinstance(inside, MutableSequence) and key in _IDENTITY:
        _merge_items(inside, stored or [], value, key)
    else:
        home[name] = deepcopy(value)


def _merge_items(
    items: MutableSequence[Any], stored: list[dict[str, Any]], fresh: list[dict[str, Any]], key: str
) -> None:
    """Merge the array of tables at `key`, whose tables are told apart by one of their keys."""
    identity = _IDENTITY[key]
    before = {item[identity]: item for item in stored}
    after = {item[identity]: item for item in fresh}
    for index in reversed(range(len(items))):
        name = items[index].get(identity)
        if name in before and name not in after:
            del items[index]
    present = {item.get(identity): item for item in items}
    for name, item in after.items():
        if name in present:
            merge(present[name], before.get(name, {}), item, grouped=key == "subscriptions")
        else:
            items.append(_spelled(items, key, item))
    _reorder(items, list(after), identity)


def _spelled(items: MutableSequence[Any], key: str, item: dict[str, Any]) -> Any:
    """`item` as it is put into `items`: in tomlkit's document, with its text."""
    from tomlkit import parse
    from tomlkit.items import AoT, Table

    if not isinstance(items, AoT):
        return deepcopy(item)
    made = parse(f"{toml_of({key: [item]})}\n")[key]
    assert isinstance(made, AoT)  # noqa: S101 - written so
    table = made[0]
    assert isinstance(table, Table)  # noqa: S101
    return table


def _reorder(items: MutableSequence[Any], wanted: list[str], identity: str) -> None:
    """Put our tables into the order `wanted`; tables that we do not know go last."""
    present = [item.get(identity) for item in items]
    if [name for name in present if name in wanted] == wanted:
        return
    by_name = dict(zip(present, items, strict=True))
    ordered = [by_name[name] for name in wanted] + [by_name[name] for name in present if name not in wanted]
    for index in reversed(range(len(items))):
        del items[index]
    for item in ordered:
        items.append(item)
