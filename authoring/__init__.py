"""What authors of the course need and its readers do not: conversion, execution, costs, experiments, the book's build.

Not installed with the package; run from the repository's root, `python -m authoring.notebooks` for one.
"""

import sys

# jsonschema, on which nbformat rests, compiles a grammar for web addresses when it finds this package: 2 to 5 s in
# every process. No notebook's schema asks for it.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
