"""Pictures of the named characters of a font, all at one scale and on one baseline."""

import hashlib
import unicodedata
from functools import cache, lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont, features

from mmcourse.data.glyph_cache import Arrays, stored

FONTS = {"sans": "DejaVuSans", "bold": "DejaVuSans-Bold", "serif": "DejaVuSerif", "mono": "DejaVuSansMono"}

# Drawn 8 times as large and averaged over 8x8 blocks. At that size hinting moves an outline by an eighth of a pixel
# at most, so that the picture is that of the outline itself, whatever the version of FreeType makes of small sizes.
_FINE = 8


@lru_cache(maxsize=8)
def drawn(style: str, size: int, font_size: float) -> tuple[str, np.ndarray]:
    """The characters of a style in the order of their code points, and their pictures: (n, size, size) uint8, ink 255.

    Left out: characters without a name, without ink, and those that the font does not have.
    The middle of a character's advance stands in the middle of the picture (of a character without an advance, a
    combining mark: the middle of its ink), and the baseline where ascenders and descenders leave equal room. A
    character with ink outside is drawn smaller, about the point where middle and baseline meet, until it fits.
    From memory, else from disk, else drawn: the bytes are the same. The pictures are shared: copy before you write.
    """
    font_path = _font_path(style)
    key = {
        "font": hashlib.sha256(font_path.read_bytes()).hexdigest(),
        "size": size,
        "font_size": float(font_size),
        "code": hashlib.sha256(Path(__file__).read_bytes()).hexdigest(),
        "Unicode": unicodedata.unidata_version,
        "Pillow": features.version("pil"),
        "FreeType": features.version("freetype2"),
    }
    arrays = stored(f"glyphs-{style}", key, lambda: _draw(font_path, size, font_size))
    arrays["images"].flags.writeable = False
    return "".join(map(chr, arrays["code_points"])), arrays["images"]


def _font_path(style: str) -> Path:
    from matplotlib import get_data_path  # here and not above: importing mmcourse does not load Matplotlib

    return Path(get_data_path(), "fonts", "ttf", f"{FONTS[style]}.ttf")


def _draw(font_path: Path, size: int, font_size: float) -> Arrays:
    # Matplotlib's ft2font lists the characters, which Pillow cannot. Pillow draws: three times as fast, and its
    # interface has stayed the same over the versions that we allow, which that of ft2font has not.
    from matplotlib.ft2font import FT2Font

    codes = [code for code in sorted(FT2Font(str(font_path)).get_charmap()) if unicodedata.name(chr(code), "")]
    draw = _Easel(font_path, size, font_size).draw
    pictures = {code: picture for code in codes if (picture := draw(chr(code))) is not None}
    return {"code_points": np.array(list(pictures), dtype=np.uint32), "images": np.stack(list(pictures.values()))}


class _Easel:
    """Draws one character after another on the same canvas. Lengths in fine pixels, x to the right, y down."""

    def __init__(self, font_path: Path, size: int, font_size: float) -> None:
        self.side = _FINE * size
        self.em = round(_FINE * font_size)
        # Layout.BASIC: one glyph a character, without the substitutions of a shaping library that may be there or not.
        self.font = cache(lambda em: ImageFont.truetype(str(font_path), em, layout_engine=ImageFont.Layout.BASIC))
        ascent, descent = self.font(self.em).getmetrics()
        self.above = round((self.side + ascent - descent) / 2)  # from the top of the picture to the baseline
        # Room for the widest character on every side: the pen starts one picture from the left, two from the top.
        self.canvas = Image.new("L", (3 * self.side, 3 * self.side))
        self.pen = ImageDraw.Draw(self.canvas)

    def draw(self, character: str) -> np.ndarray | None:
        """(size, size) uint8, or None for a character without ink."""
        em = self.em
        while True:
            middle, ink = self._put(character, em)
            if ink is None:
                return None
            left, top = round(middle - self.side / 2), 2 * self.side - self.above
            window = (left, top, left + self.side, top + self.side)
            if ink[0] >= window[0] and ink[1] >= window[1] and ink[2] <= window[2] and ink[3] <= window[3]:
                return np.asarray(self.canvas.crop(window).reduce(_FINE))
            baseline, half = 2 * self.side, self.side / 2
            too_large = max(
                (middle - ink[0]) / half,
                (ink[2] - middle) / half,
                (baseline - ink[1]) / self.above,
                (ink[3] - baseline) / (self.side - self.above),
            )
            em = min(em - 1, int(em / too_large))  # rounding may leave a fine pixel outside: then once more

    def _put(self, character: str, em: int) -> tuple[float, tuple[int, int, int, int] | None]:
        """Draw on the empty canvas. Returns the x that goes to the middle of the picture, and the box of the ink."""
        self.canvas.paste(0, (0, 0, *self.canvas.size))
        font = self.font(em)
        self.pen.text((self.side, 2 * self.side), character, fill=255, font=font, anchor="ls")
        ink = self.canvas.getbbox()
        advance = font.getlength(character)
        if advance == 0 and ink is not None:
            return (ink[0] + ink[2]) / 2, ink
        return self.side + advance / 2, ink
