"""Ratios of speed and memory against peers, both sides measured in one run: `python -m benchmarks`.

Every file here with a function `cases` is a set of cases.
"""
