"""Read a moving picture."""

import os
from dataclasses import dataclass

import numpy as np

from mmcourse.data.files.image import cannot_be_decoded, channels, frame_count, in_mode, pillow_image
from mmcourse.data.files.source import Source, opened
from mmcourse.data.files.whole_images import IMAGE_CHECKS

MOST_PIXELS = 20_000_000  # of all frames
MOST_FRAMES = 10_000
UNSTATED = 0.1  # seconds: what browsers take for a frame that states no duration


@dataclass(frozen=True, eq=False)
class Video:
    """frames: (n, height, width, 3) float32 in [0, 1];  seconds: (n,) float64, how long each is shown."""

    frames: np.ndarray
    seconds: np.ndarray

    def __len__(self) -> int:
        return len(self.frames)


def read_video(path: str | os.PathLike[str]) -> Video:
    """A moving picture: an animated GIF, PNG or WebP. (Other videos need a decoder that the course does without.)

    Frames as they are seen, each drawn over those before it. A ConvertedFileWarning says what was added or lost, as in
    read_image; also that a frame states no duration (it gets a tenth of a second) and that there is only one frame.
    Raises FileError, which names the file, what came and what was wanted: as in read_image, and for more than 20
    million pixels or 10,000 frames in all. What is said there of damage that cannot be seen holds here, too.
    """
    source = opened(path, "video", "read_video", ("GIF", "PNG", "WEBP"))
    source.checked(IMAGE_CHECKS[source.kind])
    frames, seconds = _decoded(source)
    if len(frames) == 1:
        source.notes.append("there is only one frame: a still picture")
    if min(seconds) <= 0:
        source.notes.append(f"{sum(s <= 0 for s in seconds)} frames state no duration and got {UNSTATED} s")
    source.notes = list(dict.fromkeys(source.notes))  # what holds for every frame is said once
    source.tell()
    return Video(np.stack(frames), np.array([s if s > 0 else UNSTATED for s in seconds]))


def _decoded(source: Source) -> tuple[list[np.ndarray], list[float]]:
    image = pillow_image(source)
    count, size = frame_count(image, source), image.size
    if count > MOST_FRAMES or size[0] * size[1] * count > MOST_PIXELS:
        got = f"{count:,} frames of {size[0]} x {size[1]} pixels"
        raise source.refusal(got, f"at most {MOST_FRAMES:,} frames and {MOST_PIXELS:,} pixels in all")
    # A PNG may begin with a picture that is not part of the animation, for programs that cannot show one.
    first = 1 if count > 1 and getattr(image, "default_image", False) else 0
    frames, seconds = [], []
    for number in range(first, count):
        try:
            image.seek(number)
            if image.size == size:  # before it is decoded: a damaged frame may claim to be huge
                image.load()
                frames.append(in_mode(channels(image, source), "RGB", source.notes))
                seconds.append(float(image.info.get("duration", 0)) / 1000)
        except Exception as error:  # Pillow's decoders raise a dozen kinds of exception on damaged files
            raise cannot_be_decoded(source, error) from error
        if image.size != size:
            got = f"a frame of {image.size[0]} x {image.size[1]} pixels after frames of {size[0]} x {size[1]}"
            raise source.refusal(got, "frames of one size")
    return frames, seconds
