"""Which views there are, and which suits a payload best."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from rtui.payloads.arguments import ArgumentsView
from rtui.payloads.base import NOTHING, Document, Unreadable, View
from rtui.payloads.base64 import Base64View
from rtui.payloads.cbor import CborView
from rtui.payloads.hex import HexView
from rtui.payloads.json import JsonView
from rtui.payloads.jwt import JwtView
from rtui.payloads.msgpack import MsgpackView
from rtui.payloads.protobuf import ProtobufView
from rtui.payloads.text import TextView
from rtui.payloads.xml import XmlView
from rtui.payloads.yaml import YamlView

_PLAIN: tuple[View, ...] = (
    ArgumentsView(), JwtView(), JsonView(), XmlView(), YamlView(), MsgpackView(), CborView(), TextView(), HexView(),
    ProtobufView(),
)  # fmt: skip
VIEWS: tuple[View, ...] = (*_PLAIN, Base64View(_PLAIN))
"""Every view; among equal claims the earlier wins."""


class Opening(msgspec.Struct, frozen=True):
    """A payload opened by a view, or by the raw one where that view could not read it."""

    view: View
    document: Document
    problem: str = ""
    """Why it is not the view that was asked for."""


def view(name: str) -> View:
    """The view called `name`.

    Raises:
        KeyError: if there is none.
    """
    for known in VIEWS:
        if known.name == name:
            return known
    raise KeyError(name)


def views_for(data: bytes, meta: Mapping[str, Any] | None = None, own: View | None = None) -> list[View]:
    """The views that can show `data`, best claim first; raw and hex are always among them.

    `own` is a view for this channel: it takes the place of the one with its name.
    """
    told = meta or {}
    claims = [(known.claim(data, told), known) for known in _with(own)]
    return [known for claim, known in sorted(claims, key=lambda pair: -pair[0]) if claim > 0]


def _with(own: View | None) -> tuple[View, ...]:
    return VIEWS if own is None else (own, *(known for known in VIEWS if known.name != own.name))


def open_best(data: bytes, meta: Mapping[str, Any] | None = None, asked: str = "", own: View | None = None) -> Opening:
    """The best view that can read `data`; before all the one called `asked`, then `own` (see `views_for`).

    If one of these two cannot, the opening says why.
    """
    told, problem = meta or NOTHING, ""
    if asked:
        wanted = own if own is not None and own.name == asked else view(asked)
        try:
            return Opening(wanted, wanted.open(data, told))
        except Unreadable as error:
            problem = str(error)
    for known in views_for(data, meta, own):
        try:
            return Opening(known, known.open(data, told), problem)
        except Unreadable as error:  # a claim is made from a glance; the next best looks for itself
            problem = problem or (str(error) if known is own else "")
    return _raw(data, problem)


def next_format(data: bytes, meta: Mapping[str, Any], after: str, own: View | None = None) -> str:
    """The name of the view that claims `data` next best after `after` ("": after the best); "" behind the last.

    Raw and hex are left out: they are no guess at a format.
    """
    names = [known.name for known in views_for(data, meta, own) if known.name not in {"raw", "hex"}]
    if not after and open_best(data, meta, own=own).view.name in names[:1]:
        names.pop(0)
    place = names.index(after) + 1 if after in names else 0
    return names[place] if place < len(names) else ""


def open_as(name: str, data: bytes) -> Opening:
    """`data` in the view called `name`, or raw with the reason."""
    asked = view(name)
    try:
        return Opening(asked, asked.open(data))
    except Unreadable as error:
        return _raw(data, str(error))


def _raw(data: bytes, problem: str) -> Opening:
    raw = view("raw")
    return Opening(raw, raw.open(data), problem)
