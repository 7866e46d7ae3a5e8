"""A file as it came: its bytes, what they are, and the words about what was done to them."""

import os
import warnings
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path

from mmcourse.data.files.kinds import DESCRIPTIONS, kind_of, one_of, suffix_kind
from mmcourse.errors import ConvertedFileWarning, FileError

LARGEST = 500_000_000  # bytes: more is refused before it is read


class Damaged(Exception):
    """What a check of a file's structure found wrong; a reader makes it a FileError."""


@dataclass
class Source:
    """The bytes of a file that is to be read as one modality.

    kind: the key of kinds.DESCRIPTIONS that its first bytes tell, whatever its name says
    notes: what the user has to know of the conversion; `tell` says it
    """

    path: Path
    modality: str
    where: str
    content: bytes
    kind: str
    notes: list[str] = field(default_factory=list)

    def refusal(self, got: str, wanted: str) -> FileError:
        return FileError(self.modality, path=self.path, got=got, wanted=wanted, where=self.where)

    def checked(self, check: Callable[[bytes], int]) -> None:
        """Refuse the file where the check finds it damaged.

        The check returns where the file ends by its own account.
        """
        try:
            end = check(self.content)
        except Damaged as damage:
            raise self.refusal(f"{DESCRIPTIONS[self.kind]}, {damage}", "a whole file") from damage
        if end < len(self.content):
            self.notes.append(f"{len(self.content) - end:,} bytes after the end of the file were not read")

    def tell(self) -> None:
        """Warn of every note, in the name of the line that called the reader."""
        for note in self.notes:
            text = f"{self.where}: {self.modality}: {self.path}: {note}"
            warnings.warn(text, ConvertedFileWarning, stacklevel=3)


def opened(path: str | os.PathLike[str], modality: str, where: str, kinds: Collection[str], wanted: str = "") -> Source:
    """The file, if it is of one of these kinds; "" is that of bytes that tell nothing.

    wanted: the kinds in words; default made from them

    Raises FileError for what is missing, no file, unreadable, empty, too large or of another kind. A name that speaks
    of another kind than the bytes gets a note.
    """
    source = Source(Path(path), modality, where, b"", "")
    wanted = wanted or one_of(kinds)
    _read(source, wanted)
    source.kind = kind_of(source.content)
    if source.kind not in kinds:
        raise source.refusal(_description(source), wanted)
    named = suffix_kind(source.path.suffix)
    if named not in (None, source.kind):
        source.notes.append(f"the name ends in {source.path.suffix}, the file is {DESCRIPTIONS[source.kind]}")
    return source


def _description(source: Source) -> str:
    """What the bytes are, in words."""
    if source.kind:
        return DESCRIPTIONS[source.kind]
    return f"bytes of an unknown kind, beginning with {source.content[:8].hex(' ')}"


def _read(source: Source, wanted: str) -> None:
    path = source.path
    problem: str = ""
    cause: Exception | None = None
    try:
        if path.is_dir():
            problem = "a directory"
        elif path.exists() and not path.is_file():
            problem = "neither a file nor a directory"  # a pipe would be waited for without end
        elif path.exists() and path.stat().st_size > LARGEST:
            problem = f"{path.stat().st_size:,} bytes, more than {LARGEST:,}"
        else:
            source.content = path.read_bytes()
            problem = "" if source.content else "an empty file"
    except FileNotFoundError as error:
        problem, cause = "no such file", error
    except PermissionError as error:
        problem, cause = "a file that you have no permission to read", error
    except (OSError, ValueError) as error:  # ValueError: a name with a NUL in it
        problem, cause = f"a file that cannot be read ({error})", error
    if problem:
        raise source.refusal(problem, wanted) from cause
