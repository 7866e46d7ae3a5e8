"""The laws of the exercises on fusion (notebooks/fusion/exercises.py), a module for each lesson, in their order."""

from importlib import import_module

for lesson in ("weighted_sum", "gates", "contrastive"):
    import_module(f"{__name__}.{lesson}")
