"""Ratios against peers as `make bench` stored them: `benchmarks/results.json`.

`{benchmark-conditions}` is the sentence on machine and versions, `{benchmark-ratios}` the table of ratios,
`{benchmark-rates}` that of what has no peer.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from coursebook.records import escaped, table

RESULTS = "benchmarks/results.json"


def digits(number: float) -> str:
    """Three digits, without an exponent: 0.0123, 1.23, 12300."""
    return f"{float(f'{number:.3g}'):,.10g}"


def megabytes(number: float | None) -> str:
    return "not told" if number is None else f"{number:.1f}"


def conditions(stored: dict[str, Any]) -> str:
    machine, versions = stored["machine"], stored["versions"]
    where = f"{machine['processor']}, {machine['cores']} cores, {machine['system']}, Python {machine['python']}"
    with_what = ", ".join(f"{name} {version}" for name, version in versions.items())
    rounds = stored["conditions"]["rounds"]
    several = [case for case in stored["ratios"] if case["threads"] > 1]
    threads = "".join(f" {case['name']}: {case['threads']}." for case in several)
    said = f"Measured on {where}, with {with_what}. Medians of {rounds} rounds, without a GPU."
    return escaped(f"{said} Threads: one where nothing else is said.{threads}")


def ratios(stored: dict[str, Any]) -> str:
    head = "What", "Against", "Ratio", "Range", "ms (peer)", "MB (peer)"
    rows = (
        (
            escaped(case["name"]),
            escaped(case["against"]),
            f"{case['ratio']:.2f}",
            f"{case['lowest']:.2f} to {case['highest']:.2f}",
            f"{digits(case['milliseconds'])} ({digits(case['peer_milliseconds'])})",
            f"{megabytes(case['megabytes'])} ({megabytes(case['peer_megabytes'])})",
        )
        for case in stored["ratios"]
    )
    return table(head, rows)


def rates(stored: dict[str, Any]) -> str:
    rows = (
        (
            escaped(rate["name"]),
            f"{digits(rate['per_second'])} {rate['unit']}",
            f"{rate['amount']:,} {rate['unit']}",
            f"{digits(rate['seconds'])} ({digits(rate['lowest'])}-{digits(rate['highest'])})",
        )
        for rate in stored["rates"]
    )
    return table(("What", "In a second", "Measured on", "Seconds (range)"), rows)


PARTS = {"benchmark-conditions": conditions, "benchmark-ratios": ratios, "benchmark-rates": rates}


class Benchmarks(SphinxDirective):
    """Renders the part of the stored results that its name says."""

    def run(self) -> list[nodes.Node]:
        path = Path(self.env.srcdir) / RESULTS
        self.env.note_dependency(str(path))
        return self.parse_text_to_nodes(PARTS[self.name](json.loads(path.read_text(encoding="utf-8"))))


def setup(app: Sphinx) -> None:
    for name in PARTS:
        app.add_directive(name, Benchmarks)
