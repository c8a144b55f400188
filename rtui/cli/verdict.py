"""The results of `rtui check` as lines, as NDJSON and as JUnit's XML. Secrets are masked here."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree as ET

import msgspec

from rtui.capture.export import ndjson_line, text_line
from rtui.capture.reader import LinkRow
from rtui.cli.status import Status
from rtui.core.clean import clean, clean_block
from rtui.core.fault import Fault
from rtui.core.record import Record
from rtui.runtime.check import Outcome, Result
from rtui.settings.files import write_atomic
from rtui.settings.secrets import MASK, Secrets, is_secret_header

STATUS: Final[Mapping[Outcome, Status]] = {
    "passed": Status.DONE,
    "failed": Status.FAILED,
    "invalid": Status.USAGE,
    "unreached": Status.UNREACHED,
    "lost": Status.LOST,
    "interrupted": Status.INTERRUPTED,
    "skipped": Status.DONE,
}
_NOT_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""XML 1.0, section 2.2: what no document may hold, not even escaped."""


class Verdict:
    """What the steps of one session came to."""

    def __init__(self, session: str, secrets: Secrets) -> None:
        self.session = secrets.mask(session)
        self.results: list[Result] = []
        self.link: LinkRow | None = None
        """Once there is a connection."""
        self._secrets = secrets

    @property
    def status(self) -> Status:
        """By the first step that is not passed."""
        return next((status for one in self.results if (status := STATUS[one.outcome])), Status.DONE)

    def masked(self, fault: Fault) -> Fault:
        """`fault` without secrets in its words."""
        mask = self._secrets.mask
        words = {"title": mask(fault.title), "cause": mask(fault.cause), "hint": mask(fault.hint)}
        return msgspec.structs.replace(fault, **words)

    def text(self, one: Result) -> bytes:
        """Lines for eyes: the step, then what matched or why nothing did."""
        one = self._masked(one)
        took = "" if one.outcome == "skipped" else f"  ({one.seconds * 1000:.1f} ms)"
        lines = [f"{one.outcome:<12}{self.session}  {_name(one)}{took}"]
        lines += [f"{name} = {value}" for name, value in one.captured.items()]
        lines += [f"matched  {self._row(one.matched)}"] if one.matched else []
        lines += self._reasons(one)
        shown = "\n            ".join(map(clean, lines))
        return f"{shown}\n".encode("utf-8", "backslashreplace")

    def json(self, one: Result) -> bytes:
        """One line of NDJSON; keys in this order, absent when empty."""
        one = self._masked(one)
        fault = one.fault
        fields = {
            "session": self.session,
            "step": one.number,
            "name": one.label,
            "verb": one.verb,
            "outcome": one.outcome,
            "seconds": round(one.seconds, 6),
            "matched": one.matched and self._raw(one.matched),
            "nearest": [self._raw(row) for row in one.nearest],
            "captured": one.captured,
            "fault": fault and {"kind": fault.kind, "title": fault.title, "cause": fault.cause, "hint": fault.hint},
        }
        return msgspec.json.encode({key: value for key, value in fields.items() if value not in (None, [], {})}) + b"\n"

    def suite(self) -> ET.Element:
        """JUnit's `testsuite`: a case for each step."""
        suite = ET.Element("testsuite", name=_xml(self.session))
        suite.extend(self._case(self._masked(one)) for one in self.results)
        counts = {kind: str(len(suite.findall(f"testcase/{kind}"))) for kind in ("failure", "error", "skipped")}
        suite.attrib |= {
            "tests": str(len(self.results)),
            "failures": counts["failure"],
            "errors": counts["error"],
            "skipped": counts["skipped"],
            "time": f"{sum(one.seconds for one in self.results):.6f}",
        }
        return suite

    def _case(self, one: Result) -> ET.Element:
        named = {"classname": _xml(self.session), "name": _xml(_name(one))}
        case = ET.Element("testcase", named, time=f"{one.seconds:.6f}")
        if one.outcome == "skipped":
            ET.SubElement(case, "skipped")
        elif one.fault is not None:
            kind = "failure" if one.outcome == "failed" else "error"
            message = _xml(one.fault.sentence())
            what = ET.SubElement(case, kind, type=one.outcome, message=message)
            what.text = _xml("\n".join(self._reasons(one)))
        return case

    def _masked(self, one: Result) -> Result:
        """`one` as it may be seen: its own words stay, whatever secret is the same word."""
        mask = self._secrets.mask
        return msgspec.structs.replace(
            one,
            label=mask(one.label),
            matched=one.matched and self._seen(one.matched),
            nearest=tuple(map(self._seen, one.nearest)),
            captured={name: MASK if is_secret_header(name) else mask(value) for name, value in one.captured.items()},
            fault=one.fault and self.masked(one.fault),
        )

    def _seen(self, row: Record) -> Record:
        secrets = self._secrets
        meta = row.meta and msgspec.json.encode(secrets.mask_meta(msgspec.json.decode(row.meta))).decode()
        return msgspec.structs.replace(
            row, channel=secrets.mask(row.channel), payload=secrets.mask_bytes(row.payload), meta=meta
        )

    def _reasons(self, one: Result) -> list[str]:
        fault = one.fault
        reasons = [] if fault is None else [fault.sentence(), fault.hint]
        return [line for line in reasons if line] + [f"nearest  {self._row(row)}" for row in one.nearest]

    def _row(self, row: Record) -> str:
        assert self.link is not None  # noqa: S101 - a row came over a connection
        return text_line(row, self.link).decode("utf-8", "backslashreplace").rstrip("\n")

    def _raw(self, row: Record) -> Any:
        assert self.link is not None  # noqa: S101 - as above
        return msgspec.Raw(ndjson_line(row, self.link).rstrip(b"\n"))


def write_junit(path: Path, verdicts: Sequence[Verdict]) -> None:
    """Put all results into the file at `path`.

    Raises:
        Failure: kind "storage", if it cannot be written.
    """
    root = ET.Element("testsuites", name="rtui check")
    root.extend(one.suite() for one in verdicts)
    ET.indent(root)
    write_atomic(path, ET.tostring(root, encoding="utf-8", xml_declaration=True), mode=0o644)


def _name(one: Result) -> str:
    return f"{one.number}. {one.label}"


def _xml(text: str) -> str:
    return _NOT_XML.sub("\ufffd", clean_block(text))
