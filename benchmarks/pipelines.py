"""What a reader waits for before a lesson begins: the pictures of characters, and the pages of the book."""

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from authoring.book import ROOT, render
from benchmarks.runner import Rate
from mmcourse.data import glyph_drawing, glyphs

STYLES = ("sans", "bold", "serif", "mono")


def glyphs_from(folder: str, *, drawn_before: bool) -> Callable[[], object]:
    """Ask for all pictures with an empty memory, and with a cache folder that is empty or has them."""

    def call() -> object:
        glyph_drawing.drawn.cache_clear()
        with tempfile.TemporaryDirectory() as empty:
            before = os.environ.get("MMCOURSE_CACHE")
            os.environ["MMCOURSE_CACHE"] = folder if drawn_before else empty
            try:
                return glyphs(STYLES)
            finally:
                os.environ.pop("MMCOURSE_CACHE")
                if before is not None:
                    os.environ["MMCOURSE_CACHE"] = before

    return call


def cases() -> Iterator[Rate]:
    everything = glyphs(STYLES)
    with tempfile.TemporaryDirectory() as folder:
        from_disk = glyphs_from(folder, drawn_before=True)
        from_disk()  # draws them and keeps them
        pictures = len(everything)
        yield Rate("glyphs, drawn", "pictures", pictures, glyphs_from(folder, drawn_before=False))
        yield Rate("glyphs, from the cache folder", "pictures", pictures, from_disk)
    rng = np.random.default_rng(0)
    yield Rate("glyphs, moved and scaled at random", "pictures", pictures, lambda: everything.jittered(rng))
    with tempfile.TemporaryDirectory() as folder:
        book = Path(folder, "book")
        pages = len(list(render(ROOT, book).rglob("*.html")))
        yield Rate("the book, from its stored outputs", "pages", pages, lambda: render(ROOT, book), wall_time=True)
