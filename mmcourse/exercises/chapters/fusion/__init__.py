"""The laws of the exercises on fusion (notebooks/fusion/exercises.py), a module for each lesson, in their order."""

from importlib import import_module

LESSONS = (
    "weighted_sum",
    "early_late_hybrid",
    "multiplicative",
    "gates",
    "attention",
    "decoders",
    "sequence_alignment",
    "contrastive",
    "missing_modalities",
)
for lesson in LESSONS:
    import_module(f"{__name__}.{lesson}")
