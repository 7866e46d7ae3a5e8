"""Whether an image file is whole, by what it says of itself. Decoders are lenient; a lesson's data should not be.

Each check takes the bytes, raises Damaged, and returns where the file ends by its own account.
"""

import zlib
from collections.abc import Callable

from mmcourse.data.files.source import Damaged

_TOO_SHORT = "cut off"


def png_end(content: bytes) -> int:
    """Every chunk is there, up to IEND, and has the CRC-32 that it states: so no damage goes unseen.

    A chunk: 4 bytes of length, 4 of type, the data, 4 of CRC over type and data.
    """
    at, kind = 8, b""
    while kind != b"IEND":
        if at + 12 > len(content):
            raise Damaged(_TOO_SHORT)
        length, kind = int.from_bytes(content[at : at + 4]), content[at + 4 : at + 8]
        if at + 12 + length > len(content):
            raise Damaged(_TOO_SHORT)
        checksum = int.from_bytes(content[at + 8 + length : at + 12 + length])
        if zlib.crc32(content[at + 4 : at + 8 + length]) != checksum:
            raise Damaged(f"whose chunk {kind.decode('latin-1')!r} has another checksum than it states")
        at += 12 + length
    return at


def gif_end(content: bytes) -> int:
    """Every block is there, up to the trailer. A GIF has no checksum."""
    return _walk_gif(content)[0]


def gif_frames(content: bytes) -> int:
    """How many frames a GIF has, counted without decoding one."""
    return _walk_gif(content)[1]


def jpeg_end(content: bytes) -> int:
    """Every segment is there, up to the mark of the end. Bytes behind it are common. A JPEG has no checksum.

    A segment: 0xFF, its kind, 2 bytes of length, the data. A scan follows its segment, up to the next 0xFF that is no
    0xFF00 (a byte 0xFF of the scan) and no restart mark (0xFFD0 to 0xFFD7).
    """
    at = 2
    while True:
        at = content.find(b"\xff", at)
        if at < 0 or at + 2 > len(content):
            raise Damaged(_TOO_SHORT)
        kind = content[at + 1]
        if kind == 0xD9:
            return len(content)
        if kind == 0xFF:  # padding before a mark
            at += 1
        elif kind in (0x00, 0x01) or 0xD0 <= kind <= 0xD8:
            at += 2
        else:
            at += 2 + int.from_bytes(content[at + 2 : at + 4])


def bmp_end(content: bytes) -> int:
    """As long as the header says. A BMP has no checksum."""
    length = int.from_bytes(content[2:6], "little")
    if length > len(content):
        raise Damaged(_TOO_SHORT)
    return length if length > 0 else len(content)  # some programs leave the field empty


def webp_end(content: bytes) -> int:
    """As long as the header of the RIFF container says. WebP has no checksum."""
    length = 8 + int.from_bytes(content[4:8], "little")
    if length > len(content):
        raise Damaged(_TOO_SHORT)
    return length


IMAGE_CHECKS: dict[str, Callable[[bytes], int]] = {
    "PNG": png_end,
    "JPEG": jpeg_end,
    "GIF": gif_end,
    "BMP": bmp_end,
    "WEBP": webp_end,
}


def _walk_gif(content: bytes) -> tuple[int, int]:
    """(where it ends, how many frames it has)."""
    if len(content) < 13:
        raise Damaged(_TOO_SHORT)
    at, frames = 13 + _colours(content[10]), 0
    while True:
        introducer = content[at : at + 1]
        if introducer == b";":
            return at + 1, frames
        if introducer == b"!":  # an extension: its label, then sub-blocks
            at += 2
        elif introducer == b",":  # a frame: place and size, a table of colours or none, the code size, sub-blocks
            if at + 10 > len(content):
                raise Damaged(_TOO_SHORT)
            at += 11 + _colours(content[at + 9])
            frames += 1
        else:
            raise Damaged(f"with 0x{introducer.hex()} where a block should begin" if introducer else _TOO_SHORT)
        length = 1
        while length:
            if at >= len(content):
                raise Damaged(_TOO_SHORT)
            length = content[at]
            at += 1 + length


def _colours(flags: int) -> int:
    """Bytes of the table of colours that these flags of a GIF announce."""
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0
