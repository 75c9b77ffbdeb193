"""8-bit files: what is quantised, what stays, and that the loss is measured."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import onnx
import pytest
from opinionated import CARD, noise

from deepir.bench import evaluate
from deepir.box_detector import BoxDetector
from deepir.data import open_dataset
from deepir.errors import DeepirError, FrameError
from deepir.export import export_int8, int8, spread_frames
from deepir.export.int8 import measured_loss, quantisable, quantised
from deepir.runtime import open_onnx
from deepir.runtime.engines import run_openvino
from deepir.simulate import SimulatedFrames
from deepir.standardise import network_input

IMAGES = [noise((64, 80), seed) for seed in range(4)]


class Few:
    """The first frames of a split."""

    def __init__(self, split, count=3, broken=(), boxes=((30, 30, 33, 33),)):
        self._all = open_dataset("simulated", split=split)
        self.name, self.split = "simulated", split
        self.ids = self._all.ids[:count]
        self._broken, self._boxes = broken, boxes

    def __len__(self):
        return len(self.ids)

    def read(self, sample_id):
        if self.ids.index(sample_id) in self._broken:
            raise FrameError("cut off")
        sample = self._all.read(sample_id)
        return replace(sample, image=sample.image[:64, :80], boxes=self._boxes, mask=None)

    def knows(self, sample_id):
        return sample_id in self.ids


@pytest.fixture(scope="module")
def small(exported):
    """The small network in 8 bits."""
    return quantised(exported.model, IMAGES)


@pytest.fixture
def as_exported(monkeypatch, exported):
    """Whatever network is exported, the graph is the small one's."""
    copy = onnx.ModelProto()
    copy.CopyFrom(exported.model)
    monkeypatch.setattr(int8, "onnx_graph", lambda network, card: copy)


def test_all_convolutions_but_the_last_are_quantised(exported, small):
    nodes = {node.name: node for node in exported.model.graph.node}
    chosen = quantisable(exported.model)
    convolutions = [name for name, node in nodes.items() if node.op_type == "Conv"]
    assert [name for name in chosen if name in convolutions] == convolutions[:-1]
    assert {nodes[name].op_type for name in chosen} == {"Conv", "Add", "Relu"}
    makers = {output: node.op_type for node in small.graph.node for output in node.output}
    fed = [
        [makers.get(name) for name in node.input[:2]]
        for node in small.graph.node
        if node.op_type == "Conv"
    ]
    assert fed[:-1] == [["DequantizeLinear"] * 2] * (len(convolutions) - 1)
    assert fed[-1][1] is None


def test_decoding_stays_in_float(exported):
    after = [node.name for node in exported.model.graph.node]
    last = max(after.index(name) for name in quantisable(exported.model))
    kinds = {node.op_type for node in exported.model.graph.node[last + 1 :]}
    assert {"TopK", "Sigmoid", "MaxPool"} <= kinds


def test_it_runs_at_any_size_and_says_nearly_the_same(exported, small):
    one = open_onnx(exported.content, "small.onnx", "onnxruntime")
    other = open_onnx(small.SerializeToString(), "int8.onnx", "onnxruntime")
    assert other.card == one.card
    for shape in ((64, 80), (33, 47), (61, 129)):
        before, after = one(noise(shape)), other(noise(shape))
        change = np.abs(before.scores - after.scores)
        assert 0 < change.max() < 0.2


def test_openvino_takes_it(small):
    pytest.importorskip("openvino")
    run = run_openvino(small.SerializeToString(), "int8.onnx", precision="f32")
    outputs = run(network_input(noise((61, 129))))
    assert outputs["boxes"].shape == (100, 4)


def test_it_is_smaller(exported, small):
    assert small.ByteSize() < exported.model.ByteSize()


def test_the_loss_is_that_of_an_evaluation(exported, small):
    """Scores and mNoCoAP of both files, on the same frames."""
    content = small.SerializeToString()
    val = replace(
        open_dataset("simulated", split="val"), frames=SimulatedFrames(4, seed=2, shape=(64, 80))
    )
    loss = measured_loss(exported.content, content, "x.onnx", val, "3 frames")
    ends = []
    for each in (exported.content, content):
        network = open_onnx(each, "x.onnx", "onnxruntime")
        detector = BoxDetector("oscar_nano", network, 0.02, 0.3)
        ends.append(evaluate(detector, val).scorer.hits.score().mean)
    assert [loss.mnocoap_float32, loss.mnocoap_int8] == ends
    assert 0 < loss.score < 1  # an untrained network, whose flat maps lose much
    assert (loss.calibrated_on, loss.measured_on) == ("3 frames", "simulated val")


def test_the_file_states_its_loss(as_exported, exported, tmp_path):
    path = tmp_path / "small.onnx"
    made = export_int8(
        exported.network, CARD, path, train=Few("train"), val=Few("val", 2), frames=2
    )
    model = onnx.load(path)
    stated = json.loads(next(each.value for each in model.metadata_props if each.key == "int8"))
    assert stated == {
        "calibrated_on": "2 frames of simulated train",
        "measured_on": "simulated val",
        "score": made.loss.score,
        "mnocoap_float32": made.loss.mnocoap_float32,
        "mnocoap_int8": made.loss.mnocoap_int8,
    }
    assert made.size == path.stat().st_size
    assert "8 bits, calibrated on 2 frames" in str(made.loss)
    assert open_onnx(path.read_bytes(), "small.onnx").card.scene_start == pytest.approx(0.3)


def test_a_loss_without_a_target_is_refused(as_exported, exported, tmp_path):
    path = tmp_path / "small.onnx"
    val = Few("val", 1, boxes=())
    with pytest.raises(DeepirError, match="no frame of simulated val holds a target"):
        export_int8(exported.network, CARD, path, train=Few("train"), val=val, frames=1)
    assert not path.exists()


class TestSpreadFrames:
    def test_first_and_last_are_among_them(self):
        few = Few("train", 7)
        images = spread_frames(few, 3)
        wanted = [few.read(few.ids[place]).image for place in (0, 3, 6)]
        assert all((one == other).all() for one, other in zip(images, wanted, strict=True))

    def test_no_more_than_there_are(self):
        assert len(spread_frames(Few("train", 3), 10)) == 3

    def test_what_cannot_be_read_is_left_out(self):
        assert len(spread_frames(Few("train", 3, broken=(1,)), 3)) == 2
        with pytest.raises(DeepirError, match="none of 3 frames of 'train' is usable"):
            spread_frames(Few("train", 3, broken=(0, 1, 2)), 3)
