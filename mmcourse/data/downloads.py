"""Collections of files on the web, downloaded once, with the sha256 of every file checked each time it is read."""

import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from mmcourse.data.glyph_cache import cache_folder
from mmcourse.data.places import files_at
from mmcourse.errors import DownloadError

# From here on one archive is asked for before single files: GitHub refuses (429) who asks for thousands of them.
MANY = 20
SECONDS = 30  # without an answer


@dataclass(frozen=True)
class Collection:
    """Files that a lesson can use and never needs.

    name: as in `mmcourse data fetch NAME`, and of its folder in the cache
    title, licence, page: for people;  megabytes: of the download
    files_url: the address of a file is this and its name;  archive_url: an archive of all files, in folder `inside`
    registry: a text file, a line "name sha256" for each file (pooch's format)
    variable: the environment variable that names a local copy
    """

    name: str
    title: str
    licence: str
    page: str
    megabytes: float
    files_url: str
    archive_url: str
    inside: str
    registry: Traversable
    variable: str

    @cached_property
    def checksums(self) -> dict[str, str]:
        """{name: sha256} of every file."""
        lines = self.registry.read_text(encoding="utf-8").splitlines()
        return dict(line.split() for line in lines if line and not line.startswith("#"))

    @property
    def folder(self) -> Path:
        """Where downloads are kept. Raises DownloadError for a user without a home who names no folder."""
        try:
            return cache_folder() / self.name
        except RuntimeError as error:
            raise DownloadError(f"{self.name}: {error} Set MMCOURSE_CACHE to a folder for downloads.") from error

    @property
    def local(self) -> Path | None:
        """The local copy that the environment names."""
        named = os.environ.get(self.variable)
        return Path(named) if named else None

    def is_right(self, name: str, content: bytes) -> bool:
        """Whether these are the bytes of this file."""
        return hashlib.sha256(content).hexdigest() == self.checksums[name]

    @property
    def missing(self) -> list[str]:
        """The files that the cache folder does not hold whole and unchanged."""
        return [name for name in self.checksums if not self._is_kept(name)]

    def _is_kept(self, name: str) -> bool:
        try:
            return self.is_right(name, (self.folder / name).read_bytes())
        except OSError:
            return False


def contents(
    collection: Collection, names: Iterable[str], place: Path | str | None = None, *, progress: bool = True
) -> dict[str, bytes]:
    """{name: content} of these files, each with the right sha256.

    place: a folder or an archive that holds them; default the one that the environment variable names; else the cache,
    into which whatever is missing of the whole collection is downloaded first
    Raises DownloadError, which says what to do.
    """
    names = tuple(names)
    local = collection.local if place is None else Path(place)
    if local is not None:
        return local_contents(collection, names, local)
    fetch(collection, progress=progress)
    return local_contents(collection, names, collection.folder)


def local_contents(collection: Collection, names: Iterable[str], place: Path) -> dict[str, bytes]:
    """{name: content} of these files from a folder or an archive.

    Raises DownloadError unless all are there and have the right checksum.
    """
    names = tuple(names)
    found = dict(files_at(place, names, collection.inside))
    lacking = [name for name in names if name not in found]
    changed = [name for name in names if name in found and not collection.is_right(name, found[name])]
    if lacking or changed:
        parts = [f"{_listed(files)} {what}" for files, what in ((lacking, "missing"), (changed, "changed")) if files]
        raise DownloadError(
            f"{collection.name}: {place}: got {' and '.join(parts)}, wanted {len(names):,} files with the checksums of "
            f"the pinned version. It can be had from {collection.archive_url}"
        )
    return {name: found[name] for name in names}


def fetch(collection: Collection, *, progress: bool = True, jobs: int = 4) -> int:
    """Download what the cache folder lacks; returns how many files came.

    Files that are there and right are kept, so that a download that was cut off goes on. A file gets its name only
    when its checksum is right. When many are missing, one archive is asked for; what it does not bring is asked for
    file by file, `jobs` at a time.
    The bars are silent without `progress` and where MMCOURSE_STORED is set.
    Raises DownloadError, which says what to do.
    """
    missing = collection.missing
    count = len(missing)
    if count == 0:
        return 0
    try:
        collection.folder.mkdir(parents=True, exist_ok=True)
        with _quiet_pooch():
            silent = not progress or bool(os.environ.get("MMCOURSE_STORED"))
            if count >= MANY:
                _from_archive(collection, missing, silent)
            if missing := collection.missing:
                _one_by_one(collection, missing, silent, jobs)
    except OSError as error:
        raise DownloadError(_advice(collection, _reason(error, collection.folder))) from error
    return count


def keep(collection: Collection, place: Path) -> int:
    """Copy the files of a folder or an archive into the cache; returns how many. Raises DownloadError."""
    found = local_contents(collection, collection.checksums, place)
    try:
        collection.folder.mkdir(parents=True, exist_ok=True)
        for name, content in found.items():
            _write(collection.folder / name, content)
    except OSError as error:
        raise DownloadError(_advice(collection, _reason(error, collection.folder))) from error
    return len(found)


def _from_archive(collection: Collection, missing: list[str], silent: bool) -> None:
    """Keep what the archive holds of the missing files; an archive that does not come whole is no error yet."""
    import pooch
    from requests.exceptions import RequestException

    with tempfile.TemporaryDirectory(dir=collection.folder) as folder:
        try:
            # pooch asks a bar for its truth value, which one without a total does not have.
            total = int(collection.megabytes * 1e6)
            with _bar(silent, total=total, desc=collection.name, unit="B", unit_scale=True) as bar:
                downloader = pooch.HTTPDownloader(progressbar=bar, chunk_size=2**16, timeout=SECONDS)
                path = pooch.retrieve(
                    collection.archive_url, known_hash=None, fname="archive", path=folder, downloader=downloader
                )
            for name, content in files_at(Path(path), missing, collection.inside):
                if collection.is_right(name, content):
                    _write(collection.folder / name, content)
        except (RequestException, DownloadError):
            return


def _one_by_one(collection: Collection, missing: list[str], silent: bool, jobs: int) -> None:
    """Ask for every file by itself. Stops at the first that does not come; one that comes changed stops nothing."""
    import pooch

    # Not with pooch's own bar: that would be one a file.
    downloader = pooch.HTTPDownloader(chunk_size=2**16, timeout=SECONDS)
    client = pooch.create(
        path=collection.folder, base_url=collection.files_url, registry=collection.checksums, retry_if_failed=1
    )
    changed = []
    with _bar(silent, total=len(missing), desc=collection.name, unit="file") as bar, ThreadPoolExecutor(jobs) as pool:
        asked = {pool.submit(client.fetch, name, downloader=downloader): name for name in missing}
        try:
            for done in as_completed(asked):
                try:
                    done.result()
                except ValueError:  # pooch's word for another checksum
                    changed.append(asked[done])
                bar.update()
        except BaseException:  # an interrupt too: without this, thousands of requests would still be made
            pool.shutdown(cancel_futures=True)
            raise
    if changed:
        raise DownloadError(_advice(collection, f"{_listed(changed)} came with another checksum and are not kept"))


def _bar(silent: bool, **options: Any) -> Any:
    from tqdm import tqdm

    return tqdm(disable=silent, **options)


@contextmanager
def _quiet_pooch() -> Iterator[None]:
    """pooch tells of every file; three thousand lines are no news."""
    import pooch

    logger = pooch.get_logger()
    level = logger.level
    logger.setLevel("WARNING")
    try:
        yield
    finally:
        logger.setLevel(level)


def _write(path: Path, content: bytes) -> None:
    """The file whole or not at all."""
    handle, temporary = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _reason(error: OSError, folder: Path) -> str:
    from requests import exceptions

    if isinstance(error, exceptions.HTTPError) and error.response is not None:
        return f"{error.response.url} answered {error.response.status_code} {error.response.reason}"
    if isinstance(error, exceptions.Timeout):
        return f"no answer within {SECONDS} seconds"
    if isinstance(error, exceptions.ConnectionError):
        return "no connection"
    if isinstance(error, exceptions.RequestException):
        return f"the connection broke off ({type(error).__name__})"
    return f"{folder} cannot be written ({error}); MMCOURSE_CACHE names another folder"


def _advice(collection: Collection, reason: str) -> str:
    return (
        f"{collection.name}: not all files could be downloaded: {reason}. "
        f"{len(collection.checksums) - len(collection.missing):,} of {len(collection.checksums):,} files are kept in "
        f"{collection.folder}, and a second call goes on from there. Without network: get {collection.archive_url} on "
        f"another machine and set {collection.variable} to the archive, or to a folder with its files. "
        "No lesson needs them."
    )


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
    return f"{len(names):,} ({shown})"
