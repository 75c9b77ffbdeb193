"""Files appear whole or not at all."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import numpy as np
import pytest

from deepir.errors import UsageError
from deepir.writing import check_output_file, output_folder, write_bytes, write_json, write_text


@pytest.fixture
def old(tmp_path):
    """A file with content that must survive."""
    path = tmp_path / "result.json"
    path.write_text("old")
    return path


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(
    ("write", "value", "content"),
    [
        (write_bytes, b"\0\xff\r\n", b"\0\xff\r\n"),
        (write_bytes, b"", b""),
        (write_text, "µ\n", b"\xc2\xb5\n"),
        (write_json, {"µ": [1, None]}, '{\n "µ": [\n  1,\n  null\n ]\n}\n'.encode()),
    ],
)
@pytest.mark.parametrize("place", ["new.bin", "result.json", "some/new/folder/file"])
def test_a_file_is_written_whole(old, write, value, content, place):
    path = old.parent / place
    write(path, value)
    assert path.read_bytes() == content
    assert names(path.parent) == sorted({path.name, *names(path.parent)} - {".part"})
    assert not list(old.parent.rglob("*.part"))


def test_a_file_can_be_read_by_others(tmp_path):
    write_text(tmp_path / "a", "x")
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o644


@pytest.mark.parametrize(
    ("write", "value", "error"),
    [
        (write_bytes, "no bytes", TypeError),
        (write_json, {"figure": float("nan")}, ValueError),
        (write_json, {"figure": np.float32(1)}, TypeError),
    ],
)
def test_what_cannot_be_written_leaves_the_old_file_and_nothing_else(old, write, value, error):
    with pytest.raises(error):
        write(old, value)
    assert old.read_text() == "old"
    assert names(old.parent) == [old.name]


@pytest.mark.parametrize("step", ["exists", "replace"])
@pytest.mark.parametrize("error", [OSError("full"), KeyboardInterrupt()], ids=["full", "ctrl-c"])
def test_an_interruption_leaves_the_old_file_and_nothing_else(old, monkeypatch, step, error):
    def interrupted(*_):
        raise error

    monkeypatch.setattr(Path, step, interrupted)
    with pytest.raises(type(error)):
        write_text(old, "new")
    assert old.read_text() == "old"
    assert names(old.parent) == [old.name]


def test_until_it_is_complete_readers_see_the_old_file(old, monkeypatch):
    seen = []
    replace = Path.replace

    def watched(self, target):
        seen.append((old.read_text(), self.read_text(), self.parent))
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", watched)
    write_text(old, "new")
    assert seen == [("old", "new", old.parent)]
    assert old.read_text() == "new"


def test_a_folder_is_not_overwritten(tmp_path):
    with pytest.raises(OSError, match=r"directory|exists"):
        write_text(tmp_path, "x")
    assert not list(tmp_path.parent.glob(".deepir-*"))


def test_json_reads_back(tmp_path):
    value = {"name": "Ω", "figures": [0.1, 1e-9, None, True]}
    write_json(tmp_path / "a.json", value)
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8")) == value


def test_an_output_folder_is_made_with_its_parents(tmp_path):
    folder = tmp_path / "some" / "new"
    assert output_folder(folder) == output_folder(folder) == folder
    assert names(folder) == []


def test_checking_a_file_leaves_nothing_behind(tmp_path, old):
    for path in (old, tmp_path / "new.json"):
        assert check_output_file(path) == path
    assert names(tmp_path) == [old.name]
    assert old.read_text() == "old"


@pytest.mark.parametrize(
    ("check", "place", "reason"),
    [
        (output_folder, "result.json", "file exists"),
        (output_folder, "result.json/below", "not a directory"),
        (output_folder, "nul\0", "null"),
        (check_output_file, ".", "it is a folder"),
        (check_output_file, "absent/result.json", "no such file or directory"),
        (check_output_file, "result.json/below", "not a directory"),
    ],
)
def test_places_that_cannot_be_written_are_named_with_the_reason(old, check, place, reason):
    with pytest.raises(UsageError, match=reason) as caught:
        check(old.parent / place)
    assert repr(str(old.parent / place)) in str(caught.value)
    assert "\n" not in str(caught.value)
