"""The engines that this installation has."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from deepir.runtime import OnnxNetwork, open_onnx
from deepir.runtime.engines import run_openvino


@pytest.fixture(params=["onnxruntime", "openvino", "openvino f32"])
def opened(request):
    """Open the content of a file in one of the engines; skipped where that is not installed."""
    engine, _, precision = request.param.partition(" ")
    if find_spec(engine) is None:
        pytest.skip(f"{engine} is not installed")

    def call(content, source="tiny.onnx"):
        network = open_onnx(content, source, engine)
        if not precision:
            return network
        run = run_openvino(content, source, precision=precision)
        return OnnxNetwork(network.card, engine, run)

    return call
