"""What a file is, by its first bytes."""

from collections.abc import Collection

DESCRIPTIONS = {
    "PNG": "a PNG image",
    "JPEG": "a JPEG image",
    "GIF": "a GIF image",
    "BMP": "a BMP image",
    "WEBP": "a WebP image",
    "TIFF": "a TIFF image",
    "WAV": "a WAV recording",
    "FLAC": "a FLAC recording",
    "OGG": "an Ogg recording",
    "MP3": "an MP3 recording",
    "AIFF": "an AIFF recording",
    "AVI": "an AVI video",
    "MP4": "an MP4 or MOV file",
    "MKV": "a Matroska or WebM video",
    "NPY": "a NumPy array (.npy)",
    "PDF": "a PDF document",
    "ZIP": "a ZIP archive (.npz, .docx and others are such archives)",
    "GZIP": "a gzip archive",
    "HTML": "an HTML page",
    "TEXT": "a text",
}
SUFFIXES = {
    ".png": "PNG",
    ".apng": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".gif": "GIF",
    ".bmp": "BMP",
    ".webp": "WEBP",
    ".wav": "WAV",
    ".flac": "FLAC",
    ".ogg": "OGG",
    ".oga": "OGG",
    ".opus": "OGG",
    ".mp3": "MP3",
    ".npy": "NPY",
}
_BEGINNINGS = (
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"fLaC", "FLAC"),
    (b"OggS", "OGG"),
    (b"ID3", "MP3"),
    (b"\x1aE\xdf\xa3", "MKV"),
    (b"\x93NUMPY", "NPY"),
    (b"%PDF-", "PDF"),
    (b"PK\x03\x04", "ZIP"),
    (b"\x1f\x8b", "GZIP"),
)
_CONTAINERS = {
    (b"RIFF", b"WEBP"): "WEBP",
    (b"RIFF", b"WAVE"): "WAV",
    (b"RIFF", b"AVI "): "AVI",
    (b"FORM", b"AIFF"): "AIFF",
    (b"FORM", b"AIFC"): "AIFF",
}
_BMP_HEADERS = (12, 40, 52, 56, 64, 108, 124)  # the lengths there are: "BM" alone begins many a text


def kind_of(content: bytes) -> str:
    """A key of DESCRIPTIONS, or "" where the bytes tell nothing."""
    for beginning, kind in _BEGINNINGS:
        if content.startswith(beginning):
            return kind
    if kind := _CONTAINERS.get((content[:4], content[8:12]), ""):
        return kind
    if content[4:8] == b"ftyp":
        return "MP4"
    if content.startswith(b"BM") and int.from_bytes(content[14:18], "little") in _BMP_HEADERS:
        return "BMP"
    if _is_mp3_frame(content[:4]):
        return "MP3"
    if content[:1000].lstrip().lower().startswith((b"<!doctype html", b"<html")):
        return "HTML"
    return "TEXT" if _is_text(content) else ""


def suffix_kind(suffix: str) -> str | None:
    """The kind that a file's name promises, or None where we know of none."""
    return SUFFIXES.get(suffix.lower())


def one_of(kinds: Collection[str]) -> str:
    """The kinds as a wish: "a PNG image, a GIF image or a WebP image"."""
    *others, last = (DESCRIPTIONS[kind] for kind in kinds)
    return f"{', '.join(others)} or {last}" if others else last


def _is_mp3_frame(head: bytes) -> bool:
    """Whether 4 bytes are the header of a frame: eleven ones, a version, layer III, a bit rate, a sampling rate."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return False
    version, layer, bit_rate, rate = head[1] >> 3 & 3, head[1] >> 1 & 3, head[2] >> 4, head[2] >> 2 & 3
    return version != 1 and layer == 1 and bit_rate not in (0, 15) and rate != 3


def _is_text(content: bytes) -> bool:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):  # the mark at the beginning of UTF-16 and UTF-32
        return True
    try:
        return "\0" not in content.decode("utf-8")
    except UnicodeDecodeError:
        return False
