"""Files by their names, from a folder or from an archive of one."""

import tarfile
import zipfile
import zlib
from collections.abc import Collection, Iterator
from pathlib import Path

from mmcourse.errors import DownloadError


def files_at(place: Path, names: Collection[str], inside: str) -> Iterator[tuple[str, bytes]]:
    """(name, content) of those of the names that are there, in any order.

    place: a folder that holds the files, or holds a folder `inside` that does; or a tar or zip archive, in which they
    may lie in any folder, as in those that GitHub makes. Nothing is unpacked to disk.
    Raises DownloadError where there is neither, or where the archive cannot be read to its end.
    """
    wanted = set(names)
    if place.is_dir():
        folder = place / inside if (place / inside).is_dir() else place
        yield from ((path.name, path.read_bytes()) for path in sorted(folder.iterdir()) if path.name in wanted)
        return
    if not place.is_file():
        raise DownloadError(f"{place}: there is no such folder and no such archive")
    try:
        if zipfile.is_zipfile(place):
            with zipfile.ZipFile(place) as archive:
                for entry in archive.infolist():
                    if (name := Path(entry.filename).name) in wanted:
                        yield name, archive.read(entry)
            return
        with tarfile.open(place) as tar:
            for member in tar:
                if (name := Path(member.name).name) in wanted and (file := tar.extractfile(member)) is not None:
                    yield name, file.read()
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
        raise DownloadError(f"{place}: got no whole tar or zip archive ({error}), wanted one, or a folder") from error
