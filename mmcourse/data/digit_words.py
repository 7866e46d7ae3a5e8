"""The words of the ten digits in two languages, and how a Chinese one is mistyped."""

from collections.abc import Iterable
from typing import Literal, get_args

import numpy as np

from mmcourse.data.digits import WORDS, letter_counts

Language = Literal["english", "chinese"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
DIGIT_WORDS: dict[Language, tuple[str, ...]] = {"english": WORDS, "chinese": tuple("零一二三四五六七八九")}

# What an input method offers for the same syllable, its tone left out: ling, yi, er, san, si, wu, liu, qi, ba, jiu.
HOMOPHONES = dict(
    zip(
        DIGIT_WORDS["chinese"],
        (
            "令灵铃龄",
            "以医已衣",
            "儿尔耳而",
            "伞叁散馓",
            "司寺思死",
            "午屋无武",
            "刘流溜留",
            "其期气起",
            "吧巴把爸",
            "久就旧酒",
        ),
        strict=True,
    )
)
CHARACTERS = "".join(digit + others for digit, others in HOMOPHONES.items())


def homophone_typos(character: str, rate: float, rng: np.random.Generator) -> str:
    """Type a Chinese digit carelessly: with probability `rate` another character of the same syllable is chosen.

    So people mistype Chinese: the syllable is typed in Latin letters, and the wrong one of the candidates is taken.
    Raises ValueError unless character is one of 零一二三四五六七八九 and 0 <= rate <= 1.
    """
    if not 0 <= rate <= 1:
        raise ValueError(f"homophone_typos: typo_rate: got {rate}, wanted a number from 0 to 1")
    if character not in HOMOPHONES:
        raise ValueError(f"homophone_typos: got {character!r}, wanted one of {''.join(HOMOPHONES)}")
    hit, choice = rng.random(2)  # both always drawn: a hit leaves the characters after it as they are
    others = HOMOPHONES[character]
    return others[int(choice * len(others))] if hit < rate else character


def character_counts(words: Iterable[str]) -> np.ndarray:
    """How often each of the 50 characters of CHARACTERS (the digits and their homophones) occurs: (n, 50) floats.

    Raises ValueError for an empty word and for another character.
    """
    words = tuple(words)
    for word in words:
        if not word or not set(word) <= set(CHARACTERS):
            raise ValueError(f"character_counts: got {word!r}, wanted a word of the characters {CHARACTERS}")
    counts = [[word.count(character) for character in CHARACTERS] for word in words]
    return np.array(counts, dtype=np.float64).reshape(-1, len(CHARACTERS))


def word_counts(words: Iterable[str], language: Language) -> np.ndarray:
    """letter_counts of English words, (n, 26), or character_counts of Chinese ones, (n, 50)."""
    return letter_counts(words) if language == "english" else character_counts(words)
