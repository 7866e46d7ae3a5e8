"""Laws of downloads, against a server on this machine: only right files count, what is right stays, errors say more."""

import hashlib
import io
import tarfile
import threading
import zipfile
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pooch
import pytest
import soundfile

from mmcourse import cli
from mmcourse.data import command, downloads, free_spoken_digits
from mmcourse.data.downloads import Collection, contents, fetch, keep
from mmcourse.errors import DownloadError

FREE = free_spoken_digits.__globals__  # the module of the loader, whose name the function has taken in the package


def file_names(count=24):
    return [f"{number}.bin" for number in range(count)]


FILES = {name: f"content of {name} ".encode() * 40 for name in file_names()}


def tar_of(files, prefix="dataset-abc/recordings/"):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, content in {"README.md": b"no recording", **files}.items():
            member = tarfile.TarInfo(prefix + name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()


class Server:
    """Serves `files` and `archive`; `answer` may replace what a path gets: bytes, a status, or ("cut", bytes)."""

    def __init__(self):
        self.asked, self.answers = [], {f"/files/{name}": content for name, content in FILES.items()}
        self.answers["/archive"] = tar_of(FILES)
        self.refuse_after = None  # so many answers, then 429
        served = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                served.asked.append(self.path)
                answer = served.answers.get(self.path, 404)
                if served.refuse_after is not None and len(served.asked) > served.refuse_after:
                    answer = 429
                if isinstance(answer, int):
                    self.send_error(answer)
                    return
                cut = isinstance(answer, tuple)
                body = answer[1] if cut else answer
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body[: len(body) // 2] if cut else body)

            def log_message(self, *arguments):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self):
        self.http.shutdown()
        self.http.server_close()

    @property
    def files_asked(self):
        return sorted(path.removeprefix("/files/") for path in self.asked if path.startswith("/files/"))


@pytest.fixture
def server():
    server = Server()
    yield server
    server.stop()


@pytest.fixture
def collection(server, tmp_path, monkeypatch):
    monkeypatch.setenv("MMCOURSE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("MMCOURSE_TINY", raising=False)
    monkeypatch.setattr("pooch.core.time.sleep", lambda seconds: None)  # between two tries
    registry = tmp_path / "registry.txt"
    registry.write_text(registry_of(FILES), encoding="utf-8")
    return Collection(
        name="tiny",
        title="Tiny files",
        licence="CC0",
        page="https://example.org",
        megabytes=0.1,
        files_url=f"{server.address}/files/",
        archive_url=f"{server.address}/archive",
        inside="recordings",
        registry=registry,
        variable="MMCOURSE_TINY",
    )


def registry_of(files):
    lines = [f"{name} {hashlib.sha256(content).hexdigest()}\n" for name, content in files.items()]
    return "# a comment\n" + "".join(lines)


def here(collection):
    """{name: content} of everything in the cache, temporary files too."""
    return {path.name: path.read_bytes() for path in collection.folder.iterdir()} if collection.folder.exists() else {}


def place(collection, files):
    collection.folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (collection.folder / name).write_bytes(content)


def some(*numbers):
    return {f"{number}.bin": FILES[f"{number}.bin"] for number in numbers}


def test_all_of_it_comes_as_one_archive(server, collection):
    assert fetch(collection, progress=False) == len(FILES)
    assert here(collection) == FILES
    assert server.asked == ["/archive"]


def test_what_is_whole_is_not_asked_for_again(server, collection):
    fetch(collection, progress=False)
    server.asked.clear()
    assert fetch(collection, progress=False) == 0
    assert contents(collection, FILES, progress=False) == FILES
    assert server.asked == []


def test_a_few_missing_or_damaged_files_are_asked_for_alone(server, collection):
    place(collection, {**FILES, "3.bin": FILES["3.bin"][:-1], "5.bin": b"", "7.bin": b"else"})
    (collection.folder / "9.bin").unlink()
    assert fetch(collection, progress=False) == 4
    assert sorted(server.asked) == [f"/files/{number}.bin" for number in (3, 5, 7, 9)]
    assert here(collection) == FILES


@pytest.mark.parametrize(
    "answer",
    [
        404,
        429,
        b"<html>not found</html>",
        ("cut", tar_of(FILES)),
        tar_of(some(1, 2)),
        tar_of({**FILES, "4.bin": b"other"}),
    ],
    ids=["not there", "refused", "a page", "cut off", "without most", "with another content"],
)
def test_what_the_archive_does_not_bring_comes_file_by_file(server, collection, answer):
    server.answers["/archive"] = answer
    assert fetch(collection, progress=False) == len(FILES)
    assert here(collection) == FILES


def test_what_the_archive_brings_changed_is_not_kept(server, collection):
    server.answers = {"/archive": tar_of({**FILES, "4.bin": b"other"})}
    with pytest.raises(DownloadError, match=r"4\.bin answered 404"):
        fetch(collection, progress=False)
    assert here(collection) == {name: content for name, content in FILES.items() if name != "4.bin"}


def test_an_archive_that_ends_early_keeps_what_it_brought(server, collection):
    rng = np.random.default_rng(0)
    noise = {name: rng.bytes(3000) for name in FILES}  # nothing to compress: half of the archive is half of the files
    collection.registry.write_text(registry_of(noise))
    whole = tar_of(noise)
    server.answers = {"/archive": whole[: len(whole) // 2]}
    with pytest.raises(DownloadError, match="answered 404"):
        fetch(collection, progress=False)
    assert 8 < len(here(collection)) < 16
    assert all(noise[name] == content for name, content in here(collection).items())


def test_a_download_that_was_cut_off_goes_on_where_it_stopped(server, collection):
    server.answers["/archive"] = 404
    server.refuse_after = 10
    with pytest.raises(
        DownloadError, match=r"/files/\d+.bin answered 429 Too Many Requests\. \d+ of 24 files are kept"
    ):
        fetch(collection, progress=False)
    first = here(collection)
    assert 0 < len(first) < len(FILES)
    assert all(FILES[name] == content for name, content in first.items())
    server.refuse_after = None
    server.asked.clear()
    assert fetch(collection, progress=False) == len(FILES) - len(first)
    assert not set(server.files_asked) & set(first)
    assert here(collection) == FILES


def test_half_a_file_never_counts(server, collection):
    place(collection, {name: FILES[name] for name in FILES if name != "6.bin"})
    server.answers["/files/6.bin"] = ("cut", FILES["6.bin"])
    with pytest.raises(DownloadError, match=r"the connection broke off|no connection"):
        fetch(collection, progress=False)
    assert "6.bin" not in here(collection)
    assert len(here(collection)) == len(FILES) - 1
    server.answers["/files/6.bin"] = FILES["6.bin"]
    assert fetch(collection, progress=False) == 1


def test_a_file_with_another_checksum_is_named_and_not_kept_and_stops_no_other(server, collection):
    place(collection, {name: FILES[name] for name in FILES if name not in some(2, 6, 8)})
    server.answers["/files/6.bin"] = b"something else"
    with pytest.raises(DownloadError, match=r"1 \(6\.bin\) came with another checksum and are not kept"):
        fetch(collection, progress=False)
    assert here(collection) == {name: content for name, content in FILES.items() if name != "6.bin"}


def test_without_network_the_error_says_what_to_do(server, collection):
    server.stop()
    with pytest.raises(DownloadError) as caught:
        contents(collection, FILES, progress=False)
    message = str(caught.value)
    for part in (
        "no connection",
        "0 of 24",
        str(collection.folder),
        collection.archive_url,
        "MMCOURSE_TINY",
        "goes on",
    ):
        assert part in message
    assert here(collection) == {}


def test_an_interrupt_ends_the_download_at_once(collection, monkeypatch):
    asked = []

    def interrupted(self, name, **options):
        asked.append(name)
        raise KeyboardInterrupt

    monkeypatch.setattr(pooch.Pooch, "fetch", interrupted)
    monkeypatch.setattr(downloads, "MANY", 1000)
    with pytest.raises(KeyboardInterrupt):
        fetch(collection, progress=False, jobs=1)
    assert len(asked) < len(FILES)


def test_a_cache_that_cannot_be_written_is_named(collection, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("MMCOURSE_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(DownloadError, match=r"cannot be written .*MMCOURSE_CACHE names another folder"):
        fetch(collection, progress=False)


def test_a_user_without_a_home_is_told_of_the_variable(collection, monkeypatch):
    def homeless():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(downloads, "cache_folder", homeless)
    with pytest.raises(DownloadError, match=r"home directory\. Set MMCOURSE_CACHE"):
        fetch(collection, progress=False)


def test_the_bars_show_and_are_silent_where_outputs_are_stored(server, collection, monkeypatch, capfd):
    level = pooch.get_logger().level
    fetch(collection)
    size = len(server.answers["/archive"])
    assert f"{size}/{size}" in capfd.readouterr().err
    (collection.folder / "1.bin").unlink()
    fetch(collection)
    assert "1/1" in capfd.readouterr().err
    assert pooch.get_logger().level == level
    for path in collection.folder.iterdir():
        path.unlink()
    monkeypatch.setenv("MMCOURSE_STORED", "1")
    fetch(collection)
    assert capfd.readouterr().err == ""


def make_place(kind, files, tmp_path):
    if kind in ("folder", "folder within"):
        folder = tmp_path / "copy" / ("recordings" if kind == "folder within" else "")
        folder.mkdir(parents=True)
        for name, content in files.items():
            (folder / name).write_bytes(content)
        (folder / "notes.txt").write_text("not asked for")
        return tmp_path / "copy"
    path = tmp_path / kind
    if kind == "copy.zip":
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in files.items():
                archive.writestr(f"dataset-abc/recordings/{name}", content)
    else:
        path.write_bytes(tar_of(files, "" if kind == "flat.tar.gz" else "dataset-abc/recordings/"))
    return path


over_places = pytest.mark.parametrize("kind", ["folder", "folder within", "copy.tar.gz", "flat.tar.gz", "copy.zip"])


@over_places
def test_a_local_copy_is_read_and_nothing_is_asked_for(server, collection, tmp_path, monkeypatch, kind):
    copy = make_place(kind, FILES, tmp_path)
    assert contents(collection, FILES, copy) == FILES
    assert contents(collection, ["3.bin"], str(copy)) == some(3)
    monkeypatch.setenv("MMCOURSE_TINY", str(copy))
    assert contents(collection, FILES) == FILES
    assert server.asked == []
    assert here(collection) == {}


@over_places
def test_a_local_copy_with_a_missing_or_changed_file_is_refused_by_name(collection, tmp_path, kind):
    files = {name: content for name, content in FILES.items() if name not in ("1.bin", "2.bin")}
    copy = make_place(kind, {**files, "7.bin": FILES["7.bin"] + b"!"}, tmp_path)
    message = r"got 2 \(1\.bin, 2\.bin\) missing and 1 \(7\.bin\) changed, wanted 24 files"
    with pytest.raises(DownloadError, match=message):
        contents(collection, FILES, copy)
    assert contents(collection, ["3.bin"], copy) == some(3)


def test_the_argument_counts_more_than_the_variable(collection, tmp_path, monkeypatch):
    monkeypatch.setenv("MMCOURSE_TINY", str(tmp_path / "nowhere"))
    with pytest.raises(DownloadError, match="nowhere: there is no such folder and no such archive"):
        contents(collection, FILES)
    assert contents(collection, FILES, make_place("folder", FILES, tmp_path)) == FILES


@pytest.mark.parametrize("content", [b"", b"no archive", tar_of(FILES)[:300]], ids=["empty", "text", "cut off"])
def test_what_is_no_whole_archive_is_refused(collection, tmp_path, content):
    (tmp_path / "copy.tar.gz").write_bytes(content)
    with pytest.raises(DownloadError, match=r"copy\.tar\.gz: got no whole tar or zip archive"):
        contents(collection, FILES, tmp_path / "copy.tar.gz")


def test_a_local_copy_can_be_kept(server, collection, tmp_path):
    assert keep(collection, make_place("copy.tar.gz", FILES, tmp_path)) == len(FILES)
    assert here(collection) == FILES
    assert contents(collection, FILES) == FILES
    assert server.asked == []


def test_the_registry_of_free_spoken_digits_names_every_recording_once():
    known = FREE["FREE_SPOKEN_DIGITS"].checksums
    speakers = ("george", "jackson", "lucas", "nicolas", "theo", "yweweler")
    assert set(known) == {f"{d}_{s}_{i}.wav" for d in range(10) for s in speakers for i in range(50)}
    assert len(known) == len(set(known.values())) == 3000
    assert {len(checksum) for checksum in known.values()} == {64}


@pytest.fixture
def tiny_recordings(tmp_path, monkeypatch):
    """Two speakers, two digits, seven numbers, in place of the 3,000 files: {name: waveform}."""
    rng = np.random.default_rng(0)
    folder = tmp_path / "recordings"
    folder.mkdir()
    waveforms, files = {}, {}
    for digit in (0, 7):
        for speaker in ("theo", "lucas"):
            for number in range(7):
                name = f"{digit}_{speaker}_{number}.wav"
                waveforms[name] = (rng.integers(-(2**15), 2**15, size=200 + number) / 2**15).astype(np.float32)
                soundfile.write(folder / name, waveforms[name], 8000, subtype="PCM_16")
                files[name] = (folder / name).read_bytes()
    (tmp_path / "registry.txt").write_text(registry_of(files), encoding="utf-8")
    monkeypatch.setitem(
        FREE, "FREE_SPOKEN_DIGITS", replace(FREE["FREE_SPOKEN_DIGITS"], registry=tmp_path / "registry.txt")
    )
    return waveforms


def test_free_spoken_digits_are_the_files_of_their_part(tiny_recordings, tmp_path, monkeypatch):
    monkeypatch.setenv("MMCOURSE_FREE_SPOKEN_DIGITS", str(tmp_path))
    train, test = free_spoken_digits("train"), free_spoken_digits("test", tmp_path / "recordings")
    assert (len(train), len(test)) == (8, 20)
    assert train.sample_rate == 8000
    for part, numbers in ((train, (5, 6)), (test, range(5))):
        names = [f"{d}_{s}_{i}.wav" for d in (0, 7) for s in ("theo", "lucas") for i in numbers]
        assert [f"{label}_{voice}" for label, voice in zip(part.labels, part.voices, strict=True)] == [
            name.rsplit("_", 1)[0] for name in names
        ]
        assert all(np.array_equal(w, tiny_recordings[name]) for w, name in zip(part.waveforms, names, strict=True))
    assert set(train.words) == {"zero", "seven"}
    assert train.rates is train.pitches is None


def test_free_spoken_digits_refuses_a_changed_recording_and_an_unknown_part(tiny_recordings, tmp_path):
    changed = tmp_path / "recordings" / "7_theo_6.wav"
    changed.write_bytes(changed.read_bytes()[:-1] + b"\x00")
    with pytest.raises(DownloadError, match=r"1 \(7_theo_6\.wav\) changed, wanted 8 files"):
        free_spoken_digits("train", tmp_path)
    with pytest.raises(ValueError, match='part: got \'all\', wanted "train" or "test"'):
        free_spoken_digits("all", tmp_path)


@pytest.fixture
def command_line(collection, monkeypatch):
    monkeypatch.setattr(command, "COLLECTIONS", {"tiny": collection})
    return collection


def test_the_command_lists_what_there_is_and_how_much_is_here(command_line, monkeypatch, capsys):
    place(command_line, some(1, 2, 3))
    assert cli.main(["data", "list"]) == 0
    lines = ["tiny: Tiny files", "  CC0, 0.1 MB, https://example.org", f"  3 of 24 files are in {command_line.folder}"]
    assert capsys.readouterr().out.splitlines() == lines
    monkeypatch.setenv("MMCOURSE_TINY", "elsewhere")
    assert cli.main(["data", "list"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "  elsewhere, named by MMCOURSE_TINY"


def test_the_command_fetches(server, command_line, tmp_path, capsys):
    assert cli.main(["data", "fetch", "tiny"]) == 0
    assert capsys.readouterr().out == f"24 files came; tiny is whole in {command_line.folder}\n"
    server.stop()
    (command_line.folder / "1.bin").unlink()
    assert cli.main(["data", "fetch", "tiny", "--jobs", "1"]) == 1
    assert "mmcourse: tiny: not all files could be downloaded: no connection" in capsys.readouterr().err
    copy = make_place("copy.zip", FILES, tmp_path)
    assert cli.main(["data", "fetch", "tiny", "--from", str(copy)]) == 0
    assert here(command_line) == FILES


def test_the_command_refuses_an_unknown_name(command_line, capsys):
    assert cli.main(["data", "fetch", "tinny"]) == 2
    assert capsys.readouterr().err == "mmcourse: got 'tinny', wanted one of tiny\n"


def test_the_real_collections_are_listed(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("MMCOURSE_CACHE", str(tmp_path))
    monkeypatch.delenv("MMCOURSE_FREE_SPOKEN_DIGITS", raising=False)
    assert list(command.COLLECTIONS) == ["free-spoken-digits"]
    assert cli.main(["data", "list"]) == 0
    assert "0 of 3,000 files" in capsys.readouterr().out
