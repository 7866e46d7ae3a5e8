"""Read a file of one modality: what comes back is of the stated shape, dtype and range, or the error says what came.

Every reader takes the file for what its bytes are, not for what its name says. What it had to change, and what is odd,
it says with a ConvertedFileWarning; `warnings.simplefilter("error", ConvertedFileWarning)` refuses such files, too.
"""

from mmcourse.data.files.audio import read_audio
from mmcourse.data.files.image import read_image
from mmcourse.data.files.scan import read_scan
from mmcourse.data.files.text import read_text
from mmcourse.data.files.video import Video, read_video
from mmcourse.errors import ConvertedFileWarning, FileError

__all__ = [
    "ConvertedFileWarning",
    "FileError",
    "Video",
    "read_audio",
    "read_image",
    "read_scan",
    "read_text",
    "read_video",
]
