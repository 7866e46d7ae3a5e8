"""Laws of digits said one after another: boundaries are right, chance is a seed's, no voice is in both parts."""

from functools import cache

import numpy as np
import pytest

from mmcourse import errors
from mmcourse.data import SpokenDigitSequences, spoken_digit_sequences, spoken_digits
from mmcourse.data.digit_words import DIGIT_WORDS


@cache
def data(part="test", **dials):
    return spoken_digit_sequences(part, **{"count": 30, "seed": 0, **dials})


@cache
def known(part, language="english"):
    """{recording: (digit, voice)}"""
    speech = spoken_digits(part, language=language)
    rows = zip(speech.waveforms, speech.labels.tolist(), speech.voices, strict=True)
    return {waveform.tobytes(): (label, voice) for waveform, label, voice in rows}


def rows(sequences):
    return zip(sequences.waveforms, sequences.digits, sequences.starts, sequences.ends, sequences.voices, strict=True)


@pytest.mark.parametrize("language", ["english", "chinese"])
@pytest.mark.parametrize("part", ["train", "test"])
def test_between_its_boundaries_stands_a_recording_of_the_digit_by_the_voice_and_elsewhere_nothing(part, language):
    found = data(part, language=language)
    for waveform, digits, starts, ends, voice in rows(found):
        silent = np.ones(len(waveform), dtype=bool)
        for digit, start, end in zip(digits.tolist(), starts, ends, strict=True):
            assert known(part, language)[waveform[start:end].tobytes()] == (digit, voice)
            silent[start:end] = False
        assert not waveform[silent].any()
    words = DIGIT_WORDS[language]
    assert found.transcripts == tuple(tuple(words[d] for d in digits) for digits in found.digits)


def test_pauses_and_counts_are_within_their_bounds_and_reach_them():
    found = data(count=200, digits=(1, 3), pause=(0.01, 0.02))
    assert {len(digits) for digits in found.digits} == {1, 2, 3}
    pauses = np.concatenate(
        [np.append(start, len(w)) - np.append(0, end) for w, _, start, end, _ in rows(found)]
    )  # before each digit, and after the last
    assert 80 <= pauses.min() < 85
    assert 155 < pauses.max() <= 160
    touching = data(pause=(0.0, 0.0))
    assert all(start[0] == 0 and end[-1] == len(w) for w, _, start, end, _ in rows(touching))
    assert all(np.array_equal(start[1:], end[:-1]) for _, _, start, end, _ in rows(touching))


def test_every_digit_is_said_as_often_and_one_may_follow_itself():
    digits = data(count=400).digits
    counts = np.bincount(np.concatenate(digits), minlength=10)
    assert np.abs(counts - counts.mean()).max() < 4 * np.sqrt(counts.mean())
    assert any((row[1:] == row[:-1]).any() for row in digits)


def test_no_voice_is_in_both_parts_and_all_are_heard():
    voices = {part: set(data(part, count=100).voices) for part in ("train", "test")}
    assert not voices["train"] & voices["test"]
    for part, heard in voices.items():
        assert heard == set(spoken_digits(part, language="english").voices)


def test_the_seed_decides_everything_and_a_row_does_not_depend_on_those_after_it():
    first, again, other = data(snr=20.0), spoken_digit_sequences("test", count=30, seed=0, snr=20.0), data(seed=1)
    assert all(map(np.array_equal, first.waveforms, again.waveforms))
    assert first.voices == again.voices
    assert [d.tolist() for d in first.digits] != [d.tolist() for d in other.digits]
    assert all(map(np.array_equal, data(count=7, snr=20.0).waveforms, first.waveforms))


def test_a_dial_touches_its_own_alone():
    plain, noisy, spread = data(), data(snr=10.0), data(pause=(0.3, 0.5))
    assert all(map(np.array_equal, plain.starts, noisy.starts))
    for changed in (noisy, spread):
        assert all(map(np.array_equal, plain.digits, changed.digits))
        assert plain.voices == changed.voices


@pytest.mark.parametrize("snr", [-10.0, 20.0])
def test_the_noise_is_everywhere_and_has_the_asked_ratio_to_the_speech(snr):
    for (clean, _, starts, ends, _), noisy in zip(rows(data()), data(snr=snr).waveforms, strict=True):
        noise = noisy.astype(np.float64) - clean
        speech = np.concatenate([clean[s:e] for s, e in zip(starts, ends, strict=True)]).astype(np.float64)
        assert abs(10 * np.log10((speech**2).mean() / (noise**2).mean()) - snr) < 0.3
        assert (noise != 0).mean() > 0.99
        assert noisy.dtype == np.float32


def test_padding_keeps_everything_and_says_where_it_ends():
    found = data()
    audio, present = found.padded()
    digits, said = found.padded_digits(8)
    assert audio.dtype == np.float32
    assert digits.shape == said.shape == (30, 8)
    for row in range(30):
        assert np.array_equal(audio[row, present[row]], found.waveforms[row])
        assert np.array_equal(digits[row, said[row]], found.digits[row])
        assert (digits[row, ~said[row]] == -1).all()
        assert not audio[row, ~present[row]].any()
    with pytest.raises(errors.ShapeError, match=r"audio: got \d+ in row \d+, wanted at most 100"):
        found.padded(100)
    with pytest.raises(errors.ShapeError, match=r"digits: got 5 in row \d+, wanted at most 3"):
        found.padded_digits(3)


def test_take_keeps_the_fields_together():
    found = data()
    taken = found.take([7, 3])
    assert isinstance(taken, SpokenDigitSequences)
    for field in ("waveforms", "digits", "starts", "ends"):
        assert all(map(np.array_equal, getattr(taken, field), [getattr(found, field)[i] for i in (7, 3)]))
    assert taken.voices == (found.voices[7], found.voices[3])
    with pytest.raises(errors.EmptyBatchError, match="no indices"):
        found.take([])


def test_other_recordings_can_be_given():
    speech = spoken_digits("train", language="english")
    one = speech.take(np.array(speech.voices) == "f3")
    assert set(data("test", speech=one).voices) == {"f3"}
    with pytest.raises(ValueError, match="speech: got chinese, wanted english alone"):
        data(speech=spoken_digits("train", language="chinese"))
    with pytest.raises(ValueError, match="speech: got no recording of the digit 4 by f3, wanted at least 1"):
        data(speech=one.take(one.labels != 4))


def test_the_representation_says_what_it_is():
    text = repr(data(language="chinese", count=3, digits=(2, 2), pause=(0.5, 0.5)))
    assert text.startswith("SpokenDigitSequences(3 recordings of 6 digits, ")
    assert "s at 8000 Hz; chinese; " in text


REFUSED = {
    "part": ({"part": "all"}, 'part: got \'all\', wanted "train" or "test"'),
    "count": ({"count": 0}, "count: got 0, wanted at least 1"),
    "language": ({"language": "german"}, 'language: got \'german\', wanted "english" or "chinese"'),
    "digits in the wrong order": ({"digits": (4, 2)}, r"digits: got \(4, 2\), wanted \(fewest, most\)"),
    "no digit": ({"digits": (0, 2)}, r"digits: got \(0, 2\)"),
    "pause before time": ({"pause": (-0.1, 0.2)}, r"pause: got \(-0.1, 0.2\), wanted \(shortest, longest\) seconds"),
    "endless pause": ({"pause": (0.0, np.inf)}, "pause: got"),
    "half a recording": ({"count": 1.5}, "count: got 1.5, wanted at least 1, a whole number"),
    "seed below zero": ({"seed": -1}, "seed: got -1, wanted at least 0"),
    "one number of digits": ({"digits": 3}, r"digits: got 3, wanted \(fewest, most\)"),
    "half a digit": ({"digits": (1.5, 2)}, r"digits: got \(1.5, 2\), wanted \(fewest, most\), whole numbers"),
    "one pause": ({"pause": 0.2}, r"pause: got 0.2, wanted \(shortest, longest\) seconds"),
    "ratio in words": ({"snr": "loud"}, "snr: got 'loud', wanted -100 to 100 decibels"),
    "ratio NaN": ({"snr": np.nan}, "snr: got nan, wanted -100 to 100 decibels, or None"),
}


@pytest.mark.parametrize(("change", "message"), REFUSED.values(), ids=REFUSED)
def test_refuses(change, message):
    with pytest.raises(ValueError, match=f"spoken_digit_sequences: {message}"):
        data(**change)
