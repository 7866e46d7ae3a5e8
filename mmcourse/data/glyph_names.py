"""What the Unicode name of a character says: its words, its letter, the marks on it."""

import re
from collections.abc import Iterable

# The position in the word that ends an Arabic name belongs to the letter, not to the last mark.
_WITH_MARKS = re.compile(
    r"(?P<base>.+?) WITH (?P<marks>.+?)(?P<form> (?:ISOLATED|INITIAL|MEDIAL|FINAL) FORM)?", re.ASCII
)


def words(name: str) -> tuple[str, ...]:
    """The words of a name, in order: split at spaces alone, so that " ".join(words(name)) is the name again.

    Raises ValueError for a name without words, or with other space than one blank between two words.
    """
    parts = tuple(name.split(" "))
    if not all(parts) or name.split() != list(parts):
        raise ValueError(f"words: name: got {name!r}, wanted words with one space between two of them")
    return parts


def vocabulary(names: Iterable[str]) -> tuple[str, ...]:
    """The distinct words of these names, sorted."""
    return tuple(sorted({word for name in names for word in words(name)}))


def letter_and_marks(name: str) -> tuple[str, tuple[str, ...]]:
    """Take a name apart: "BASE WITH MARK AND MARK" is (BASE, (MARK, MARK)); a name without " WITH " has no marks.

    LATIN SMALL LETTER W WITH DIAERESIS AND ACUTE -> ("LATIN SMALL LETTER W", ("DIAERESIS", "ACUTE"))
    ARABIC LETTER ALEF WITH MADDA ABOVE FINAL FORM -> ("ARABIC LETTER ALEF FINAL FORM", ("MADDA ABOVE",))
    The first WITH counts: a second one stays inside its mark. No word is lost but the WITH and the ANDs.
    """
    match = _WITH_MARKS.fullmatch(name)
    if match is None:
        return name, ()
    return match["base"] + (match["form"] or ""), tuple(match["marks"].split(" AND "))


def is_marked_letter(name: str) -> bool:
    """Whether a name is that of a letter with marks on it: LETTER among the words of its base, and a mark at least."""
    base, marks = letter_and_marks(name)
    return bool(marks) and "LETTER" in words(base)


def same_words(names: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    """Names that a bag of words cannot tell apart: distinct names of the same words, equally often, in other orders.

    Each tuple is one such family, sorted; names that stand alone are left out.
    LEFTWARDS ARROW WITH TIP UPWARDS, UPWARDS ARROW WITH TIP LEFTWARDS
    """
    families: dict[tuple[str, ...], set[str]] = {}
    for name in names:
        families.setdefault(tuple(sorted(words(name))), set()).add(name)
    return tuple(tuple(sorted(family)) for family in families.values() if len(family) > 1)
