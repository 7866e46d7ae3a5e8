"""The laws of the exercises on concepts (notebooks/concepts/exercises.py), a module for each lesson, in their order."""

from importlib import import_module

for lesson in ("image_encoders",):
    import_module(f"{__name__}.{lesson}")
