"""Laws of the cache: it changes the time and nothing else, whatever state its folder is in."""

from pathlib import Path

import numpy as np
import pytest

from mmcourse.data.glyph_cache import cache_folder, stored

KEY = {"size": 20, "version": "1"}


class Builder:
    """Builds the same arrays every time and counts how often."""

    def __init__(self):
        self.count = 0

    def __call__(self):
        self.count += 1
        return {"a": np.arange(6, dtype=np.uint8).reshape(2, 3), "b": np.array([0.5, np.nan], dtype=np.float32)}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("MMCOURSE_CACHE", str(tmp_path / "new" / "cache"))
    return tmp_path / "new" / "cache"


@pytest.fixture
def build():
    return Builder()


def is_right(arrays):
    right = Builder()()
    return arrays.keys() == right.keys() and all(
        arrays[name].dtype == right[name].dtype and arrays[name].tobytes() == right[name].tobytes() for name in right
    )


def test_what_was_built_is_not_built_again(folder, build):
    assert is_right(stored("x", KEY, build))
    assert is_right(stored("x", dict(reversed(KEY.items())), build))
    assert build.count == 1


@pytest.mark.parametrize(
    ("name", "key"), [("y", KEY), ("x", {**KEY, "size": 21}), ("x", {**KEY, "version": "2"}), ("x", {"size": 20})]
)
def test_another_name_or_key_is_another_file(folder, build, name, key):
    stored("x", KEY, build)
    stored(name, key, build)
    assert build.count == 2
    assert len(list(folder.iterdir())) == 2


DAMAGE = {
    "empty": lambda content: b"",
    "cut short": lambda content: content[:-1],
    "cut to the checksum": lambda content: content[:32],
    "a flipped bit at the start": lambda content: bytes([content[0] ^ 1]) + content[1:],
    "a flipped bit in the middle": lambda content: content[:99] + bytes([content[99] ^ 1]) + content[100:],
    "something else": lambda content: b"<html>not found</html>" * 10,
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_file_is_built_again_and_mended(folder, build, damage):
    stored("x", KEY, build)
    (path,) = folder.iterdir()
    path.write_bytes(damage(path.read_bytes()))
    assert is_right(stored("x", KEY, build))
    assert build.count == 2
    assert is_right(stored("x", KEY, build))
    assert build.count == 2


def test_a_folder_that_cannot_be_made_is_no_error(tmp_path, monkeypatch, build):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("MMCOURSE_CACHE", str(tmp_path / "file" / "cache"))
    assert is_right(stored("x", KEY, build))
    assert is_right(stored("x", KEY, build))
    assert build.count == 2


def test_a_full_disk_is_no_error_and_leaves_nothing_behind(folder, monkeypatch, build):
    def refuse(self, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", refuse)
    assert is_right(stored("x", KEY, build))
    assert list(folder.iterdir()) == []


def test_a_file_where_a_folder_stands_is_no_error(folder, build):
    stored("x", KEY, build)
    (path,) = folder.iterdir()
    path.unlink()
    path.mkdir()
    assert is_right(stored("x", KEY, build))
    assert [entry.name for entry in folder.iterdir()] == [path.name]


def test_nothing_but_whole_files_is_left(folder, build):
    stored("x", KEY, build)
    assert [entry.suffix for entry in folder.iterdir()] == [".bin"]


def test_the_folder_is_the_one_that_is_named_else_the_users_own(monkeypatch):
    monkeypatch.setenv("MMCOURSE_CACHE", "/chosen")
    assert cache_folder() == Path("/chosen")
    monkeypatch.setenv("MMCOURSE_CACHE", "")
    for platform, variable in (("linux", "XDG_CACHE_HOME"), ("win32", "LOCALAPPDATA")):
        monkeypatch.setattr("sys.platform", platform)
        monkeypatch.setenv(variable, "/own")
        assert cache_folder() == Path("/own/mmcourse")
        monkeypatch.delenv(variable)
        assert cache_folder().is_relative_to(Path.home())
    monkeypatch.setattr("sys.platform", "darwin")
    assert cache_folder() == Path.home() / "Library" / "Caches" / "mmcourse"


def test_a_user_without_a_home_is_no_error(monkeypatch, build):
    def homeless():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("MMCOURSE_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr(Path, "home", homeless)
    assert is_right(stored("x", KEY, build))
