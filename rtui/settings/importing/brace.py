"""Braces of others and ours: what is text stays text, what is a variable there becomes one here.

A text of another tool may hold `{{`: written into a session it would be a template. And a variable of a shell or of
another tool has to become one. Both pass through here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

VARIABLE: Final = "\ufdd0"
END: Final = "\ufdd1"
"""Around the name of a variable of the shell, where `shell` found one: noncharacters, which no text has."""
SUBSTITUTED: Final = "\ufdd2"
"""Where the output of a command would stand."""
REDIRECTED: Final = "\ufdd3"
"""Before the sign of a redirection."""
_MARKS: Final = re.compile(f"[{VARIABLE}{END}{SUBSTITUTED}{REDIRECTED}]")
_OPENING: Final = re.compile(rf"\{{(?=[{{%#{VARIABLE}])")
"""A brace before another, or before what becomes one."""
_MARKED: Final = re.compile(f"{VARIABLE}([^{END}]*){END}")
_TAG: Final = re.compile(r"\{\{(.{0,500}?)\}\}|\{%(.{0,500}?)%\}", re.DOTALL)
"""Longer ones are text: a long text of opening braces would take time in its square."""
_ESCAPED: Final = "{{ '{' }}"


def unmarked(text: str) -> str:
    """`text` without the signs that this module gives a meaning."""
    return _MARKS.sub("\ufffd", text)


def literal(text: str) -> str:
    """`text` so that a template renders as it."""
    return _OPENING.sub(_ESCAPED, text)


def filled(text: str) -> str:
    """A word of a shell as a text of a session: its variables are read from the environment."""
    return _MARKED.sub(r"{{ env.\1 }}", literal(text))


def marked_as_variables(text: str) -> str:
    """A word of a shell whose templates are ours already: only its variables are filled in."""
    return _MARKED.sub(r"{{ env.\1 }}", text)


def is_substituted(text: str) -> bool:
    """Whether the output of a command would stand in the word."""
    return SUBSTITUTED in text


def translated(text: str, expression: Callable[[str], str]) -> str:
    """`text` of a tool with templates of its own: `expression` says what stands for the inside of each of its tags.

    The inside of `{% … %}` comes with a `%` before it. An empty answer keeps the tag as a text.
    """
    parts: list[str] = []
    end = 0
    for found in _TAG.finditer(text):
        ours = expression(f"%{found[2].strip()}" if found[1] is None else found[1].strip())
        before = literal(text[end : found.start()])
        if ours and before.endswith("{"):
            before = before[:-1] + _ESCAPED
        parts += [before, f"{{{{ {ours} }}}}" if ours else literal(found[0])]
        end = found.end()
    return "".join(parts) + literal(text[end:])


def identifier(name: str) -> str:
    """A name that our variables may have: letters, digits and `_`."""
    word = re.sub(r"\W+", "_", name).strip("_")
    word = f"v_{word}" if not word or word[0].isdigit() else word
    return f"{word}_" if word in {"env", "uuid", "now", "counter"} else word
