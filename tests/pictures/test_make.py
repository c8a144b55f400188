"""The README's pictures are what the program shows."""

from __future__ import annotations

import html
import re

import pytest

from tests.pictures.make import path_of
from tests.pictures.stage import picture
from tests.pictures.view import VIEWS

AGAIN = "If it should look so: python -m tests.pictures.make"


def rows(svg: str) -> list[str]:
    """The text of a picture, piece by piece."""
    return [html.unescape(text).replace("\xa0", " ") for text in re.findall(r"<text[^>]*>([^<]*)</text>", svg)]


def difference(kept: str, made: str) -> str:
    """Where two pictures first differ, in words."""
    pairs = zip(rows(kept), rows(made), strict=False)
    told = (f"{one!r} is {other!r} now." for one, other in pairs if one != other)
    return f"{next(told, 'The texts are the same, the looks are not.')} {AGAIN}"


@pytest.mark.parametrize("name", VIEWS)
def test_a_picture_is_what_the_program_shows(name: str) -> None:
    kept, made = path_of(name).read_text(encoding="utf-8"), picture(VIEWS[name])
    same = kept == made  # not in the assertion: pytest would compare a hundred kilobytes word by word
    assert same, difference(kept, made)


def test_a_difference_is_told() -> None:
    kept = path_of("small").read_text(encoding="utf-8")
    assert difference(kept, kept.replace(">compose<", ">write<", 1)) == f"'compose' is 'write' now. {AGAIN}"
