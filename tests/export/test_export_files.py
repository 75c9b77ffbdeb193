"""A file is kept when it gives what the network gives, and only then."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from opinionated import CARD, noise, opinionated

from deepir import export
from deepir.errors import DeepirError, UsageError
from deepir.export import BOX_PX, SCORE, Difference, compare, export_onnx, files
from deepir.export.parity import ODD
from deepir.runtime import open_onnx

FRAMES = [noise((64, 80)), noise((70, 61), dtype=np.uint8)]


@pytest.fixture
def as_exported(monkeypatch, exported):
    """Whatever network is exported, its file holds the small one: no second export is needed."""
    monkeypatch.setattr(files, "onnx_graph", lambda network, card: exported.model)


def altered(change):
    """The small network after a change to it."""
    network = opinionated(seed=0)
    with torch.no_grad():
        change(network)
    return network


CHANGES = {
    "one weight": lambda network: network.trunk.stem[0].weight[0, 0, 1, 1].add_(0.05),
    "a score": lambda network: network.outputs.bias[0].add_(0.01),
    "a side": lambda network: network.outputs.bias[4].add_(0.01),
    "a norm": lambda network: network.pyramid.smooth[1].running_mean[0].add_(0.1),
    "the scene": lambda network: network.scene.bias.add_(0.1),
}


def test_a_file_that_agrees_is_kept(as_exported, exported, tmp_path):
    path = tmp_path / "small.onnx"
    report = export_onnx(exported.network, CARD, path, FRAMES)
    assert path.read_bytes() == exported.content
    assert (report.path, report.size) == (path, len(exported.content))
    assert report.differences[0].engine == "onnxruntime"
    assert all(each.small and each.frames == 6 and each.sizes == 5 for each in report.differences)
    assert open_onnx(path.read_bytes(), "small.onnx").card.name == "oscar_nano"


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_file_of_another_network_is_not_written(as_exported, tmp_path, change):
    with pytest.raises(DeepirError, match=r"x\.onnx' is not written, it differs .*allowed"):
        export_onnx(altered(change), CARD, tmp_path / "x.onnx", FRAMES)
    assert list(tmp_path.iterdir()) == []


def test_an_old_file_stays_when_the_new_one_differs(as_exported, tmp_path):
    path = tmp_path / "x.onnx"
    path.write_bytes(b"the old one")
    with pytest.raises(DeepirError, match="differs"):
        export_onnx(altered(CHANGES["a score"]), CARD, path, FRAMES)
    assert path.read_bytes() == b"the old one"


@pytest.mark.parametrize("name", ["x.pt", "x", "nowhere/x.onnx"])
def test_a_target_that_cannot_be_written_is_refused_first(tmp_path, name):
    with pytest.raises(UsageError):
        export_onnx(torch.nn.Identity(), CARD, tmp_path / name, FRAMES)


def test_without_a_frame_nothing_is_believed(as_exported, exported, tmp_path):
    with pytest.raises(DeepirError, match="at least one frame"):
        export_onnx(exported.network, CARD, tmp_path / "x.onnx", [])


def test_every_engine_is_compared_at_odd_sizes_too(exported):
    found = compare(exported.content, "small.onnx", exported.network, [noise((90, 100))])
    assert [(each.frames, each.sizes) for each in found] == [(3, 3)] * len(found)
    assert all(side % 2 for side in ODD)


def test_a_frame_smaller_than_any_cut_is_compared_as_it_is(exported):
    found = compare(exported.content, "small.onnx", exported.network, [noise((1, 1))])
    assert {(each.frames, each.small) for each in found} == {(1, True)}


@pytest.mark.parametrize(
    ("score", "box_px", "small"),
    [
        (0.0, 0.0, True),
        (SCORE, BOX_PX, True),
        (2 * SCORE, 0.0, False),
        (0.0, 2 * BOX_PX, False),
        (0.0, np.inf, False),
        (np.nan, 0.0, False),
    ],
)
def test_what_counts_as_equal(score, box_px, small):
    difference = Difference("onnxruntime", score, box_px, 3, 2)
    assert difference.small is small
    assert "3 frames of 2 sizes" in str(difference)


def test_names_of_the_room():
    assert all(hasattr(export, name) for name in export.__all__)
