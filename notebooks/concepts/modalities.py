# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Modalities
#
# Read five signals of one scene as arrays of numbers, know what each of them measures, misses and repeats, and say which question nobody can answer any more when one of them is gone.
#
# **Before this:** Python, arrays in NumPy, sine and cosine. No machine learning: nothing in this lesson is trained.

# %% tags=["colab"]
# On Colab, install the course's package beside the torch, TensorFlow and NumPy that are there. Elsewhere, nothing.
import sys

if "google.colab" in sys.modules:
    print("Installing the course's package")
    # %pip install --quiet --no-deps git+https://github.com/OWNER/mmcourse
    # !{sys.executable} -m mmcourse.colab

# %%
import matplotlib.pyplot as plt
import numpy as np

from mmcourse.data.scenes import ABOUT, CARRIES, KINDS, SIGNALS
from mmcourse.data.scenes import scenes, scenes_by_hand
from mmcourse.lesson import claim, exact, figure, setup

setup("concepts/modalities")

# %% [markdown]
# ## One room, five signals
#
# A room is seen from above. A red circle slides to the right, a yellow triangle slides down, a blue square lies still. The floor has no friction; what strikes a wall or another object bounces off and rings. Somebody describes the room in words, a camera takes a picture and then a video, a microphone records the sound, and a sensor in the middle of the lower wall measures distances along its beams.

# %%
room = scenes_by_hand([[
    {"colour": "red", "shape": "circle", "material": "metal",
     "position": (0.29, 0.62), "velocity": (0.38, 0.05)},
    {"colour": "blue", "shape": "square", "position": (0.79, 0.47)},
    {"colour": "yellow", "shape": "triangle", "material": "glass", "size": "small",
     "position": (0.53, 0.23), "velocity": (-0.15, -0.84)},
]], side=4.0)  # positions in room widths; the room is 4 metres wide


def sense(world):
    """The five signals of every scene of a world."""
    scan = world.scan()
    return {
        "text": world.captions(about=ABOUT),
        "image": world.images(),
        "video": world.video(),
        "sound": world.sound(),
        "scan": np.stack([scan.distance, scan.radial_velocity], axis=-1),
    }


signals = {name: batch[0] for name, batch in sense(room).items()}

# %% tags=["hide-input"]
import textwrap

from matplotlib.collections import LineCollection


def draw_still(axis):
    axis.imshow(room.images(230)[0].transpose(1, 2, 0), interpolation="bilinear")
    axis.set(xticks=[], yticks=[])


def draw_text(axis):
    words = textwrap.fill(signals["text"].replace("three objects: ", "three objects:\n"), 25)
    axis.text(0.5, 0.5, words, ha="center", va="center", family="DejaVu Serif", fontsize=10.8, linespacing=1.5)
    axis.set(xticks=[], yticks=[], box_aspect=1)
    axis.patch.set_facecolor("#f4efe0")
    axis.spines[:].set_visible(True)
    axis.spines[:].set_color("0.8")

# %% tags=["hide-input"]
def draw_scan(fig, axis, scan):
    far = scan.distance[0][:, None] * np.column_stack([np.cos(scan.angle), np.sin(scan.angle)])
    axis.fill(*np.vstack([[0, 0], far]).T, color="0.9", linewidth=0)
    axis.add_collection(LineCollection([[(0, 0), end] for end in far[3::8]], color="0.6", linewidth=0.7))
    dots = axis.scatter(*far.T, c=scan.radial_velocity[0], cmap="RdBu", vmin=-3.3, vmax=3.3, s=26,
                        edgecolors="0.25", linewidths=0.5, zorder=2)  # fmt: skip
    axis.plot(0, 0, "^", color="black", markersize=9, clip_on=False)
    axis.set(aspect="equal", xlim=(-2.1, 2.1), ylim=(0, 4.1), xticks=[-2, 0, 2], yticks=[0, 2, 4])
    axis.set_xticklabels(["−2", "0", "2 m"])
    bar = fig.colorbar(dots, ax=axis, shrink=0.8, ticks=[-3, 0, 3], pad=0.02)
    bar.set_label("metres a second away", fontsize=10)


def draw_frames(axis, frames=8):
    shown = room.video(100, frames=frames, frame_rate=frames / 2)[0]
    for number, frame in enumerate(shown):
        start = 2 * number / frames
        axis.imshow(frame.transpose(1, 2, 0), extent=(start, start + 1.94 / frames, 0, 1), aspect="auto")
    axis.set(xlim=(0, 2), ylim=(0, 1), yticks=[])
    axis.tick_params(labelbottom=False)

# %% tags=["hide-input"]
STRIKES = room.motion().time[0, 1:]  # seconds


def draw_sound(axis):
    blocks = signals["sound"].reshape(-1, 64)
    middle = (np.arange(len(blocks)) + 0.5) * 64 / 8000
    axis.fill_between(middle, blocks.min(axis=1) - 0.005, blocks.max(axis=1) + 0.005, color="C0", linewidth=0)
    axis.set(xlim=(0, 2), xlabel="seconds", yticks=[])


def name_panels(names):
    for axis, (name, what) in names.items():
        axis.set_title(name, loc="left", fontweight="bold")
        axis.set_title(what, loc="right", fontsize=11, color="0.35")


def mark_strikes(*panels):
    for axis in panels:
        for strike in STRIKES:
            axis.axvline(strike, color="C1", linewidth=1.6, linestyle=(0, (3, 2)))

# %% tags=["hide-input"]
fig = plt.figure(figsize=(8.0, 6.0), layout="constrained")
grid = fig.add_gridspec(3, 1, height_ratios=[3.3, 1.08, 1.06])
top = grid[0].subgridspec(1, 3, width_ratios=[1, 1, 1.12])
still, card, fan = (fig.add_subplot(cell) for cell in top)
strip, wave = fig.add_subplot(grid[1]), fig.add_subplot(grid[2])
draw_scan(fig, fan, room.scan())
for draw, axis in ((draw_still, still), (draw_text, card), (draw_frames, strip), (draw_sound, wave)):
    draw(axis)
mark_strikes(strip, wave)
name_panels({still: ("image", "all at once"), card: ("text", "alone tells names"), fan: ("scan", "alone tells metres"),
             strip: ("video", "alone tells who is fast"), wave: ("sound", "alone tells materials")})  # fmt: skip
figure(
    fig,
    "five-signals",
    caption="One scene, five signals. The picture and the caption are of the first instant, and so is the scan: a dot "
    "where each beam of the sensor (black triangle) ends, red where what it hits comes nearer, blue where it goes away. "
    "Video (eight frames; each shows the instant at its left edge) and sound share the time axis. Dashed lines are "
    "impacts: all of them fall between frames, and at each of them something begins to ring.",
    alt="A dark square room with a red circle, a blue square and a yellow triangle; beside it a card with its "
    "description in words, and a fan of beams with coloured dots in metres; below, a strip of eight video frames and the "
    "waveform of the sound, with five dashed lines through both, at each of which the waveform jumps.",
)

# %% [markdown]
# Here are four questions about this room. Look at the figure: each of them can be answered from just one of the five signals. Which?

# %%
four_questions = room.questions(["name", "fastest", "first_material", "nearest"])
for question in four_questions.text:
    print(question)

# %% [markdown]
# The photograph answers none of the four. Nor would a sharper photograph, or a larger model that looks at it. Each of the four answers is in one signal, and whoever lacks that signal can only guess. This lesson is about why.
#
# ## Five arrays of numbers
#
# A model never meets a room. It meets arrays; the field calls them *tensors*. The first thing to know of a signal is what its axes mean, what one number means, and how many there are.

# %%
characters = np.array([ord(character) for character in signals["text"]])
assert "".join(map(chr, characters)) == signals["text"]  # nothing is lost
MEANING = {
    "text": ("(characters)", "number of a character"),
    "image": ("(colour, row, column)", "share of full brightness"),
    "video": ("(frame, colour, row, column)", "share of full brightness"),
    "sound": ("(sample)", "pressure, share of full scale"),
    "scan": ("(beam, kind)", "metres, metres a second"),
}
arrays = {**signals, "text": characters}
for name, (axes, unit) in MEANING.items():
    print(f"{name:6}{arrays[name].shape!s:19}{axes:29}{unit}")

# %% [markdown]
# Text comes here as the numbers that computers give to characters; the lesson on preparing data makes better numbers of it. Video and sound have a *rate*, the number of frames or samples a second, so their sizes grow with time. Text has none: a caption of ten words can tell of a second or of a century.

# %%
SECONDS, RATES = 2.0, {"video": 8, "sound": 8000}
for name, array in arrays.items():
    print(f"{name:6}{array.dtype!s:8}{array.nbytes:9,} bytes", end="")
    if name in RATES:
        a_second = array.size / SECONDS
        print(f", {RATES[name]} a second, {a_second:,.0f} numbers a second", end="")
    print()
exact("numbers in two seconds of video for each number in its sound: {:.1f}",
      arrays["video"].size / arrays["sound"].size, key="video-over-sound")

# %% [markdown]
# What does one number mean? Take the simplest case, by hand. A large circle, radius $0.12$ room widths, lies in the middle of a room. A beam goes straight up from the sensor, in the middle of the lower wall. It ends after $0.5 - 0.12 = 0.38$ room widths. In a room of $4$ metres the scan reads $0.38 \cdot 4 = 1.52$ metres; in a room of $8$ metres, twice that.

# %%
def room_with_a_circle(side):
    circle = {"colour": "red", "shape": "circle", "position": (0.5, 0.5)}
    return scenes_by_hand([[circle]], side=side)


for side in (4.0, 8.0):
    beam = room_with_a_circle(side).scan(beams=1).distance[0, 0]
    assert np.isclose(beam, 0.38 * side)
    print(f"room of {side:.0f} metres: the scan reads {beam:.2f} metres")
pictures = [room_with_a_circle(side).images() for side in (4.0, 8.0)]
assert np.array_equal(*pictures)  # number for number

# %% [markdown]
# The two pictures are equal, number for number. So no program can tell the two rooms apart by their pictures, however clever it is. This is an argument that we shall use again: **if two scenes differ and a signal does not, the signal does not tell the difference.**
#
# ## Change one fact, watch five signals
#
# Turn the argument into a measurement. Take sixty rooms. Change one fact in all of them, say every material, and nothing else. Record all signals again. Which of them changed?

# %%
world = scenes(60, seed=1)


def moved_on(numbers, values):
    """Every value replaced by the next one; -1 stays: no object there."""
    return np.where(numbers >= 0, (numbers + 1) % values, numbers)


mirror = np.array([-1.0, 1.0])
CHANGES = {
    "colour": {"colour": moved_on(world.colour, 6)},
    "name": {"name": moved_on(world.name, 6)},
    "material": {"material": moved_on(world.material, 3)},
    "metres": {"side": 2 * world.side},
    "size": {"size": np.where(world.present, 0, -1)},  # all small
    "place in the room": {"position": [1, 0] + mirror * world.position,
                          "velocity": mirror * world.velocity},  # mirrored
    "direction of motion": {"velocity": -world.velocity},
    "speed": {"velocity": 0.9 * world.velocity},
}

# %%
def changed(before, after):
    """Of each signal, the share of scenes in which it is not the same."""
    def differs(a, b):
        return a != b if isinstance(a, str) else not np.allclose(a, b, atol=1e-5)

    shares = {}
    for name in SIGNALS:
        pairs = zip(before[name], after[name], strict=True)
        shares[name] = np.mean([differs(*pair) for pair in pairs])
    return shares


original = sense(world)
shares = {fact: changed(original, sense(world.changed(**fields)))
          for fact, fields in CHANGES.items()}
for fact, of_signal in shares.items():
    for name, share in of_signal.items():
        if share == 0:  # then the package's table must say no
            assert CARRIES[fact][name] == "no", (fact, name)
        if CARRIES[fact][name] == "yes":
            assert share > 0, (fact, name)

# %% tags=["hide-input"]
fig, axis = plt.subplots(figsize=(7.4, 3.9), layout="constrained")
share_table = np.array([[of_signal[name] for name in SIGNALS] for of_signal in shares.values()])
axis.imshow(share_table, cmap="Blues", vmin=0, vmax=1.3, aspect="auto")
for (row, column), share in np.ndenumerate(share_table):
    fact, name = list(shares)[row], SIGNALS[column]
    told = CARRIES[fact][name]
    axis.text(column, row, f"{share:.0%}" + (" ×" if share and told == "no" else ""), ha="center", va="center",
              color="0.55" if share == 0 else "black")  # fmt: skip
axis.set_xticks(range(5), SIGNALS)
axis.set_yticks(range(len(shares)), [f"another {fact}" if fact != "metres" else "another width in metres" for fact in shares])
axis.xaxis.tick_top()
axis.tick_params(length=0)
axis.spines[:].set_visible(False)
figure(
    fig,
    "changed",
    caption="Sixty rooms, one fact changed in each, and the share of rooms in which a signal came out different. "
    "A signal that never changes cannot tell the fact. A × marks a signal that changes and still does not tell the fact.",
    alt="A table of eight facts and five signals with shares. Colour changes text, image and video; names only the text; "
    "materials only the sound; metres only the scan; speed leaves text and image as they were.",
)

# %% [markdown]
# Read the zeros first, for they are proofs. No picture tells a speed. No sound tells a colour. Then the marked cells: change all speeds, and the sound changes, because impacts come at other times. Still nobody can read a speed from it, since a later impact can mean a slower object or a longer way. A change is necessary for telling, and not enough.
#
# The column of the text needs a warning. A caption tells what its author chose to tell. This author was asked for everything; captions of pictures on the web are not.

# %%
for about in [(), ("size",), ("size", "motion", "relations"), ABOUT]:
    told = len(room.facts(about=about)[0])
    print(f"{told:2} facts:", room.captions(about=about)[0][:52])
true = len(room.facts()[0])
print(true, "facts are true of this room and can be told in this way")

# %% [markdown]
# ## What falls between two measurements
#
# A signal is not the world. It is a list of measurements with gaps between them: between two frames, two samples, two beams. What happens in a gap is lost, and worse: it can look like something else.
#
# **Frames.** A circle runs to and fro between two walls, one second each way. Film it for ten seconds, with one frame every two seconds.

# %%
runner = scenes_by_hand([[{"colour": "red", "shape": "circle", "size": "small",
                           "position": (0.5, 0.5), "velocity": (0.84, 0)}]])
slow_film = runner.video(frames=6, frame_rate=0.5)[0]
assert np.allclose(slow_film, slow_film[0], atol=1e-4)  # six equal pictures
bounces = runner.motion(10.0).time[0, 1:]
exact("{:.0f} impacts between the first frame and the last",
      len(bounces), key="unseen")

# %% [markdown]
# The film shows a circle at rest. The sound has ten impacts. One signal is not better than the other; each has a rate, and the events between two frames belong to the microphone.
#
# **Samples.** Sound has the same gap. A tone of frequency $f$, in hertz (turns a second), is measured $r$ times a second; sample number $i$ is taken at the time $i/r$. Look at the tone of frequency $r - f$ at the same times:
#
# $$\cos\!\big(2\pi (r - f)\, i / r\big) \;=\; \cos\!\big(2\pi i - 2\pi f\, i / r\big) \;=\; \cos\!\big(2\pi f\, i / r\big) .$$
#
# The first step multiplies out, the second drops $i$ whole turns. So the two tones have the *same samples*. For $0 < f < r$, one of the two lies above $r/2$ and one below, unless both are $r/2$. Whoever has only the samples hears the lower one. This is called *aliasing*. If a sound has no frequencies at or above $r/2$, there is no such double, and the samples determine it ([Shannon, 1948](../../book/bibliography.md#shannon1948)).

# %%
i = np.arange(100)
r, high = 4000, 2805.0
low = r - high
assert np.allclose(np.cos(2 * np.pi * high * i / r),
                   np.cos(2 * np.pi * low * i / r))
print(f"{high:.0f} Hz, measured {r} times a second, is heard as {low:.0f} Hz")

# %% [markdown]
# This is no rare accident. A small glass object rings at three frequencies, the highest at $2805$ Hz. To halve the rate of its sound from $8000$ to $4000$ samples a second, it seems enough to keep every second sample. `resampled` first takes away what the lower rate cannot hold.

# %%
from mmcourse.data.resampling import resampled

glass = scenes_by_hand([[{"colour": "white", "shape": "circle", "size": "small",
                          "material": "glass", "position": (0.5, 0.5),
                          "velocity": (0.84, 0)}]])
ring = glass.sound(8000)[0]
careless = ring[::2]
careful = resampled(ring, 8000, 4000)


def spectrum(samples, rate):
    """Frequencies, and how strong each is, the strongest being 1."""
    strength = np.abs(np.fft.rfft(samples))
    return np.fft.rfftfreq(len(samples), 1 / rate), strength / strength.max()


def strength_near(frequency, samples, rate):
    frequencies, strength = spectrum(samples, rate)
    return strength[np.abs(frequencies - frequency) < 30].max()

# %%
for name, samples, per_second in (("8000 samples a second", ring, 8000),
                                  ("every second sample", careless, 4000),
                                  ("resampled", careful, 4000)):
    strength = strength_near(low, samples, per_second)
    print(f"strength at {low:.0f} Hz, {name}: {strength:.3f}")

# %% [markdown]
# **Beams.** Between two beams there is a gap as well, and it widens with the distance. A small object can stand in it. More beams close the gaps, but there is something that no number of beams can mend.

# %%
rooms = scenes(400, seed=2, objects=(2, 4))


def missed(world, beams):
    """Share of the objects that no beam touches."""
    hit = world.scan(beams).hit  # which object: known, since we made the world
    slots = range(world.present.shape[1])
    touched = np.stack([(hit == slot).any(axis=1) for slot in slots], axis=1)
    return 1 - touched[world.present].mean()


BEAMS = [2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]
missed_share = [missed(rooms, beams) for beams in BEAMS]
exact("share of objects that 8 beams miss: {:.2f}", missed_share[2], key="missed-8")
exact("share of objects that 64 beams miss: {:.2f}",
      missed_share[5], key="missed-64")
exact("share of objects that 1024 beams miss: {:.2f}",
      missed_share[-1], key="missed-1024")
alone = scenes(400, seed=2, objects=(1, 1))
assert missed(alone, 64) == 0  # so what 64 beams miss has something before it

# %% tags=["hide-input"]
def draw_film(axis):
    fine = np.linspace(0, 10, 2001)
    way = runner.motion(10.0).at(fine)[0][0, :, 0, 0]
    axis.plot(fine, way, color="0.75", linewidth=1)
    axis.plot(np.arange(6) * 2, np.full(6, 0.5), "o", color="C1", markersize=8, label="frames")
    axis.plot(bounces, np.full(len(bounces), -0.06), "|", color="C0", markersize=13, markeredgewidth=2, label="impacts")
    axis.set(xlabel="seconds", ylabel="place (room widths)", ylim=(-0.15, 1.45), yticks=[0, 0.5, 1])
    axis.legend(loc="upper center", ncols=2, columnspacing=0.8, handletextpad=0.1)


def draw_spectra(axis):
    sounds = ((ring, 8000, "0.7", "-", "8000 a second"), (careless, 4000, "C1", "-", "every second"),
              (careful, 4000, "C0", "--", "resampled"))  # fmt: skip
    for samples, per_second, colour, style, name in sounds:
        frequencies, strength = spectrum(samples, per_second)
        axis.plot(frequencies, strength, color=colour, linestyle=style, label=name, linewidth=1.5)
    axis.set(xlabel="frequency (Hz)", ylabel="strength", xlim=(400, 3200), ylim=(0, 1.45), yticks=[0, 0.5, 1])
    axis.annotate("not there", (low, 0.5), (low - 700, 0.78), arrowprops={"arrowstyle": "->"}, fontsize=11)
    axis.legend(loc="upper right", fontsize=10)

# %% tags=["hide-input"]
def draw_beams(axis):
    axis.plot(BEAMS, missed_share, "o-", color="C2")
    axis.axhline(missed_share[-1], color="0.5", linestyle="--", linewidth=1)
    axis.text(2, missed_share[-1] - 0.05, "hidden behind others", color="0.35", fontsize=10.5)
    axis.set(xscale="log", xlabel="beams", ylabel="share of objects missed", ylim=(0, 0.8))


fig, axes = plt.subplots(1, 3, figsize=(10.2, 3.2), layout="constrained")
for draw, axis in zip((draw_film, draw_spectra, draw_beams), axes, strict=True):
    draw(axis)
figure(
    fig,
    "gaps",
    caption="Left: the circle's way (grey), six frames at which it is always in the middle, and ten impacts. Middle: the "
    "ring of glass; every second sample shows a tone that is not in the room. Right: objects that no beam touches, in 400 "
    "rooms; from 64 beams on, whatever is missed has another object before it.",
    alt="Three panels. A zigzag with dots that all lie at one half, and ticks below. Three spectra, of which one has a peak "
    "that the others lack. A falling curve of missed objects that ends on a level above zero.",
)

# %% [markdown]
# The sound and the scan look exact, sixteen thousand and sixty-four numbers without noise, and both can still mislead. Before you feed a signal to a model, ask for its rate, and for what happens faster, or finer, than that.

# %% [markdown]
# ## Size is not information
#
# Our video needs more than a thousand times as many bits as our caption. Does it tell a thousand times as much? Information is counted in *bits*: the answer to a yes-or-no question, if both are equally likely, is one bit. If a value $x$ comes with probability $p(x)$, then
#
# $$H = -\sum_x p(x) \log_2 p(x)$$
#
# is its *entropy*: fewer such questions, on average, do not suffice to find the value ([Shannon, 1948](../../book/bibliography.md#shannon1948)). Four equally likely materials would be $\log_2 4 = 2$ bits. If one of the four is always used, it is $0$ bits: nothing to ask. By hand: with probabilities $\tfrac12, \tfrac14, \tfrac14$ it is $\tfrac12 \cdot 1 + \tfrac14 \cdot 2 + \tfrac14 \cdot 2 = 1.5$ bits.

# %%
def entropy(values):
    """Bits; values: one for each example."""
    _, counts = np.unique(values, return_counts=True)
    share = counts / counts.sum()
    return -(share * np.log2(share)).sum()


assert entropy(["wood", "metal", "glass", "stone"]) == 2
assert entropy(["wood", "wood", "metal", "glass"]) == 1.5

# %% [markdown]
# Take fifty rooms and count three things for each signal. How many bits does it have as it is stored? How many are left when a program packs it without loss: zlib for text and scan, PNG for the picture, the changes from frame to frame by zlib for the video, FLAC for the sound? And how many bits are the answers to all questions that this signal alone answers? The package asks sixteen kinds of questions, and knows which signals answer each.

# %%
import zlib
from io import BytesIO

import soundfile
from PIL import Image

bytes_of = {  # in whole numbers, as they are usually stored
    "text": lambda text: np.frombuffer(text.encode(), np.uint8),
    "image": lambda image: (image * 255).round().astype(np.uint8),
    "video": lambda video: (video * 255).round().astype(np.uint8),
    "sound": lambda sound: (sound * 32767).round().astype(np.int16),
    "scan": lambda scan: (scan * 1000).round().astype(np.int16),  # millimetres
}

# %%
def packed(name, numbers):
    """The same numbers in fewer bytes, nothing lost."""
    file = BytesIO()
    if name == "image":
        picture = Image.fromarray(numbers.transpose(1, 2, 0))
        picture.save(file, "PNG", optimize=True)
    elif name == "sound":
        soundfile.write(file, numbers, 8000, format="FLAC")
    else:
        if name == "video":
            numbers = np.diff(numbers, axis=0, prepend=np.zeros_like(numbers[:1]))
        file.write(zlib.compress(numbers.tobytes(), 9))
    return file.getvalue()

# %%
fifty = scenes(50, seed=3)
stored = {name: [bytes_of[name](one) for one in batch]
          for name, batch in sense(fifty).items()}
bits = {name: 8 * np.mean([one.nbytes for one in batch])
        for name, batch in stored.items()}
packed_bits = {name: 8 * np.mean([len(packed(name, one)) for one in batch])
               for name, batch in stored.items()}

# %%
def answer_bits(questions, name, scenes_asked):
    """Bits a scene of all answers that this signal alone can give, added up."""
    able = questions.answerable([name])
    kinds, answers = np.array(questions.kind), np.array(questions.answer)
    total = 0.0
    for kind in np.unique(kinds[able]):
        mine = answers[kinds == kind]
        total += entropy(mine) * len(mine) / scenes_asked
    return total


many = scenes(1000, seed=4)
questions = many.questions()
told_bits = {name: answer_bits(questions, name, len(many)) for name in SIGNALS}
for name in SIGNALS:
    print(f"{name:6}{bits[name]:11,.0f} bits stored {packed_bits[name]:9,.0f} "
          f"packed {told_bits[name]:6.1f} of answers")

# %% [markdown]
# The packed sizes depend on the program, so they are upper limits. The answers are added up as if none told anything of another, so this sum is an upper limit as well, and only for these sixteen kinds of questions. Even so the picture is plain.

# %%
claim("bits of the packed video for each bit of its answers",
      packed_bits["video"] / told_bits["video"], at_least=1000, key="video-waste")
exact("stored bits of the video over those of the text: {:.0f}",
      bits["video"] / bits["text"], key="size-ratio")
exact("bits of answers, video over text: {:.2f}",
      told_bits["video"] / told_bits["text"], key="told-ratio")

# %% [markdown]
# More than a thousand times the size, and less than one and a half times the answers. What fills the video up? *Redundancy*: numbers that could have been guessed from their neighbours. To measure it, put the numbers of a signal into sixteen equal steps between the smallest and the largest. That would take $4$ bits each. Their entropy $H(x)$ says what is needed if each is coded by itself. The entropy given the neighbour, $H(\text{neighbour}, x) - H(\text{neighbour})$, says what is needed by someone who knows the neighbour: the pixel to the left, the same pixel one frame before, the sample or the beam before, the letter before. Beside them stands the correlation with the neighbour: at $1$ the neighbour foretells the number exactly, at $0$ no straight line through the pairs helps.

# %%
def steps(numbers):
    """Sixteen equal steps between the smallest and the largest number."""
    numbers = np.asarray(numbers, float)
    share = (numbers - numbers.min()) / np.ptp(numbers)
    return np.minimum((share * 16).astype(int), 15)


def neighbours(name, batch):
    """(neighbour, value), one row each."""
    if name == "text":  # characters are no quantities: each is a step of its own
        codes = [np.frombuffer(text.encode(), np.uint8) for text in batch]
        return np.concatenate([np.column_stack([c[:-1], c[1:]]) for c in codes])
    axis = {"image": -1, "video": 1, "sound": 1, "scan": 1}[name]
    batch = np.moveaxis(batch[..., 0] if name == "scan" else batch, axis, 0)
    return np.stack([batch[:-1].ravel(), batch[1:].ravel()], axis=1)

# %%
sample = sense(fifty.take(slice(15)))
coded = {}
for name in SIGNALS:
    pairs = neighbours(name, sample[name])
    quantised = pairs if name == "text" else steps(pairs)
    known, pair = entropy(quantised[:, 0]), entropy(quantised @ [256, 1])
    plain = np.log2(len(np.unique(pairs)) if name == "text" else 16)
    coded[name] = (plain, entropy(quantised[:, 1]), pair - known)
    print(f"{name:6}{plain:.1f} bits, coded alone {coded[name][1]:.2f}, "
          f"neighbour known {coded[name][2]:.2f}", end="")
    alike = "" if name == "text" else f"{np.corrcoef(pairs.T)[0, 1]:.2f}"
    print(f", correlation {alike}" if alike else "")
    assert coded[name][2] < coded[name][1] < plain

# %% tags=["hide-input"]
fig, (left, right) = plt.subplots(1, 2, figsize=(9.8, 3.5), layout="constrained")
rows = np.arange(5)
for sizes, marker, colour, what in (
    (bits, "s", "0.6", "stored"),
    (packed_bits, "D", "C0", "packed"),
    (told_bits, "o", "C1", "of answers"),
):
    left.plot([sizes[name] for name in SIGNALS], rows, marker, color=colour, label=what, markersize=8)
left.hlines(rows, [told_bits[n] for n in SIGNALS], [bits[n] for n in SIGNALS], color="0.85", zorder=0)
left.set(xscale="log", xlabel="bits a scene", yticks=rows, yticklabels=SIGNALS, ylim=(4.5, -1.3), xlim=(1, 4e6))
left.legend(loc="upper center", ncols=3, columnspacing=0.8, handletextpad=0.1)
for shift, (number, colour, what) in enumerate(
    ((0, "0.8", "no statistics"), (1, "C0", "each alone"), (2, "C2", "neighbour known"))):
    right.barh(rows + (shift - 1) * 0.27, [coded[name][number] for name in SIGNALS], 0.27, color=colour, label=what)
right.set(xlabel="bits a number", yticks=rows, yticklabels=SIGNALS, ylim=(4.5, -1.3), xlim=(0, 5.4))
right.legend(loc="upper center", ncols=3, fontsize=10, columnspacing=0.8, handlelength=1)
figure(
    fig,
    "size",
    caption="Left: mean size of a signal, stored and packed without loss, and the bits of all answers that it can give alone "
    "(logarithmic axis). Right: what one number costs, in sixteen steps (a letter: one of those that occur); who knows the "
    "neighbour needs less in every signal.",
    alt="Left, five rows with three markers each, far apart: stored bits at the right, packed to the left of them, answers "
    "leftmost near ten. Right, five groups of three bars, each shorter than the one before.",
)

# %% [markdown]
# In every signal the neighbour helps, most in the picture, where floor mostly lies next to floor. In this video the same pixel one frame before helps less: between two frames an object moves by two to seven pixels. Redundancy costs space, and it is what remains when a part is lost: take every second column out of the pictures and fill each gap with the mean of its two neighbours.

# %%
columns_kept = sample["image"][..., ::2]
filled = (columns_kept[..., :-1] + columns_kept[..., 1:]) / 2
lost_columns = sample["image"][..., 1:-1:2]
off = np.abs(filled - lost_columns).max(axis=1)  # worst of the three colours
exact("share of the lost pixels that come back within two hundredths: {:.2f}",
      (off < 0.02).mean(), key="filled-in")

# %% [markdown]
# The next section asks for redundancy *between* signals.
#
# ## Delete one
#
# Which questions can nobody answer any more when one signal is gone? To show that a question can be answered, show an answer. To show that nobody can answer it takes an argument, and we have one: two scenes in which all *remaining* signals are equal, and the right answers differ. Call them twins. Whatever a reader makes of the remaining signals, it says the same of both twins, and is wrong about one.

# %%
def answers_in(world, rounds):
    """Some rounds of questions: (scene, kind, words) -> answer."""
    found = {}
    for seed in range(rounds):
        posed = world.questions(seed=seed)
        keys = zip(posed.scene, posed.kind, posed.text, strict=True)
        found.update(zip(keys, posed.answer, strict=True))
    return found


def compare(before, after, rounds=1):
    """Signals that are equal in both, kinds of questions whose answers differ."""
    differing = changed(sense(before), sense(after))
    first, second = answers_in(before, rounds), answers_in(after, rounds)
    lost = {question[1] for question in first.keys() & second.keys()
            if first[question] != second[question]}
    return {name for name in SIGNALS if differing[name] == 0}, lost

# %%
def show(equal, lost):
    print("equal:", ", ".join(name for name in SIGNALS if name in equal))
    print("answers that differ:", ", ".join(kind for kind in KINDS if kind in lost))


twins = {
    "text": world.changed(name=moved_on(world.name, 6)),
    "sound": world.changed(material=moved_on(world.material, 3)),
    "scan": world.changed(side=world.side / 2),
}
proven = {}
for name, twin in twins.items():
    equal, proven[name] = compare(world, twin)
    assert equal == set(SIGNALS) - {name}  # only this signal tells them apart
    show(equal, proven[name])

# %% [markdown]
# Without the video it takes more cunning, for the scan sees speeds towards the sensor and the sound hears impacts. Put two small objects into the shadow of a large one, where no beam comes, at equal distances from the upper wall. One is fast and of wood, the other slow and of metal. Then exchange speed and material.

# %%
def shadow(red, blue):
    """Two objects behind a third; red, blue: (material, room widths a second)."""
    def small(colour, x, material, speed):
        return {"colour": colour, "shape": "circle", "size": "small",
                "material": material, "position": (x, 0.6), "velocity": (0, speed)}

    return scenes_by_hand([[
        {"colour": "white", "shape": "square", "position": (0.5, 0.2)},
        small("red", 0.4, *red),
        small("blue", 0.6, *blue),
    ]], side=5.0)


first_room = shadow(red=("wood", 0.6), blue=("metal", 0.3))
second_room = shadow(red=("metal", 0.3), blue=("wood", 0.6))
equal, proven["video"] = compare(first_room, second_room, rounds=20)
assert equal == set(SIGNALS) - {"video"}
show(equal, proven["video"])

# %% [markdown]
# And without the image? The first frame of the video *is* the image. Nothing is lost, whatever the question.

# %%
for picture, film in zip(original["image"], original["video"], strict=True):
    assert np.allclose(picture, film[0], atol=1e-6)
proven["image"] = set()

# %% [markdown]
# The package has the whole table: for each kind of question the sets of signals that are enough. Our twins do not use it. Both must agree: what the table calls lost is what the twins prove.

# %%
def can_answer(given):
    """Kinds of questions that these signals are enough for."""
    return {kind for kind, about in KINDS.items()
            if any(needed <= set(given) for needed in about.signals)}

# %%
from itertools import combinations

everything = can_answer(SIGNALS)
for name in SIGNALS:
    remaining = [other for other in SIGNALS if other != name]
    lost = everything - can_answer(remaining)
    assert lost == proven[name], (name, lost, proven[name])
    print(f"without {name}: {len(lost)} of {len(everything)} kinds are lost")
assert everything == set(KINDS)

sets = [chosen for size in range(6) for chosen in combinations(SIGNALS, size)]
print("enough for all sixteen:", [s for s in sets if can_answer(s) == everything])

# %% tags=["hide-input"]
majority = questions.majority()
without = [(f"no {name}", set(SIGNALS) - {name}) for name in SIGNALS]
columns = [("all five", SIGNALS), *without, *((f"{name} only", {name}) for name in SIGNALS)]
enough = np.array([[kind in can_answer(given) for _, given in columns] for kind in KINDS])
from matplotlib.colors import ListedColormap

fig, axis = plt.subplots(figsize=(9.6, 6.2), layout="constrained")
axis.pcolormesh(np.where(enough, 1.0, 0.0), cmap=ListedColormap(["#fbe3cf", "#0072B2"]), edgecolors="#fdfdfb", linewidth=2)
for row, column in zip(*np.nonzero(~enough), strict=True):
    axis.text(column + 0.5, row + 0.5, f"{majority[list(KINDS)[row]]:.2f}", ha="center", va="center",
              fontsize=10, color="#a04000")  # fmt: skip
axis.set_yticks(np.arange(16) + 0.5, [kind.replace("_", " ") for kind in KINDS])
axis.set_xticks(np.arange(11) + 0.5, [name.replace(" ", "\n") for name, _ in columns])
axis.xaxis.tick_top()
axis.invert_yaxis()
axis.vlines([1, 6], 0, 16, color="0.3", linewidth=1.5)
figure(
    fig,
    "delete-one",
    caption="Sixteen kinds of questions. Blue: these signals are enough, always. Pale: they are not, and the number is what "
    "who always gives the most frequent answer gets right (1000 scenes).",
    alt="A table of sixteen kinds of questions and eleven sets of signals. With all five everything is blue. Without the "
    "image, too. Without text the question for the name is pale; without video four kinds, without sound and without "
    "scan two each. A single signal leaves most of the table pale.",
)

# %% [markdown]
# Three things are in this table. *Redundancy*: nine kinds survive the loss of any one signal; six of these, on colours, shapes and places, are told by text, image and video alike. *Uniqueness*: names, materials and metres come from one signal each. And *joint need*: the last row and the row with the material are pale under every single signal. To know what the red circle is made of, one must hear the ring and see who is struck. To know its metres a second, one must see its way and measure the room.
#
# Pale means: not always. A text that says *at rest* settles the question for the speed, of this object. And a reader who lacks a signal may guess better than the numbers in the table. Unanswerable is not unguessable: a model without sound will answer the question for the material all the same.
#
# ## Programs that read one signal
#
# The blue cells are a promise of the package. Do answers really come out of the arrays? Four small programs, each reading one signal and one question, without any learning: a search for a word, a count of bright islands, the way of a colour between two frames, the least distance along the beams.

# %%
import re

from scipy import ndimage

from mmcourse.data.scenes import COLOURS, FLOOR


def read_name(text, question):
    thing = re.search(r"is the (\w+ \w+) called", question)[1]
    found = re.search(rf"{thing} called (\w+)", text)
    return found[1] if found else "Ada"  # not in this text: some name


def read_count(image, question):
    floor = np.array(FLOOR)[:, None, None]
    islands = ndimage.label(np.abs(image - floor).max(axis=0) > 0.3)[1]
    return ["zero", "one", "two", "three", "four", "five", "six"][min(islands, 6)]

# %%
def read_motion(video, question):
    colour = COLOURS[re.search(r"does the (\w+)", question)[1]]
    near = np.abs(video[:2] - np.array(colour)[:, None, None]).max(axis=1) < 0.05
    if not near.any(axis=(1, 2)).all():
        return "at rest"  # this colour is not in this video
    places = [np.argwhere(frame).mean(axis=0) for frame in near]  # row, column
    down, right = places[1] - places[0]
    if max(abs(down), abs(right)) < 0.5:
        return "at rest"
    if abs(right) > abs(down):
        return "right" if right > 0 else "left"
    return "down" if down > 0 else "up"

# %% [markdown]
# The scan needs a thought. Which beams end at a wall, and which at an object? The program is not told how wide the room is. But the walls of every room are alike up to their size: divide the distances by those in an empty room of one metre, and every beam that reaches a wall gives the same number, the width. Beams that end at an object give less.

# %%
empty = world.scan()  # for the angles of its beams
ray = np.column_stack([np.cos(empty.angle), np.sin(empty.angle)])
with np.errstate(divide="ignore"):
    to_wall = np.minimum(0.5 / np.abs(ray[:, 0]), 1 / ray[:, 1])  # one metre wide


def read_nearest(scan, question):
    width = (scan[:, 0] / to_wall).max()
    at_object = scan[:, 0] < 0.999 * width * to_wall
    least = scan[at_object, 0].min() if at_object.any() else np.inf
    return "less than one metre" if least < 1 else "more than one metre"

# %%
READERS = {"name": ("text", read_name), "count": ("image", read_count),
           "motion": ("video", read_motion), "nearest": ("scan", read_nearest)}
fresh = scenes(300, seed=6, all_different=True)  # no colour twice in a room
fresh_signals = {**sense(fresh), "image": fresh.images(128)}
elsewhere = np.roll(np.arange(300), 1)  # the signal of another room
read_right = {}
for kind, (name, read) in READERS.items():
    posed = fresh.questions([kind])
    places = {"own": posed.scene, "other": elsewhere[posed.scene]}
    for where, rows in places.items():
        given = [read(fresh_signals[name][row], words)
                 for row, words in zip(rows, posed.text, strict=True)]
        read_right[kind, where] = np.mean(np.array(given) == np.array(posed.answer))
    print(f"{kind:8} by {name:6} {read_right[kind, 'own']:.2f}, "
          f"with another room's {read_right[kind, 'other']:.2f}, "
          f"most frequent answer {posed.majority()[kind]:.2f}")

# %%
quick = fresh.video(frames=2, frame_rate=32.0)
moves = fresh.questions(["motion"])
in_quick = [read_motion(quick[row], words)
            for row, words in zip(moves.scene, moves.text, strict=True)]
exact("the motion read from two frames an eighth of a second apart: {:.2f}",
      read_right["motion", "own"], key="motion-8")
exact("from two frames a thirty-second of a second apart: {:.2f}",
      np.mean(np.array(in_quick) == np.array(moves.answer)), key="motion-32")

# %% [markdown]
# Given its own room's signal, each program is right nearly always. Given another room's, it is about as good as somebody who always says the same. That second test costs one line and should stand beside every multimodal result: a program that does as well with another room's signal does not use it. The video loses some answers between two frames; at four times the rate, some of these come back.
#
# ## More is not always more
#
# *A further modality can only help: at worst, it is ignored.* This is true of a reader that knows which signal tells what. It need not be true of a reader that has to find out from examples what to ignore.
#
# Take the question what the first object that hits a wall is made of. Only the sound can answer it, and a simple reader does: it keeps two hundred rooms with their answers, looks for the one whose sound after the first impact has the most similar spectrum, and gives the answer of that room. Now the picture is appended to the spectrum, both scaled to length one, the picture multiplied by a weight. The picture does not tell of materials; we have seen the proof. The reader does not know that. For the reader, the squared distance of two rooms is that of their spectra plus the squared weight times that of their pictures. So the larger the weight, the more the most similar room is the one that *looks* alike.

# %%
def spectra(sound):
    """The spectrum of 64 milliseconds after the first sound, each of length one."""
    begin = (np.abs(sound) > 1e-6).argmax(axis=1)  # sample of the first impact
    pieces = np.stack([s[b:b + 512] for s, b in zip(sound, begin, strict=True)])
    strength = np.abs(np.fft.rfft(pieces))
    return strength / np.linalg.norm(strength, axis=1, keepdims=True)


def pictures_of(world):
    pixels = world.images(16).reshape(len(world), -1)
    pixels = pixels - pixels.mean(axis=1, keepdims=True)
    return pixels / np.linalg.norm(pixels, axis=1, keepdims=True)


def accuracy_by_nearest(features, answers, known=200):
    """The answer of the most similar of the first rooms, for the others."""
    old, new = features[:known], features[known:]
    nearest = (new @ old.T).argmax(axis=1)  # all rows are equally long
    return np.mean(answers[:known][nearest] == answers[known:])

# %%
WEIGHTS = [0, 0.1, 0.2, 0.5, 1, 2, 5]


def with_pictures(seed, weights=WEIGHTS):
    """Accuracy for each weight of the pictures, in one world."""
    world = scenes(700, seed=seed)
    asked = world.questions(["first_material"])
    chosen = world.take(asked.scene[:400])
    answers = np.array(asked.answer[:400])
    heard, seen = spectra(chosen.sound()), pictures_of(chosen)
    return [accuracy_by_nearest(np.hstack([heard, weight * seen]), answers)
            for weight in weights]


curves = np.array([with_pictures(seed) for seed in range(5)])
print(curves.mean(axis=0).round(2))

# %% tags=["hide-input"]
fig, axis = plt.subplots(figsize=(6.6, 3.2), layout="constrained")
places = np.arange(len(WEIGHTS))
axis.fill_between(places, curves.min(axis=0), curves.max(axis=0), color="C0", alpha=0.25, linewidth=0)
axis.plot(places, curves.mean(axis=0), "o-", color="C0")
axis.axhline(1 / 3, color="black", linestyle="--", linewidth=1)
axis.text(0, 1 / 3 + 0.02, "one of three materials, guessed", fontsize=11)
axis.set_xticks(places, ["sound\nalone", *map(str, WEIGHTS[1:])])
axis.set(xlabel="weight of the picture beside the sound", ylabel="accuracy", ylim=(0.25, 1.03))
figure(
    fig,
    "more-is-less",
    caption="The material of the first object that strikes a wall, read from the most similar of 200 rooms: mean and range "
    "of five worlds, 200 rooms each. The picture tells nothing of it. From equal weights on it does harm.",
    alt="A curve that stays at one for small weights of the picture and falls below one half for large ones, near the "
    "dashed line of guessing.",
)

# %%
claim("accuracy with the sound alone, mean of five worlds",
      curves[:, 0].mean(), at_least=0.98, key="sound-alone")
claim("accuracy with the picture at equal weight, mean of five worlds",
      curves[:, WEIGHTS.index(1)].mean(), at_most=0.97, key="equal-weight")
claim("accuracy with the picture at five times the weight, mean of five worlds",
      curves[:, -1].mean(), at_most=0.45, key="five-times")

# %% [markdown]
# The same reader, the same rooms, one more modality. At equal weights some answers are lost, at five times the weight nearly all that can be lost. With a small weight nothing is; but somebody has to find the weight, by trying it on further examples. Large networks have the same difficulty: trained on several modalities together, they can end up worse than the best of these alone ([Wang et al., 2020](../../book/bibliography.md#wang2020)). So measure each modality alone, every time.
#
# ## What counts as a modality?
#
# The word has no sharp border, and authors draw it differently. A survey starts from the senses: a modality is the way in which something happens or is experienced ([Baltrušaitis et al., 2019](../../book/bibliography.md#baltrusaitis2019)). Others find that unfit for machines and tie the word to the task: what counts is which representations and which information matter for it ([Parcalabescu et al., 2021](../../book/bibliography.md#parcalabescu2021)). In this course a modality is *a kind of signal, with its own way of being measured and its own statistics*. Whether it tells anything new is another question. Three borderline cases show how the line runs.
#
# A second colour channel: measured by the same camera, at the same pixels, in the same unit. One modality. A second microphone: one modality twice, although it may tell much, for instance where a sound comes from. A second language: other letters with other frequencies, but made in the same way, by an author who writes. One modality, text, in two languages; and here the two tell the same facts, to the last one.

# %%
from mmcourse.data.scenes import parse

for english, chinese in zip(world.captions(), world.captions("zh"), strict=True):
    assert parse(english) == parse(chinese, "zh")
print(room.captions("zh")[0])

# %% [markdown]
# Is video a modality beside the image? It has a rate, which a picture lacks, and it contains the image. A depth camera beside a colour camera? We say yes, for it measures metres. Spoken and written words? Two modalities, however equal the words. Do not argue about the word. Say what is measured, how often, in which unit.
#
# A *model* is multimodal if it takes in or gives out more than one modality, and if its answer depends on each. The second half can be tested, by giving it another room's signal, as above.
#
# ## Where it has worked
#
# Speech: lips beside the sound help where the sound is noisy ([Afouras et al., 2018](../../book/bibliography.md#afouras2018)). Questions about pictures: the task needs question and picture ([Antol et al., 2015](../../book/bibliography.md#antol2015)), yet models learned to answer from the question alone so well that the data had to be balanced, each question with two similar pictures and two answers ([Goyal et al., 2017](../../book/bibliography.md#goyal2017)): twins, as above. Recognising pictures by texts: a classifier that never saw labelled pictures of its classes ([Radford et al., 2021](../../book/bibliography.md#radford2021)). And one model that reads pictures, text and sound ([Gemini Team, 2023](../../book/bibliography.md#geminiteam2023)). In each case the gain is one on a task, measured there, and no law.
#
# ## From a file
#
# Real signals come in files, and files lie: they are cut off, renamed, of another rate. The package's readers return an array as declared, or they refuse and say what came.

# %%
import shutil
import tempfile
from pathlib import Path

from mmcourse.data.files import FileError, read_audio, read_image

folder = Path(tempfile.mkdtemp())
pixels, waveform = (bytes_of[name](signals[name]) for name in ("image", "sound"))
(folder / "room.png").write_bytes(packed("image", pixels))
soundfile.write(folder / "room.wav", waveform, 8000)

picture = read_image(folder / "room.png")  # (row, column, colour): colour last
sound = read_audio(folder / "room.wav", sample_rate=8000)
print("picture", picture.shape, picture.dtype, "sound", sound.shape, sound.dtype)
rounding = np.abs(picture.transpose(2, 0, 1) - signals["image"]).max()
assert rounding <= 0.5 / 255 + 1e-6  # half a step of 8 bits
assert np.abs(sound - signals["sound"]).max() < 1e-4

# %%
for name, read in (("room.png", read_image),
                   ("room.wav", lambda path: read_audio(path, sample_rate=8000))):
    whole = (folder / name).read_bytes()
    (folder / name).write_bytes(whole[: len(whole) * 3 // 4])  # a broken download
    try:
        read(folder / name)
    except FileError as error:
        print(str(error).replace(f"{folder}", "…"))
shutil.rmtree(folder)

# %% [markdown]
# ## What to keep
#
# A signal reaches a model as an array with axes, a unit and often a rate, and the rate decides what it cannot see. Size is not information: neighbours repeat each other, and a small scan can tell what a large video cannot. To show that a signal does not tell a fact, change the fact and see that the signal stays; to show that a question cannot be answered from some signals, find twins. When one modality is deleted, the questions that are lost are those that no remaining set can answer: here none without the image, four without the video. A further modality can only help a reader that knows what to ignore.
#
# What this lesson does not show: these signals are clean and these objects few. Real microphones hiss and real pictures have more than one floor. Which answers can be *learned*, and from how many examples, is the matter of the rest of the chapter.
#
# **Try it.** Crowd the room: `missed(scenes(400, seed=2, objects=(5, 6)), 1024)`. Ask the package for the glass at the lower rate, `strength_near(low, glass.sound(4000)[0], 4000)`: how does it avoid the tone that is not there? Which kinds can be answered without any camera: `can_answer(["text", "sound", "scan"])`? Where does the picture begin to harm: `with_pictures(0, weights=[0.6, 0.8, 1, 1.5])`? The [exercises](exercises.ipynb) ask you for the tone that is heard, and for what is lost when a modality is deleted.
#
# **Further reading.** [Baltrušaitis et al. (2019)](../../book/bibliography.md#baltrusaitis2019) for the map of the field, [Parcalabescu et al. (2021)](../../book/bibliography.md#parcalabescu2021) for the quarrel about the word, [Shannon (1948)](../../book/bibliography.md#shannon1948) for bits and samples.
