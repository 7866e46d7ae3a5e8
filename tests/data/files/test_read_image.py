"""Laws of read_image: what comes back is the picture, whatever its mode; nothing is lost without a word."""

import zlib

import numpy as np
import pytest
from PIL import Image

from mmcourse.data.files import FileError, image, read_image
from tests.data.files.damage import saved
from tests.data.files.reading import with_words

RNG = np.random.default_rng(0)
COLOUR = RNG.integers(0, 256, (7, 5, 3), dtype=np.uint8)
GREY = RNG.integers(0, 256, (7, 5), dtype=np.uint8)
ALPHA = RNG.integers(0, 256, (7, 5), dtype=np.uint8)


def read(tmp_path, picture, kind="PNG", *, mode="RGB", **options):
    path = tmp_path / f"picture.{kind.lower().replace('jpeg', 'jpg')}"
    path.write_bytes(saved(picture, kind, **options))
    return with_words(read_image, path, mode=mode)


@pytest.mark.parametrize(
    ("kind", "options"),
    [("PNG", {}), ("BMP", {}), ("WEBP", {"lossless": True}), ("GIF", {}), ("JPEG", {"quality": 100})],
)
def test_colours_come_back(tmp_path, kind, options):
    smooth = np.indices((8, 8)).sum(axis=0)[:, :, None] * np.array([8, 12, 16]) + 10
    picture = Image.fromarray(smooth.astype(np.uint8))
    values, words = read(tmp_path, picture, kind, **options)
    assert values.shape == (8, 8, 3)
    assert values.dtype == np.float32
    assert np.abs(values * 255 - smooth).max() < (8 if kind == "JPEG" else 0.01)
    assert words == []


def test_a_grey_picture_is_repeated_with_a_word_and_is_itself_in_grey(tmp_path):
    values, words = read(tmp_path, Image.fromarray(GREY))
    assert np.allclose(values, GREY[:, :, None] / 255)
    assert words == ["a grey picture was repeated over three channels"]
    values, words = read(tmp_path, Image.fromarray(GREY), mode="grey")
    assert np.allclose(values, GREY / 255)
    assert words == []


def test_grey_of_a_colour_picture_is_the_weighted_sum(tmp_path):
    values, words = read(tmp_path, Image.fromarray(COLOUR), mode="grey")
    assert np.allclose(values, COLOUR @ [0.299, 0.587, 0.114] / 255, atol=1e-6)
    assert values.dtype == np.float32
    assert words == []


def test_transparent_pixels_are_laid_on_white_with_a_word(tmp_path):
    share = ALPHA[:, :, None] / 255
    on_white = COLOUR / 255 * share + 1 - share
    for kind, options in (("PNG", {}), ("WEBP", {"lossless": True, "exact": True})):
        values, words = read(tmp_path, Image.fromarray(np.dstack([COLOUR, ALPHA])), kind, **options)
        assert np.allclose(values, on_white, atol=1e-6)
        assert words == ["transparent pixels were laid on white"]
    values, words = read(tmp_path, Image.fromarray(np.dstack([GREY, ALPHA])), mode="grey")
    assert np.allclose(values, GREY / 255 * share[:, :, 0] + 1 - share[:, :, 0], atol=1e-6)
    assert words == ["transparent pixels were laid on white"]


def test_an_opaque_alpha_channel_changes_nothing(tmp_path):
    values, words = read(tmp_path, Image.fromarray(np.dstack([COLOUR, np.full_like(GREY, 255)])))
    assert np.allclose(values, COLOUR / 255)
    assert words == []


@pytest.mark.parametrize("make", ["palette", "grey", "grey of 16 bits"])
def test_a_colour_that_stands_for_transparent_is_white(tmp_path, make):
    picture = {
        "palette": Image.fromarray(GREY // 64).convert("P"),
        "grey": Image.fromarray(GREY),
        "grey of 16 bits": Image.fromarray(GREY.astype(np.uint16) * 257),
    }[make]
    raw = np.asarray(picture)
    values, words = read(tmp_path, picture, mode="grey", transparency=int(raw[2, 3]))
    assert (values[raw == raw[2, 3]] == 1).all()
    opaque, _ = read(tmp_path, picture, mode="grey")
    assert np.array_equal(values[raw != raw[2, 3]], opaque[raw != raw[2, 3]])
    assert words[0] == "transparent pixels were laid on white"


def test_palettes_and_black_and_white_are_exact(tmp_path):
    picture = Image.fromarray(COLOUR).quantize(64)
    assert np.allclose(read(tmp_path, picture)[0], np.asarray(picture.convert("RGB")) / 255)
    assert np.array_equal(read(tmp_path, Image.fromarray(GREY > 128), mode="grey")[0], GREY > 128)


def test_grey_of_16_bits_keeps_them(tmp_path):
    deep = RNG.integers(0, 2**16, (7, 5)).astype(np.uint16)
    values, words = read(tmp_path, Image.fromarray(deep), mode="grey")
    assert np.allclose(values, deep / (2**16 - 1), atol=1e-7)
    assert words == []


def png_of_16_bits_a_channel():
    """A single RGB pixel, 16 bits a channel, which Pillow can read and not write."""

    def chunk(kind, data):
        return len(data).to_bytes(4) + kind + data + zlib.crc32(kind + data).to_bytes(4)

    header = (1).to_bytes(4) + (1).to_bytes(4) + bytes([16, 2, 0, 0, 0])
    pixel = zlib.compress(b"\0" + bytes([0x12, 0x34, 0x80, 0x00, 0xFF, 0xFF]))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixel) + chunk(b"IEND", b"")


def test_colour_of_16_bits_loses_half_of_them_with_a_word(tmp_path):
    (tmp_path / "deep.png").write_bytes(png_of_16_bits_a_channel())
    values, words = with_words(read_image, tmp_path / "deep.png")
    assert np.allclose(values[0, 0] * 255, [0x12, 0x80, 0xFF])
    assert words == ["16 bits a channel were reduced to 8"]


def test_cmyk_is_converted_with_a_word(tmp_path):
    flat = Image.new("CMYK", (8, 8), (255, 0, 0, 0))
    values, words = read(tmp_path, flat, "JPEG", quality=100)
    assert np.allclose(values, [0, 1, 1], atol=0.02)
    assert words == ["CMYK was converted to RGB without its colour profile"]


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "JPEG"])
def test_a_picture_is_turned_as_its_exif_orientation_says(tmp_path, kind):
    wide = np.zeros((16, 32, 3), dtype=np.uint8)
    wide[:, :8] = 255  # white at the left: on top after a quarter turn clockwise
    exif = Image.Exif()
    exif[0x0112] = 6
    values, words = read(tmp_path, Image.fromarray(wide), kind, exif=exif)
    assert values.shape == (32, 16, 3)
    assert values[:6].min() > 0.9
    assert values[10:].max() < 0.1
    assert words == []


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
def test_of_several_frames_the_first_is_read_with_a_word(tmp_path, kind):
    frames = [Image.new("RGB", (6, 6), colour) for colour in ((255, 0, 0), (0, 255, 0), (0, 0, 255))]
    values, words = read(tmp_path, frames[0], kind, save_all=True, append_images=frames[1:], duration=100)
    assert np.allclose(values, [1, 0, 0], atol=0.02)
    assert words == ["only the first of 3 frames was read"]


@pytest.mark.parametrize("kind", ["PNG", "GIF", "BMP", "WEBP"])
def test_a_byte_too_few_is_refused_and_bytes_behind_the_end_get_a_word(tmp_path, kind):
    content = saved(Image.fromarray(COLOUR), kind)
    path = tmp_path / f"picture.{kind.lower()}"
    path.write_bytes(content[:-1])
    with pytest.raises(FileError, match="image, cut off, wanted a whole file"):
        read_image(path)
    path.write_bytes(content)
    original = read_image(path)
    path.write_bytes(content + b"more")
    values, words = with_words(read_image, path)
    assert np.array_equal(values, original)
    assert words == ["4 bytes after the end of the file were not read"]


def test_a_jpeg_with_another_picture_inside_and_bytes_behind_is_whole(tmp_path):
    """As telephones make them: a small picture inside, a film behind the end."""
    thumbnail = saved(Image.fromarray(COLOUR), "JPEG")
    content = saved(Image.fromarray(COLOUR), "JPEG", comment=thumbnail)
    path = tmp_path / "telephone.jpg"
    path.write_bytes(content + b"film \xff\xda without an end mark")
    assert with_words(read_image, path)[1] == []
    path.write_bytes(content[:-2])
    with pytest.raises(FileError, match="a JPEG image, cut off, wanted a whole file"):
        read_image(path)


def test_a_picture_of_too_many_pixels_is_refused_before_it_is_decoded(tmp_path, monkeypatch):
    path = tmp_path / "bomb.png"
    path.write_bytes(saved(Image.new("L", (200, 100)), "PNG"))
    monkeypatch.setattr(image, "MOST_PIXELS", 19_999)
    with pytest.raises(FileError, match="got 200 x 100 pixels, wanted at most 19,999 in all"):
        read_image(path)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 5000)  # Pillow's own limit comes first
    with pytest.raises(FileError, match=r"cannot be decoded .*exceeds limit"):
        read_image(path)


def test_a_single_damaged_bit_of_a_png_is_found(tmp_path):
    content = saved(Image.fromarray(COLOUR), "PNG")
    for position in range(8, len(content) * 8, 7):
        values = bytearray(content)
        values[position // 8] ^= 1 << position % 8
        (tmp_path / "bit.png").write_bytes(bytes(values))
        with pytest.raises(FileError):
            read_image(tmp_path / "bit.png")


def test_refuses_an_unknown_mode(tmp_path):
    with pytest.raises(ValueError, match='mode: got \'L\', wanted "RGB" or "grey"'):
        read_image(tmp_path / "any.png", mode="L")
