"""Laws of sound: silent before an impact, exact in time, pitch by size, timbre by material, blind to all else."""

import numpy as np
import pytest

from mmcourse.data.scenes import MATERIALS, SIZES, scenes_by_hand
from mmcourse.data.scenes.sounds import LOUDNESS, PARTIALS, PITCHES
from tests.data.scenes.brute import world

RATE = 8000


def first_impact(what):
    """(n,) seconds, infinite where there is none."""
    return np.concatenate([what.time, np.full((len(what.time), 1), np.inf)], axis=1)[:, 1]


def knock(size="large", material="wood"):
    """One object that hits the right wall after exactly half a second."""
    reach = {"small": 0.08, "large": 0.12}[size]
    here = {"position": (1 - reach - 0.25, 0.5), "velocity": (0.5, 0.0), "size": size, "material": material}
    return scenes_by_hand([[{"colour": "red", "shape": "circle", **here}]])


def spectrum(sound):
    return np.abs(np.fft.rfft(sound * np.hanning(len(sound)))), np.fft.rfftfreq(len(sound), 1 / RATE)


def test_sound_begins_with_the_first_sample_after_the_first_impact():
    data = world(300)
    sound, when = data.sound(RATE), first_impact(data.motion())
    assert sound.shape == (300, 16_000)
    assert sound.dtype == np.float32
    silent = np.isinf(when)
    assert 10 < silent.sum() < 200
    assert (sound[silent] == 0).all()
    begins = (sound[~silent] != 0).argmax(axis=1)
    assert np.array_equal(begins, np.floor(when[~silent] * RATE) + 1)


def test_sound_is_the_sum_of_damped_sines():
    data = world(10, objects=(3, 4))
    what, sound = data.motion(), data.sound(RATE)
    t = np.arange(16_000) / RATE
    for row in range(len(data)):
        wanted = np.zeros(16_000)
        for impact, meets in enumerate(what.objects[row]):
            for side, slot in enumerate(meets):
                if slot >= 0:
                    since = np.maximum(t - what.time[row, impact + 1], 0)
                    pitch = [*PITCHES.values()][data.size[row, slot]]
                    for ratio, gain, decay in PARTIALS[MATERIALS[data.material[row, slot]]]:
                        ring = np.exp(-since / decay) * np.sin(2 * np.pi * ratio * pitch * since)
                        wanted += LOUDNESS * what.change[row, impact, side] * gain * ring
        assert sound[row] == pytest.approx(wanted, abs=1e-6)


def test_an_impact_between_two_samples_is_not_rounded_to_one():
    """Played twice as finely, every second sample is the same."""
    data = world(20)
    coarse, fine = data.sound(RATE), data.sound(2 * RATE)
    # All partials are below half of either rate.
    assert max(PITCHES.values()) * max(r for partials in PARTIALS.values() for r, _, _ in partials) < RATE / 2
    assert np.abs(fine[:, ::2] - coarse).max() < 1e-6


def test_the_same_impact_later_is_the_same_sound_later():
    data = knock("large", "metal")
    later = data.changed(position=data.position - [0.25, 0])
    now, then = data.sound(RATE)[0], later.sound(RATE)[0]
    assert np.abs(then[4000:] - now[:12_000]).max() < 1e-6


@pytest.mark.parametrize("material", MATERIALS)
def test_a_small_object_sounds_an_octave_higher(material):
    height = {}
    for size in SIZES:
        heard, frequency = spectrum(knock(size, material).sound(RATE)[0, 4000:])
        ratio = PARTIALS[material][np.argmax([gain * decay for _, gain, decay in PARTIALS[material]])][0]
        height[size] = frequency[heard.argmax()] / ratio
    assert height["small"] == pytest.approx(660, abs=4)
    assert height["large"] == pytest.approx(330, abs=4)


def test_materials_ring_for_different_times_and_differ_in_spectrum():
    loud = {name: np.abs(knock("large", name).sound(RATE)[0, 4000:]) for name in MATERIALS}
    after = {name: values[2000:].max() / values.max() for name, values in loud.items()}
    assert after["wood"] < 0.02 < after["glass"] < after["metal"]
    shapes = {name: spectrum(knock("large", name).sound(RATE)[0, 4000:])[0] for name in MATERIALS}
    for a, b in (("wood", "metal"), ("metal", "glass"), ("glass", "wood")):
        cosine = shapes[a] @ shapes[b] / np.linalg.norm(shapes[a]) / np.linalg.norm(shapes[b])
        assert cosine < 0.95, (a, b)


def test_a_harder_impact_is_louder_in_proportion():
    soft = knock()
    hard = soft.changed(velocity=2 * soft.velocity, position=soft.position - [0.25, 0])
    assert hard.sound(RATE)[:, :8000] == pytest.approx(2 * soft.sound(RATE)[:, :8000], abs=1e-6)


def test_most_scenes_do_not_clip():
    assert np.quantile(np.abs(world(200).sound()).max(axis=1), 0.95) < 1


def test_partials_that_a_rate_cannot_carry_are_mute():
    slow = knock("small", "wood").sound(4000)[0, 2000:4000]
    heard, frequency = np.abs(np.fft.rfft(slow * np.hanning(2000))), np.fft.rfftfreq(2000, 1 / 4000)
    alias = np.abs(frequency - (4000 - 3.9 * 660)) < 30
    assert heard[alias].max() < 0.02 * heard.max()


def test_refuses_a_rate_too_low():
    with pytest.raises(ValueError, match="rate: got 1000, wanted at least 2000"):
        world(2).sound(1000)
