"""Read a text."""

import codecs
import os
import unicodedata

from mmcourse.data.files.source import Source, opened

# The longer mark first: that of UTF-16 begins that of UTF-32.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# What is likely where bytes are no UTF-8, tried in this order.
_GUESSES = ("utf-16-le", "utf-16-be", "gb18030", "big5", "cp1252")
_READABLE_CONTROLS = "\t\n"


def read_text(path: str | os.PathLike[str], *, encoding: str = "utf-8") -> str:
    """A text in Unicode's composed form (NFC), its lines ended by "\\n".

    encoding: of the bytes. A mark at the beginning counts more: a UTF-8 mark is taken away, UTF-16 and UTF-32 are
    decoded with a word. Nothing else is guessed: where the bytes are not in the encoding, the error says what they
    might be and how to ask for it.
    A ConvertedFileWarning says what was done and what is odd: another encoding, characters composed (e and a combining
    acute to é), control characters, replacement characters (U+FFFD: an earlier conversion has lost what stood there),
    code points that are no characters.
    Raises FileError, which names the file, what came and what was wanted: for no readable text, an empty one, one of
    spaces alone, bytes in another encoding, NUL characters. A text has no checksum: a damaged letter that is still a
    letter cannot be seen. LookupError for an unknown `encoding`.
    """
    codecs.lookup(encoding)
    source = opened(path, "text", "read_text", ("TEXT", "HTML", ""), wanted="a text")
    text = _decoded(source, encoding).replace("\r\n", "\n").replace("\r", "\n")
    if "\0" in text:
        where = _line(text, text.index("\0"))
        raise source.refusal(f"a NUL character in line {where}", _wish(source.content, "a text without"))
    if not text.strip():
        raise source.refusal("nothing but white space", "a text")
    composed = unicodedata.normalize("NFC", text)
    if composed != text:
        source.notes.append("characters were composed (Unicode normal form C)")
    _note_odd_characters(source, composed)
    source.tell()
    return composed


def _decoded(source: Source, encoding: str) -> str:
    content = source.content
    marked = next((name for mark, name in _MARKS if content.startswith(mark)), None)
    if marked not in (None, "utf-8-sig"):
        source.notes.append(f"decoded from {marked.upper()}, as the mark at its beginning says")
    try:
        return content.decode(marked or encoding)
    except UnicodeError as error:
        raise source.refusal(_fault(content, error), _wish(content, marked or encoding)) from error


def _fault(content: bytes, error: UnicodeError) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"bytes that are no {error.encoding} (0x{content[error.start]:02x} at position {error.start:,})"
    return f"bytes that cannot be decoded ({error})"


def _wish(content: bytes, wanted: str) -> str:
    """What was wanted, and what the bytes might be: the encodings that give text, with its first characters."""
    found = [(guess, text) for guess in _GUESSES if (text := _plausible(content, guess))]
    hints = [f'read_text(path, encoding="{guess}") would read "{text}"' for guess, text in found[:3]]
    return "; ".join([wanted, *hints])


def _plausible(content: bytes, guess: str) -> str:
    """The first characters in that encoding if they are letters, digits, marks and signs of writing, else ""."""
    try:
        text = content.decode(guess)
    except UnicodeError:
        return ""
    likely = sum(character.isspace() or unicodedata.category(character)[0] in "LNP" for character in text)
    # A wrong guess gives rare characters of many scripts; a right one of UTF-16 is mostly ASCII or mostly Chinese.
    common = sum(
        character < "\u0250" or "\u3000" <= character <= "\u9fff" or character > "\uff00" for character in text
    )
    good = text and "\0" not in text and min(likely, common) > 0.95 * len(text)
    return " ".join(text.split())[:20] if good else ""


def _note_odd_characters(source: Source, text: str) -> None:
    kinds = {
        "replacement characters U+FFFD: an earlier conversion has lost what stood there": lambda c: c == "\ufffd",
        "control characters": lambda c: unicodedata.category(c) == "Cc" and c not in _READABLE_CONTROLS,
        "code points that are no characters": lambda c: unicodedata.category(c) in ("Cn", "Co"),
    }
    rare = {character for character in set(text) if not character.isprintable() or character == "\ufffd"}
    for name, belongs in kinds.items():
        found = {character for character in rare if belongs(character)}
        if found:
            first = min(text.index(character) for character in found)
            count = sum(map(text.count, found))
            source.notes.append(f"{name} ({count}; the first, U+{ord(text[first]):04X}, in line {_line(text, first)})")


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1
