"""`python -m tests.benchmarks [--tiny] [--json FILE] [NAME ...]`: measures, prints one table, writes JSON."""

from __future__ import annotations

import argparse
import json
import platform
import sys
from pathlib import Path

import msgspec

from tests.benchmarks.measure import TINY, Figure, Scale, table
from tests.benchmarks.suite import BENCHMARKS


def main(arguments: list[str]) -> list[Figure]:
    """Run what `arguments` name, or all."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--tiny", action="store_true", help="only prove that they run")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path, metavar="FILE", default=None, help="default: none is written")
    options = parser.parse_args(arguments)
    if unknown := set(options.names) - set(BENCHMARKS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
    scale = TINY if options.tiny else Scale(rounds=options.rounds)
    figures: list[Figure] = []
    for name in options.names or BENCHMARKS:
        print(f"{name} …", file=sys.stderr, flush=True)
        figures += BENCHMARKS[name](scale)
    print(table(figures))
    if options.json:
        options.json.write_text(json.dumps(report(figures), indent=2, ensure_ascii=False), encoding="utf-8")
    return figures


def report(figures: list[Figure]) -> dict[str, object]:
    """The table as JSON, with the machine it was made on."""
    machine = {"python": platform.python_version(), "system": platform.platform()}
    rows = [
        {**msgspec.to_builtins(f), "median": f.value, "reference": f.reference, "ratio": f.ratio, "met": f.met}
        for f in figures
    ]
    return {"machine": machine, "figures": rows}


if __name__ == "__main__":
    main(sys.argv[1:])
