"""From a network in PyTorch to an ONNX graph: any frame size, decoding included."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator

import onnx
import torch
from torch import Tensor, nn

from deepir import __version__
from deepir.card import Card
from deepir.errors import DeepirError
from deepir.models.cascade import Cascade
from deepir.models.cascade.decode import decode_packed
from deepir.models.folding import fold_norms
from deepir.models.running import scene_noted
from deepir.runtime.engines import INPUT, OUTPUTS, SCENE
from deepir.standardise import SMALLEST, WINDOWS

OPSET = 18
"""Version of the operators: ONNX Runtime 1.20 and OpenVINO 2025.0 know it."""

IR_VERSION = 10

_TRACED = (96, 128)
"""Size of the frame that the exporter follows; the file takes any."""


class _Detecting(nn.Module):
    """What a file holds: standardised frames (1, 2, H, W) to boxes (K, 4) and scores (K,).

    With ``judging`` also the factor that the scene got, (1,).
    """

    def __init__(self, network: Cascade, *, judging: bool) -> None:
        super().__init__()
        self.judging = judging
        self.network = fold_norms(network)
        self.eval()

    def forward(self, frame: Tensor) -> tuple[Tensor, ...]:
        maps = self.network.packed(frame)
        if not self.judging:
            maps = maps._replace(scene=torch.ones(1))
        found = decode_packed(maps, frame.shape[-2], frame.shape[-1])
        return (*found, maps.scene) if self.judging else found


def onnx_graph(network: Cascade, card: Card) -> onnx.ModelProto:
    """ONNX model of a network, its card in its properties, checked by onnx.

    Batch normalisation is folded into the convolutions. A network that judges the scene gives that
    judgement as one more output. The model says nothing of where it was made: no paths, no stack
    traces, and the same weights give the same bytes.

    Raises:
        DeepirError: torch cannot export the network for frames of any size.
    """
    card = scene_noted(card, network)
    judging = card.scene_start is not None
    outputs = [*OUTPUTS, SCENE] if judging else list(OUTPUTS)
    frame = torch.zeros(1, len(WINDOWS), *_TRACED)
    height, width = (torch.export.Dim(name, min=SMALLEST) for name in ("height", "width"))
    with quiet():
        try:
            program = torch.onnx.export(
                _Detecting(network, judging=judging),
                (frame,),
                dynamo=True,
                dynamic_shapes={"frame": {2: height, 3: width}},
                input_names=[INPUT],
                output_names=outputs,
                opset_version=OPSET,
                verbose=False,
            )
        except Exception as error:  # the exporter's exceptions have no common class
            reason = " ".join(str(error).split())[:200]
            raise DeepirError(f"torch cannot export {card.name!r}: {reason}") from error
    assert program is not None  # as nothing is written by the exporter itself
    return _described(bare(program.model_proto), card)


def bare(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model without what its maker says of the source code, and shapes that follow anyway."""
    graph = model.graph
    for part in (graph, *graph.node, *graph.initializer, *graph.input, *graph.output):
        part.ClearField("doc_string")
        part.ClearField("metadata_props")
    graph.ClearField("value_info")
    for output in graph.output:
        if output.name in OUTPUTS:
            output.type.tensor_type.shape.dim[0].dim_param = "count"
    return model


def _described(model: onnx.ModelProto, card: Card) -> onnx.ModelProto:
    """Give a model its card, and make sure that it is what it should be."""
    model.graph.name = card.name
    model.producer_name, model.producer_version = "deepir", __version__
    model.doc_string = ""
    model.ir_version = IR_VERSION
    onnx.helper.set_model_props(model, card.properties())
    onnx.checker.check_model(model, full_check=True)
    fixed = [side.dim_value for side in model.graph.input[0].type.tensor_type.shape.dim[2:]]
    if any(fixed):
        raise DeepirError(
            f"the exported network takes frames of {fixed[1]}x{fixed[0]} pixels only: something in"
            " it depends on the frame's size in a way that ONNX cannot say"
        )
    slow = [node.name for node in model.graph.node if node.op_type == "BatchNormalization"]
    if slow:
        raise DeepirError(
            f"{len(slow)} batch normalisations follow no convolution, such as {slow[0]}: they"
            " cannot be folded"
        )
    return model


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep the exporter's prints, warnings and log lines away; its errors come through."""
    before = logging.root.manager.disable
    logging.disable(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
