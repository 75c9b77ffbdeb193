"""A small network with clear opinions, and its ONNX file, made once."""

from __future__ import annotations

from typing import NamedTuple

import pytest

torch = pytest.importorskip("torch", reason="networks are PyTorch modules")
onnx = pytest.importorskip("onnx", reason="files are written with onnx")
pytest.importorskip("onnxscript", reason="torch exports with onnxscript")
pytest.importorskip("safetensors", reason="weights are safetensors files")


class Exported(NamedTuple):
    """A network, its model in ONNX, and that model's bytes."""

    network: object
    model: onnx.ModelProto
    content: bytes


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    """Cores are shared with other tests."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def exported():
    """The small network, which judges the scene; not to be changed."""
    from opinionated import CARD, opinionated

    from deepir.export.graph import onnx_graph

    network = opinionated(seed=0)
    model = onnx_graph(network, CARD)
    return Exported(network, model, model.SerializeToString())
