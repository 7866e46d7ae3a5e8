"""The book's own Sphinx extension: one idea a module, each with its `setup`."""

from __future__ import annotations

from sphinx.application import Sphinx

from coursebook import (
    anchors,
    benchmarks,
    bibliography,
    boxes,
    buttons,
    costs,
    dated,
    diagrams,
    exercises,
    figures,
    front_page,
    glossary,
    lessons,
    notebooks,
    offline,
    records,
    theme_mends,
    values,
)

MODULES = (
    anchors, benchmarks, bibliography, boxes, buttons, costs, dated, diagrams, exercises, figures, front_page,
    glossary, lessons, notebooks, offline, records, theme_mends, values,
)  # fmt: skip


def setup(app: Sphinx) -> dict[str, bool]:
    for module in MODULES:
        module.setup(app)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
