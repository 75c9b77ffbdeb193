"""The ONNX graph: what it holds, and what it gives in each engine at every size."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from opinionated import CARD, noise, opinionated

from deepir import __version__
from deepir.card import read_card
from deepir.export.graph import OPSET, onnx_graph
from deepir.models.cascade.decode import decode_packed
from deepir.models.running import TorchNetwork
from deepir.runtime import OnnxNetwork, agree, open_onnx
from deepir.runtime.engines import run_openvino
from deepir.standardise import network_input

SHAPES = ((32, 32), (33, 47), (64, 80), (61, 129), (100, 35), (256, 250))


@pytest.fixture(params=["onnxruntime", "openvino"])
def opened(request, exported):
    """The file in an engine, in float32; skipped where that is not installed."""
    if find_spec(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    network = open_onnx(exported.content, "small.onnx", "onnxruntime")
    if request.param == "onnxruntime":
        return network
    run = run_openvino(exported.content, "small.onnx", precision="f32")
    return OnnxNetwork(network.card, "openvino", run)


def in_torch(network, image):
    """Boxes, scores and the scene's factor of the network as it is trained, norms unfolded."""
    frames = torch.from_numpy(network_input(image))
    with torch.no_grad():
        maps = network.packed(frames)
        boxes, scores = decode_packed(maps, frames.shape[-2], frames.shape[-1])
    return boxes.numpy(), scores.numpy(), float(maps.scene)


@pytest.mark.parametrize("shape", SHAPES)
def test_engines_give_what_torch_gives(exported, opened, shape):
    raw = opened(noise(shape))
    boxes, scores, scene = in_torch(exported.network, noise(shape))
    np.testing.assert_allclose(raw.scores, scores, atol=1e-5)
    clear = scores > CARD.candidate_threshold
    np.testing.assert_allclose(raw.boxes[clear], boxes[clear], atol=1e-3)
    assert raw.scene.factor == pytest.approx(scene, abs=1e-5)
    assert raw.scene.start == pytest.approx(0.3)
    assert scores.max() > raw.scene.start


@pytest.mark.parametrize("shape", [(1, 1), (5, 300), (31, 40)])
def test_frames_below_the_smallest_size_are_padded_alike(exported, opened, shape):
    raw, (boxes, scores, _) = opened(noise(shape)), in_torch(exported.network, noise(shape))
    np.testing.assert_allclose(raw.scores, scores, atol=1e-5)
    clear = scores > CARD.candidate_threshold
    np.testing.assert_allclose(raw.boxes[clear], boxes[clear], atol=1e-3)


def test_whole_numbers_stay_whole_on_a_very_wide_frame(exported, opened):
    """The place in the whole map is divided by the length of its rows."""
    frame = noise((32, 20_000))
    frame[16, 19_990] += 4000
    difference = agree(opened, TorchNetwork(CARD, exported.network), frame)
    assert difference.score < 1e-4
    assert difference.box_px < 0.05


class TestContent:
    def test_ports(self, exported):
        graph = exported.model.graph
        sides = [side.dim_param or side.dim_value for side in shape_of(graph.input[0])]
        assert [port.name for port in graph.input] == ["frame"]
        assert sides == [1, 2, "height", "width"]
        assert [port.name for port in graph.output] == ["boxes", "scores", "scene"]
        assert shape_of(graph.output[0])[1].dim_value == 4

    def test_the_card_travels_with_it(self, exported):
        properties = {entry.key: entry.value for entry in exported.model.metadata_props}
        card = read_card(properties, "small.onnx")
        assert (card.name, card.candidate_threshold, card.operating_threshold) == (
            "oscar_nano",
            0.02,
            0.3,
        )
        assert card.scene_start == pytest.approx(0.3)

    def test_norms_are_folded(self, exported):
        kinds = [node.op_type for node in exported.model.graph.node]
        convolutions = [part for part in exported.network.modules() if is_convolution(part)]
        assert "BatchNormalization" not in kinds
        assert kinds.count("Conv") == len(convolutions)

    def test_little_else_is_in_it(self, exported):
        """The decoding and the arithmetic of sizes, no subgraphs, one set of operators."""
        assert len(exported.model.graph.node) < 200
        assert not exported.model.functions
        assert [(each.domain, each.version) for each in exported.model.opset_import] == [
            ("", OPSET)
        ]

    def test_it_tells_nothing_of_where_it_was_made(self, exported):
        graph = exported.model.graph
        for told in (b'File "', b".py:", Path(torch.__file__).parents[1].name.encode()):
            assert told not in exported.content
        assert (exported.model.producer_name, exported.model.producer_version) == (
            "deepir",
            __version__,
        )
        assert not any(node.doc_string or node.metadata_props for node in graph.node)

    def test_onnx_itself_is_content(self, exported):
        onnx.checker.check_model(exported.model, full_check=True)


def test_nothing_is_printed_and_the_scene_may_be_off(capfd, recwarn):
    """A network whose scene factor is 1 does without that output."""
    model = onnx_graph(opinionated(floor=1.0), CARD)
    assert capfd.readouterr() == ("", "")
    assert not recwarn.list
    assert [port.name for port in model.graph.output] == ["boxes", "scores"]
    assert "scene_start" not in {entry.key for entry in model.metadata_props}
    network = open_onnx(model.SerializeToString(), "small.onnx", "onnxruntime")
    raw, (_, scores, _) = (
        network(noise((64, 80))),
        in_torch(opinionated(floor=1.0), noise((64, 80))),
    )
    assert raw.scene is None
    np.testing.assert_allclose(raw.scores, scores, atol=1e-5)


def shape_of(port):
    return port.type.tensor_type.shape.dim


def is_convolution(part):
    return isinstance(part, torch.nn.Conv2d)
