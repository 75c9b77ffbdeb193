"""Weights that come with the package are the ones that were packaged."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from deepir import weights
from deepir.errors import DeepirError
from deepir.weights import FOLDER, SUMS, packaged, read_weights


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of packaged weights with one network in it."""
    monkeypatch.setattr(weights, "FOLDER", tmp_path)
    content = b"weights of some network"
    (tmp_path / "some.onnx").write_bytes(content)
    (tmp_path / SUMS).write_text(f"{hashlib.sha256(content).hexdigest()}  some.onnx\n")
    return tmp_path


def test_what_is_there_is_found(folder):
    assert packaged("some") == folder / "some.onnx"
    assert packaged("other") is None
    assert read_weights(folder / "some.onnx") == b"weights of some network"


@pytest.mark.parametrize("change", [lambda c: c[:-1], lambda c: b"W" + c[1:], lambda _: b""])
def test_a_changed_file_is_refused(folder, change):
    path = folder / "some.onnx"
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(
        DeepirError, match=r"'some\.onnx' are not those that were packaged"
    ) as caught:
        read_weights(path)
    assert hashlib.sha256(path.read_bytes()).hexdigest()[:12] in str(caught.value)


@pytest.mark.parametrize("listing", ["", "\n", "nonsense", "00ff  other.onnx\n", None])
def test_a_file_outside_the_list_is_refused(folder, listing):
    if listing is None:
        (folder / SUMS).unlink()
    else:
        (folder / SUMS).write_text(listing)
    with pytest.raises(DeepirError, match="SHA256SUMS does not list it"):
        read_weights(folder / "some.onnx")


def test_the_list_may_mark_binary_files_and_write_capitals(folder):
    digest, name = (folder / SUMS).read_text().split()
    (folder / SUMS).write_text(f"{digest.upper()} *{name}\r\n")
    assert read_weights(folder / "some.onnx")


def test_a_relative_path_to_a_packaged_file_is_checked_too(folder, monkeypatch):
    monkeypatch.chdir(folder)
    (folder / SUMS).unlink()
    with pytest.raises(DeepirError, match="not those that were packaged"):
        read_weights(Path("some.onnx"))


def test_weights_elsewhere_need_no_list(folder, tmp_path):
    path = tmp_path / "deep" / "some.onnx"
    path.parent.mkdir()
    path.write_bytes(b"mine")
    assert read_weights(path) == b"mine"


def test_nothing_to_read_is_one_line(tmp_path):
    with pytest.raises(DeepirError, match=r"cannot read the weights .*nowhere.onnx.*no such file"):
        read_weights(tmp_path / "nowhere.onnx")
    with pytest.raises(DeepirError, match="it is no file"):
        read_weights(tmp_path)


def test_a_pipe_is_not_waited_for(tmp_path):
    if not hasattr(os, "mkfifo"):
        pytest.skip("no pipes in folders here")
    os.mkfifo(tmp_path / "pipe.onnx")
    with pytest.raises(DeepirError, match=r"pipe\.onnx': it is no file"):
        read_weights(tmp_path / "pipe.onnx")


def test_every_packaged_file_is_listed():
    for path in FOLDER.glob("*.onnx"):
        assert read_weights(path)
