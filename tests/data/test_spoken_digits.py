"""The spoken digits: the audio is what its manifest says and what its script makes; no voice is in both parts."""

import hashlib
import io
import json
import platform
import subprocess
import sys
from collections import Counter, defaultdict
from functools import cache
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import soundfile

from authoring import spoken_digits as script
from mmcourse import errors
from mmcourse.data import DIGIT_WORDS, SpokenDigits, spoken_digits
from mmcourse.data.spoken_digits import longest_spoken_digit

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "mmcourse" / "data"


@cache
def manifest():
    return json.loads((FOLDER / "spoken_digits.json").read_text(encoding="utf-8"))


@cache
def samples():
    return soundfile.read(io.BytesIO((FOLDER / "spoken_digits.flac").read_bytes()), dtype="int16")


def rows():
    return [dict(zip(manifest()["columns"], row, strict=True)) for row in manifest()["recordings"]]


def test_the_audio_has_the_checksums_of_its_manifest():
    content = (FOLDER / manifest()["file"]).read_bytes()
    assert hashlib.sha256(content).hexdigest() == manifest()["sha256"]
    found, rate = samples()
    assert hashlib.sha256(found.astype("<i2").tobytes()).hexdigest() == manifest()["samples_sha256"]
    assert rate == manifest()["sample_rate"] == 8000


def test_audio_and_manifest_are_small():
    assert sum((FOLDER / name).stat().st_size for name in ("spoken_digits.flac", "spoken_digits.json")) < 2_000_000


def test_the_manifest_names_licence_and_origin():
    assert "CC BY 4.0" in manifest()["licence"]
    assert "GNU General Public License" in manifest()["origin"]
    assert "espeak-ng 1.52" in manifest()["made_with"]


def test_the_recordings_of_the_manifest_are_the_whole_audio_one_after_another():
    found = rows()
    assert [row["start"] for row in found] == [0, *(row["stop"] for row in found[:-1])]
    assert found[-1]["stop"] == len(samples()[0])
    assert [tuple(row)[:-2] for row in manifest()["recordings"]] == [tuple(row) for row in script.recordings()]


def test_every_recording_is_loud_distinct_and_of_ten_bits():
    cut = [samples()[0][row["start"] : row["stop"]] for row in rows()]
    assert len({waveform.tobytes() for waveform in cut}) == len(cut) == 780
    top = 2 ** (script.BITS - 1)
    for waveform in cut:
        levels, rest = np.divmod(waveform, 2 ** (16 - script.BITS))
        assert not rest.any()
        assert np.abs(levels).max() == round(script.PEAK * top)
        assert 0.15 < len(waveform) / 8000 < 0.8  # a word, neither cut to nothing nor with long silence


def test_every_voice_says_every_word_at_each_rate_and_each_pitch_once():
    by_word = defaultdict(list)
    for row in rows():
        by_word[row["voice"], row["language"], row["digit"]].append((row["rate"], row["pitch"]))
    assert len(by_word) == len(script.ACCENTS) * 2 * 10
    for settings in by_word.values():
        assert sorted(rate for rate, _ in settings) == sorted(script.RATES)
        assert sorted(pitch for _, pitch in settings) == sorted(script.PITCHES)
    shares = Counter(pair for settings in by_word.values() for pair in settings)
    assert len(shares) == 9
    assert max(shares.values()) - min(shares.values()) <= 2


def test_a_fast_word_is_shorter_than_a_slow_one():
    lengths = defaultdict(list)
    for row in rows():
        lengths[row["voice"], row["language"], row["digit"]].append(row["stop"] - row["start"])
    assert all(slow > fast for slow, _, fast in lengths.values())


def test_no_voice_and_no_waveform_is_in_both_parts_and_together_they_are_everything():
    train, test = spoken_digits("train"), spoken_digits("test")
    assert not set(train.voices) & set(test.voices)
    assert (len(train), len(test)) == (540, 240)
    assert not {waveform.tobytes() for waveform in train.waveforms} & {w.tobytes() for w in test.waveforms}
    assert {voice[0] for voice in test.voices} == {"m", "f"}


def test_no_accent_is_heard_in_the_test_part_alone():
    accents = {True: set(), False: set()}
    for row in rows():
        accents[row["voice"] in manifest()["test_voices"]].add(row["accent"])
    assert accents[True] < accents[False]


@pytest.mark.parametrize("part", ["train", "test"])
def test_a_language_is_the_rows_of_both_that_speak_it(part):
    both = spoken_digits(part)
    for language in ("english", "chinese"):
        alone = spoken_digits(part, language=language)
        chosen = both.take(np.array(both.languages) == language)
        assert alone.words == chosen.words
        assert all(map(np.array_equal, alone.waveforms, chosen.waveforms))
        assert np.ptp(np.bincount(alone.labels)) == 0
        assert set(zip(alone.labels.tolist(), alone.words, strict=True)) == set(enumerate(DIGIT_WORDS[language]))


def test_waveforms_are_those_of_the_audio_scaled_to_one():
    train = spoken_digits("train")
    row = next(row for row in rows() if (row["voice"], row["language"], row["digit"]) == ("f1", "chinese", 7))
    index = next(
        i
        for i in range(len(train))
        if (train.voices[i], train.languages[i], train.labels[i], train.rates[i]) == ("f1", "chinese", 7, row["rate"])
    )
    assert np.array_equal(train.waveforms[index] * 2**15, samples()[0][row["start"] : row["stop"]])
    assert train.pitches[index] == row["pitch"]
    assert train.waveforms[index].dtype == np.float32


def test_what_is_returned_is_a_fresh_copy():
    first = spoken_digits("test")
    first.waveforms[0][:] = 0
    assert spoken_digits("test").waveforms[0].any()


def test_padding_keeps_every_sample_and_says_where_sound_is():
    test = spoken_digits("test", language="english")
    for length in (None, longest_spoken_digit()):
        rows, heard = test.padded(length)
        assert rows.shape == heard.shape == (120, length or test.lengths.max())
        assert np.array_equal(heard.sum(axis=1), test.lengths)
        assert not rows[~heard].any()
        assert all(np.array_equal(row[: len(w)], w) for row, w in zip(rows, test.waveforms, strict=True))
    assert longest_spoken_digit() == max(spoken_digits(part).lengths.max() for part in ("train", "test"))
    with pytest.raises(errors.ShapeError, match=r"audio: got \d+ samples in row \d+, wanted at most 1000"):
        test.padded(1000)


def test_take_keeps_the_fields_together():
    train = spoken_digits("train")
    taken = train.take([7, 300])
    assert isinstance(taken, SpokenDigits)
    for field in ("labels", "rates", "pitches"):
        assert getattr(taken, field).tolist() == getattr(train, field)[[7, 300]].tolist()
    for field in ("voices", "languages", "words"):
        assert getattr(taken, field) == (getattr(train, field)[7], getattr(train, field)[300])
    assert np.array_equal(taken.waveforms[1], train.waveforms[300])
    with pytest.raises(errors.EmptyBatchError, match="no indices"):
        train.take([])


def test_the_representation_says_what_it_is():
    text = repr(spoken_digits("test", language="chinese"))
    assert text == "SpokenDigits(120 recordings, 40 s at 8000 Hz; chinese; f2, m7, m8, f5)"


GOOD = {
    "waveforms": (np.zeros(3), np.zeros(2)),
    "labels": np.array([1, 2]),
    "voices": ("a", "b"),
    "languages": ("english", "english"),
    "sample_rate": 8000,
}
REFUSED = {
    "nothing": ({"waveforms": ()}, errors.EmptyBatchError, "audio: got 0 recordings"),
    "an empty recording": ({"waveforms": (np.zeros(3), np.zeros(0))}, errors.ShapeError, r"shape \(0,\) in row 1"),
    "two channels": ({"waveforms": (np.zeros((3, 2)), np.zeros(2))}, errors.ShapeError, r"shape \(3, 2\) in row 0"),
    "integers": ({"waveforms": (np.zeros(3, int), np.zeros(2))}, errors.DtypeError, "int64 in row 0"),
    "NaN": ({"waveforms": (np.zeros(3), np.array([np.nan]))}, errors.NotFiniteError, "NaN or infinity in row 1"),
    "a label too few": ({"labels": np.array([1])}, errors.ShapeError, "labels: got 1 rows, wanted 2"),
    "a voice too many": ({"voices": ("a", "b", "c")}, errors.ShapeError, "voices: got 3 rows, wanted 2"),
}


@pytest.mark.parametrize(("change", "error", "message"), REFUSED.values(), ids=REFUSED)
def test_recordings_that_do_not_fit_are_refused(change, error, message):
    SpokenDigits(**GOOD)
    with pytest.raises(error, match=message):
        SpokenDigits(**{**GOOD, **change})


def test_refuses_an_unknown_part_or_language():
    with pytest.raises(ValueError, match='part: got \'all\', wanted "train" or "test"'):
        spoken_digits("all")
    with pytest.raises(ValueError, match='language: got \'german\', wanted "english" or "chinese"'):
        spoken_digits("test", language="german")


def test_trimming_keeps_the_loud_part_and_a_margin():
    sound = np.concatenate([np.zeros(1000), np.ones(50), np.zeros(20), np.ones(50), np.full(1000, 0.001)])
    assert np.array_equal(script.trimmed(sound), sound[840:1280])
    assert np.array_equal(script.trimmed(np.ones(50)), np.ones(50))


@pytest.mark.skipif(find_spec("espeakng_loader") is None, reason="needs the extra [speech]")
def test_the_script_makes_the_same_words_again():
    """The first forty, in a process that has not spoken before; all of them take the script itself two seconds."""
    here = f"(espeakng-loader {metadata.version('espeakng-loader')})", f"{platform.system()} {platform.machine()}"
    if not manifest()["made_with"].endswith(here[0]) or manifest()["made_on"] != here[1]:
        pytest.skip(f"made with {manifest()['made_with']} on {manifest()['made_on']}, here are {' and '.join(here)}")
    count = 40
    code = (
        "import sys, numpy\nfrom authoring.spoken_digits import Synthesiser, waveforms\n"
        f"spoken = numpy.concatenate(list(waveforms(Synthesiser(), {count})))\n"
        "sys.stdout.buffer.write(spoken.astype('<i2').tobytes())"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout == samples()[0][: rows()[count - 1]["stop"]].astype("<i2").tobytes()


def test_identities_are_equal_where_the_recording_is_the_same():
    every = spoken_digits("test")
    assert len(set(every.identities)) == len(every)
    rows = [3, 0, 3, 5, 0]
    same = every.take(rows).identities
    np.testing.assert_array_equal(same[:, None] == same, np.equal.outer(rows, rows))
