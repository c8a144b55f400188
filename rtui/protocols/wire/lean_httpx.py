"""httpx without its command-line program, which would load rich and pygments wherever they are installed (45 ms).

Whoever needs httpx takes it from here: `from rtui.protocols.wire.lean_httpx import httpx`.
"""

from __future__ import annotations

import sys
from typing import Final

__all__ = ["httpx"]

PROGRAM: Final = "httpx._main"

if "httpx" not in sys.modules:
    # Where the program cannot be imported, httpx puts a sentence in its place (httpx/__init__.py).
    sys.modules[PROGRAM] = None  # type: ignore[assignment]
    try:
        import httpx
    finally:
        del sys.modules[PROGRAM]
else:
    import httpx
