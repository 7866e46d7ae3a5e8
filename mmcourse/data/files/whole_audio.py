"""Whether a recording is whole, by what it says of itself. The library that decodes returns what there is, in silence.

Each check takes the bytes, raises Damaged, and returns where the file ends by its own account.
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass

from mmcourse.data.files.source import Damaged

_PLAIN = {1: "integers", 3: "floats", 0xFFFE: "either"}  # format tags of WAV whose fields are tied to each other
# Bit b of a byte moved to place 7 - b: an Ogg checksum is that of zlib with all bits in the other order.
_MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def wav_end(content: bytes) -> int:
    """As long as the header of the RIFF container says, with as many samples as the header of the data says.

    A WAV has no checksum, but its format states some things twice: bytes a second = rate * bytes a frame, and bytes a
    frame = channels * bits / 8. A header that contradicts itself is damaged.
    """
    end = 8 + int.from_bytes(content[4:8], "little")
    at, has_format = 12, False
    while True:
        kind, length = content[at : at + 4], int.from_bytes(content[at + 4 : at + 8], "little")
        if at + 8 > len(content):
            raise Damaged("cut off before its samples")
        if kind == b"data":
            break
        if kind == b"fmt ":
            has_format = True
            _check_wav_format(content[at + 8 : at + 8 + length])
        at += 8 + length + length % 2
    if not has_format:
        raise Damaged("without a description of its samples")
    if at + 8 + length > len(content):
        raise Damaged(f"whose header promises {length:,} bytes of samples where {len(content) - at - 8:,} are")
    if end > len(content):
        raise Damaged("cut off behind its samples")
    return max(end, at + 8 + length)


def _check_wav_format(fields: bytes) -> None:
    if len(fields) < 16:
        raise Damaged("with half a description of its samples")
    tag, channels = (int.from_bytes(fields[i : i + 2], "little") for i in (0, 2))
    rate, bytes_a_second = (int.from_bytes(fields[i : i + 4], "little") for i in (4, 8))
    bytes_a_frame, bits = (int.from_bytes(fields[i : i + 2], "little") for i in (12, 14))
    if tag in _PLAIN and (bytes_a_frame * 8 != channels * bits or bytes_a_second != rate * bytes_a_frame):
        raise Damaged(
            f"whose header contradicts itself: {rate} Hz, {channels} channels, {bits} bits, {bytes_a_frame} bytes a "
            f"frame, {bytes_a_second} bytes a second"
        )


@dataclass(frozen=True)
class FlacHeader:
    """What the first block of a FLAC file says. md5: of all samples, interleaved, least byte first; zeros: none."""

    rate: int
    channels: int
    bits: int
    samples: int
    md5: bytes


def flac_header(content: bytes) -> FlacHeader:
    """The stream's description, 34 bytes. Raises Damaged where it is cut off."""
    if len(content) < 42:
        raise Damaged("cut off")
    packed = int.from_bytes(content[18:26])  # 20 bits rate, 3 channels - 1, 5 bits - 1, 36 samples
    return FlacHeader(
        rate=packed >> 44,
        channels=(packed >> 41 & 7) + 1,
        bits=(packed >> 36 & 31) + 1,
        samples=packed & (2**36 - 1),
        md5=content[26:42],
    )


def flac_end(content: bytes) -> int:
    """The sampling rate is that of the first frame, too. (The samples are held to their checksum when decoded.)

    The checksum does not cover the rate, and a decoder believes the header; but every frame repeats it.
    """
    header = flac_header(content)
    at, is_last = 4, False
    while not is_last:
        if at + 4 > len(content):
            raise Damaged("cut off")
        is_last = bool(content[at] & 0x80)
        at += 4 + int.from_bytes(content[at + 1 : at + 4])
    frame = content[at : at + 16]
    if len(frame) < 16 or frame[0] != 0xFF or frame[1] & 0xFC != 0xF8:
        raise Damaged("without a frame of samples where the first should be")
    rate = _frame_rate(frame)
    if rate not in (None, header.rate):
        raise Damaged(f"whose header says {header.rate} Hz and whose first frame {rate} Hz")
    return len(content)


def _frame_rate(frame: bytes) -> int | None:
    """The sampling rate in the header of a FLAC frame, or None where it leaves it to the file's header."""
    code = frame[2] & 15
    known = {
        1: 88200,
        2: 176400,
        3: 192000,
        4: 8000,
        5: 16000,
        6: 22050,
        7: 24000,
        8: 32000,
        9: 44100,
        10: 48000,
        11: 96000,
    }
    if code in known or code in (0, 15):
        return known.get(code)
    # Behind the 4 bytes: the number of the frame, as long as its first byte says (as in UTF-8), then perhaps the size
    # of the block in 1 or 2 bytes, then the rate.
    lead = 8 - (frame[4] ^ 0xFF).bit_length()  # how many ones the byte begins with
    at = 4 + max(lead, 1) + {6: 1, 7: 2}.get(frame[2] >> 4, 0)
    if code == 12:
        return frame[at] * 1000
    return int.from_bytes(frame[at : at + 2]) * (1 if code == 13 else 10)


def ogg_end(content: bytes) -> int:
    """One stream, page after page, each with the checksum that it states, up to the page marked as the last."""
    at, number, serial, is_last = 0, 0, b"", False
    while not is_last:
        head = content[at : at + 27]
        segments = content[at + 27 : at + 27 + head[26]] if len(head) == 27 else b""
        if len(head) < 27 or len(segments) < head[26]:
            raise Damaged("cut off")
        page = content[at : at + 27 + len(segments) + sum(segments)]
        if head[:4] != b"OggS" or len(page) < 27 + len(segments) + sum(segments):
            raise Damaged("cut off" if head[:4] == b"OggS" else f"without a page at byte {at:,}")
        if _ogg_checksum(page[:22] + bytes(4) + page[26:]) != int.from_bytes(page[22:26], "little"):
            raise Damaged(f"whose page {number} has another checksum than it states")
        if int.from_bytes(page[18:22], "little") != number:
            raise Damaged(f"in which page {number} is missing")
        serial = serial or page[14:18]
        if page[14:18] != serial:
            raise Damaged("of several streams")
        is_last = bool(page[5] & 4)
        at, number = at + len(page), number + 1
    return at


def _ogg_checksum(page: bytes) -> int:
    """CRC-32 with the polynomial 0x04C11DB7, highest bit first, from 0."""
    mirrored = zlib.crc32(page.translate(_MIRRORED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{mirrored:032b}"[::-1], 2)


def mp3_end(content: bytes) -> int:
    """As long as its first frame says, where that frame holds the encoder's notes ("Xing" or "Info"). No checksum."""
    start = 0
    if content.startswith(b"ID3"):
        if len(content) < 10:
            raise Damaged("cut off")
        a, b, c, d = content[6:10]
        start = 10 + (a << 21 | b << 14 | c << 7 | d)
    for mark in (b"Xing", b"Info"):
        at = content.find(mark, start, start + 200)
        flags = int.from_bytes(content[at + 4 : at + 8])
        if at > 0 and flags & 3 == 3:  # it states how many frames, and how many bytes
            stated = int.from_bytes(content[at + 12 : at + 16])
            if start + stated > len(content):
                raise Damaged(f"whose header promises {stated:,} bytes where {len(content) - start:,} are")
    return len(content)


AUDIO_CHECKS: dict[str, Callable[[bytes], int]] = {
    "WAV": wav_end,
    "FLAC": flac_end,
    "OGG": ogg_end,
    "MP3": mp3_end,
}
