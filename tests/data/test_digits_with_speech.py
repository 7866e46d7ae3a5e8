"""Laws of digits in three modalities: one meaning in each row, no leak between parts, dials that touch one modality."""

from functools import cache

import numpy as np
import pytest

from mmcourse import errors
from mmcourse.data import DigitsWithSpeech, digits_with_speech, digits_with_words, spoken_digits
from mmcourse.data.digit_words import CHARACTERS, DIGIT_WORDS, HOMOPHONES, character_counts
from mmcourse.data.digits import letter_counts
from mmcourse.data.digits_with_speech import _drawn

NOISY = {"typo_rate": 0.3, "pixel_noise": 0.2, "snr": 5.0}


@cache
def data(part="test", **dials):
    return digits_with_speech(part, **{"seed": 0, **dials})


def same(a, b, *modalities):
    return all(np.array_equal(a.features[name], b.features[name]) for name in modalities or a.features)


def test_the_three_modalities_of_a_row_mean_its_label():
    for written in ("english", "chinese"):
        for spoken in ("english", "chinese"):
            found = data(written=written, spoken=spoken)
            assert found.words == tuple(DIGIT_WORDS[written][label] for label in found.labels)
            assert found.recordings.words == tuple(DIGIT_WORDS[spoken][label] for label in found.labels)
            assert found.classes == DIGIT_WORDS[written]
    assert np.array_equal(data().labels, digits_with_words("test", typo_rate=0, seed=0).labels)


def test_images_and_english_words_are_those_of_digits_with_words():
    for part in ("train", "test"):
        seen = digits_with_words(part, typo_rate=0.3, pixel_noise=0.2, seed=0)
        found = data(part, **NOISY)
        assert same(seen, found, "image", "text")
        assert found.words == seen.words
        assert np.array_equal(found.images, seen.images)


@pytest.mark.parametrize("spoken", ["english", "chinese"])
def test_no_voice_no_recording_and_no_picture_is_in_both_parts(spoken):
    train, test = data("train", spoken=spoken), data("test", spoken=spoken)
    assert set(train.voices) == set(spoken_digits("train").voices)
    assert set(test.voices) == set(spoken_digits("test").voices)
    assert not set(train.voices) & set(test.voices)
    for name in ("image", "audio"):
        assert not {row.tobytes() for row in train.features[name]} & {row.tobytes() for row in test.features[name]}


def test_rows_of_audio_are_recordings_with_zeros_behind():
    found = data()
    known = {waveform.tobytes() for waveform in spoken_digits("test", language="english").waveforms}
    audio, heard = found.features["audio"], found.heard
    assert audio.shape == heard.shape == (597, data("train").widths["audio"])
    assert all(row[mask].tobytes() in known for row, mask in zip(audio, heard, strict=True))
    assert np.array_equal(heard.sum(axis=1), found.recordings.lengths)
    assert not audio[~heard].any()
    assert np.abs(audio).max() <= 1
    assert found.sample_rate == 8000


def test_every_recording_of_a_digit_is_drawn_with_the_same_chance():
    labels, available = np.repeat([3, 5], 4000), np.array([3, 5, 5, 3, 3, 1, 5])
    rows = _drawn(labels, available, np.random.default_rng(0))
    assert np.array_equal(available[rows], labels)
    counts = np.bincount(rows, minlength=7)
    assert counts[5] == 0
    assert np.abs(counts[[0, 1, 2, 3, 4, 6]] - 4000 / 3).max() < 4 * np.sqrt(4000 * 2 / 9)


def test_both_languages_draw_the_same_voices():
    assert data(spoken="english").voices == data(spoken="chinese").voices


def test_the_seed_decides_everything():
    assert same(digits_with_speech("test", seed=0, **NOISY), data(**NOISY))
    other = digits_with_speech("test", seed=1, **NOISY)
    for name in ("image", "text", "audio"):
        assert not same(other, data(**NOISY), name)


@pytest.mark.parametrize("written", ["english", "chinese"])
@pytest.mark.parametrize(
    ("dial", "value", "modality"), [("pixel_noise", 0.4, "image"), ("typo_rate", 0.6, "text"), ("snr", -5.0, "audio")]
)
def test_a_dial_touches_its_modality_alone(written, dial, value, modality):
    first, other = data(written=written, **NOISY), data(written=written, **{**NOISY, dial: value})
    assert not same(first, other, modality)
    assert same(first, other, *({"image", "text", "audio"} - {modality}))
    assert first.voices == other.voices


@pytest.mark.parametrize("snr", [-20.0, 0.0, 13.0, 60.0])
def test_the_noise_has_the_asked_ratio_in_every_recording_and_is_where_sound_is(snr):
    clean, noisy = data(), data(snr=snr)
    noise = noisy.features["audio"].astype(np.float64) - clean.features["audio"]
    assert not noise[~clean.heard].any()
    energies = [(rows.astype(np.float64) ** 2).sum(axis=1) for rows in (clean.features["audio"], noise)]
    assert np.allclose(10 * np.log10(energies[0] / energies[1]), snr, atol=0.01)


def test_the_noise_is_white_and_differs_from_row_to_row_and_between_parts():
    rows = []
    for part in ("train", "test"):
        clean, noisy = (data(part, snr=snr).features["audio"][:30, :1300].astype(np.float64) for snr in (None, 0.0))
        rows.extend(noisy - clean)
    scaled = np.array(rows) / np.std(rows, axis=1, keepdims=True)
    assert np.abs(np.corrcoef(scaled) - np.eye(60)).max() < 5 / np.sqrt(1300)
    assert np.abs((scaled[:, 1:] * scaled[:, :-1]).mean(axis=1)).max() < 5 / np.sqrt(1300)


def test_chinese_words_are_mistyped_within_their_syllable_at_the_asked_rate():
    found = data("train", written="chinese", typo_rate=0.3)
    right = DIGIT_WORDS["chinese"]
    assert all(
        word == right[y] or word in HOMOPHONES[right[y]] for word, y in zip(found.words, found.labels, strict=True)
    )
    wrong = np.mean([word != right[y] for word, y in zip(found.words, found.labels, strict=True)])
    assert abs(wrong - 0.3) < 4 * np.sqrt(0.3 * 0.7 / 1200)
    assert np.array_equal(found.features["text"], character_counts(found.words))
    assert found.widths["text"] == len(CHARACTERS)


def test_a_limit_takes_the_examples_that_digits_with_words_takes():
    found = data("train", limit=100, **NOISY)
    seen = digits_with_words("train", typo_rate=0.3, pixel_noise=0.2, seed=0, limit=100)
    assert same(seen, found, "image", "text")
    whole = {row.tobytes() for row in data("train", **NOISY).features["audio"]}
    assert {row.tobytes() for row in found.features["audio"]} <= whole


def test_take_keeps_everything_together():
    found = data(**NOISY)
    taken = found.take([7, 3])
    assert isinstance(taken, DigitsWithSpeech)
    assert taken.words == (found.words[7], found.words[3])
    assert taken.voices == (found.voices[7], found.voices[3])
    assert np.array_equal(taken.heard, found.heard[[7, 3]])
    assert set(found.only("image", "audio").features) == {"image", "audio"}


def test_other_recordings_can_be_given():
    chosen = spoken_digits("train", language="chinese")
    chosen = chosen.take(np.array(chosen.voices) == "f3")
    found = data("test", spoken="chinese", speech=chosen)
    assert set(found.voices) == {"f3"}
    assert found.widths["audio"] == chosen.lengths.max()
    assert data("test", spoken="chinese", speech=chosen, length=9000).widths["audio"] == 9000
    assert letter_counts(found.words).shape == (597, 26)


def test_recordings_that_do_not_fit_are_refused():
    english = spoken_digits("train", language="english")
    with pytest.raises(ValueError, match="speech: got english, wanted chinese alone"):
        data("test", spoken="chinese", speech=english)
    with pytest.raises(ValueError, match="speech: got chinese, english, wanted english alone"):
        data("test", speech=spoken_digits("train"))
    with pytest.raises(ValueError, match="speech: got no recording of the digit 4, wanted at least 1"):
        data("test", speech=english.take(english.labels != 4))
    with pytest.raises(errors.ShapeError, match=r"audio: got \d+ samples .* wanted at most 500"):
        data("test", length=500)


REFUSED = {
    "part": (("all", {}), 'part: got \'all\', wanted "train" or "test"'),
    "written": (("test", {"written": "german"}), 'written: got \'german\', wanted "english" or "chinese"'),
    "spoken": (("test", {"spoken": "german"}), "spoken: got 'german'"),
    "typo rate": (("test", {"typo_rate": 2}), "typo_rate: got 2"),
    "pixel noise": (("test", {"pixel_noise": -1}), "pixel_noise: got -1"),
    "ratio NaN": (("test", {"snr": np.nan}), "snr: got nan, wanted -100 to 100 decibels"),
    "ratio infinite": (("test", {"snr": np.inf}), "snr: got inf, wanted -100 to 100 decibels"),
    "limit of the test part": (("test", {"limit": 100}), "digits_with_speech: limit: got 100 for the test part"),
    "limit not a multiple": (("train", {"limit": 25}), "digits_with_speech: limit: got 25, wanted a multiple of 10"),
}


@pytest.mark.parametrize(("call", "message"), REFUSED.values(), ids=REFUSED)
def test_refuses(call, message):
    part, dials = call
    with pytest.raises(ValueError, match=message):
        digits_with_speech(part, **{"seed": 0, **dials})
