"""Loggers for libraries whose complaints are part of the show."""

from __future__ import annotations

import logging


def quiet_logger(name: str) -> logging.Logger:
    """A logger that says nothing: what misbehaves on purpose must not write to the terminal."""
    logger = logging.getLogger(f"rtui.demo.{name}")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
        # Higher than any level in use: a library would else format every packet for nobody.
        logger.setLevel(logging.CRITICAL + 1)
    logger.propagate = False
    return logger
