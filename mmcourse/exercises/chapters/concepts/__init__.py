"""The laws of the exercises on concepts (notebooks/concepts/exercises.py), a module for each lesson, in their order."""

from importlib import import_module

for lesson in ("modalities", "preprocessing", "first_model", "sequence_encoders", "image_encoders", "representation"):
    import_module(f"{__name__}.{lesson}")
