r"""`.env` files: the part of their many dialects that all agree on.

One `NAME=value` a line, `export ` before it allowed; `#` begins a comment at the start of a line or after a blank.
Values may stand in 'single quotes' (as they are) or "double quotes" (with \n \t \r \" \\ and \$). Nothing is
expanded and nothing is run. Not supported, and refused: values over several lines.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from rtui.settings.files import Problem, SettingsError, read_settings

_LINE: Final = re.compile(r"(?:export[ \t]+)?(?P<name>[A-Za-z_][A-Za-z0-9_.-]*)[ \t]*=[ \t]*(?P<value>.*)")
_QUOTED: Final = re.compile(r"""(?:'(?P<single>[^']*)'|"(?P<double>(?:\\.|[^"\\])*)")[ \t]*(?:#.*)?""")
_COMMENT: Final = re.compile(r"(?:^|[ \t]+)#.*")
_ESCAPE: Final = re.compile(r"\\(.)")
_ESCAPED: Final = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\", "$": "$"}


def read_env(path: Path) -> dict[str, str]:
    """The variables of a `.env` file; of a name given twice, the last.

    Raises:
        SettingsError: naming every malformed line (but never its value).
    """
    values: dict[str, str] = {}
    problems: list[Problem] = []
    for number, raw in enumerate(read_settings(path).split("\n"), start=1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        found = _LINE.fullmatch(line)
        if found is None:
            problems.append(Problem(str(path), number, "", "must be written NAME=value"))
            continue
        value = _value(found["value"])
        if value is None:
            problems.append(Problem(str(path), number, found["name"], "the quotes do not end on the line"))
        else:
            values[found["name"]] = value
    if problems:
        raise SettingsError(problems)
    return values


def _value(text: str) -> str | None:
    if text[:1] not in {"'", '"'}:
        return _COMMENT.sub("", text).strip()
    quoted = _QUOTED.fullmatch(text)
    if quoted is None:
        return None
    if quoted["single"] is not None:
        return quoted["single"]
    return _ESCAPE.sub(lambda found: _ESCAPED.get(found[1], found[0]), quoted["double"])
