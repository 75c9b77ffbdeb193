"""The published network against ours, and what each step towards speed brings to it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from deepir.card import Card
from deepir.export.graph import OPSET, quiet
from deepir.models.folding import fold_norms
from deepir.models.oscar import Oscar
from deepir.models.oscar.decode import decode
from deepir.models.oscar.pipeline import Prepared, prepare
from deepir.models.running import UNCHOSEN_OSCAR, TorchNetwork
from deepir.models.trained import build, read_trained
from deepir.runtime.engines import INPUT, OUTPUTS, Run, open_session, run_openvino, run_session
from deepir.structures import Image
from deepir.training.device import uses_bf16
from network_speed.detecting import SHAPES, Entry
from network_speed.frames import frames_of
from network_speed.published_graph import PublishedOscar, published_graph
from network_speed.turns import WHOLE, Contestant, spread, take_turns, timed, times_faster

NAME = "oscar_r18_256"
FRAMES = 8
LITERAL = "published graph"
SAME = 1e-4
"""Outputs in float32 differ by no more, of those beyond 1 by this share."""

GOALS = {
    "oscar_nano, onnxruntime, array to detections": 30.0,
    "oscar_nano, openvino, array to detections": 60.0,
}
"""How many times faster than the published graph our networks are to be."""

Raw = tuple[Tensor, ...]
Maps = list[NDArray[np.float32]]
Forward = Callable[[Tensor], Raw]


def against_published(
    weights: Path | None, running: Sequence[Entry], root: Path | None, rounds: int
) -> dict[str, Any]:
    """Time the published graph, ours in every form, and our networks end to end, in turns.

    All on the same 640x512 frames; graphs begin with the frame prepared as published (768x608) and
    end with raw outputs. Outputs of the graphs are compared before. Without ``weights`` of the
    published network it is untrained.
    """
    shown = frames_of(root, SHAPES[0], FRAMES)
    network = trained(weights) if weights else untrained()
    literal = published_graph(network)
    prepared = [prepare(image) for image in shown.images]
    graphs = forms(network, literal, inputs_of(prepared)[0])
    apart = compared(graphs, inputs_of(prepared)[0])
    contestants = {name: on(forward, inputs_of(prepared)) for name, forward in graphs.items()}
    contestants |= whole_ways(network, literal, shown.images)
    for entry in running:
        name = f"{entry.name}, {entry.engine}, array to detections"
        contestants[name] = timed(over(entry.detector().detect, shown.images))
    with torch.inference_mode():
        times = take_turns(contestants, rounds)
    rows = [
        {
            "what": name,
            **spread(parts[WHOLE]),
            "times_faster_than_published": times_faster(parts[WHOLE], times[LITERAL][WHOLE]),
            "goal": GOALS.get(name),
            "differs_by": apart.get(name),
        }
        for name, parts in times.items()
    ]
    return {"rounds": rounds, "frames": [shown.origin], "rows": rows}


def trained(path: Path) -> Oscar:
    """Published weights that `deepir convert` wrote."""
    network = read_trained(path).network
    if not isinstance(network, Oscar):
        raise SystemExit(f"{str(path)!r} is to hold {NAME}, it holds {type(network).__name__}")
    return network


@torch.no_grad()
def untrained() -> Oscar:
    """The published start, with norms that change what passes, and scores that are all low."""
    torch.manual_seed(0)
    network = build(NAME)
    assert isinstance(network, Oscar)
    for part in network.modules():
        if isinstance(part, nn.BatchNorm2d | nn.GroupNorm):
            part.weight.uniform_(0.5, 1.5)
            part.bias.normal_(0.0, 0.1)
        if isinstance(part, nn.BatchNorm2d):
            assert part.running_mean is not None
            assert part.running_var is not None
            part.running_mean.normal_(0.0, 0.1)
            part.running_var.uniform_(0.5, 1.5)
    assert network.refine.score.bias is not None
    network.refine.score.bias.fill_(-10.0)  # as of a trained one: hardly any candidate to suppress
    return network.eval()


def inputs_of(prepared: Sequence[Prepared]) -> list[Tensor]:
    """Images (1, 3, H, W) as published, three equal channels."""
    return [torch.from_numpy(each.pixels).expand(3, -1, -1)[None].contiguous() for each in prepared]


def forms(network: Oscar, literal: PublishedOscar, example: Tensor) -> dict[str, Forward]:
    """The published graph and ours, each form with what the one before it has."""
    # A copy, as a network's memory layout is changed in place.
    channels_last = copy.deepcopy(network).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    folded = fold_norms(channels_last)
    found: dict[str, Forward] = {
        LITERAL: literal,
        "ours: without layers that nobody reads": network,
        "+ channels last": last(channels_last),
        "+ batch norms folded": last(folded),
    }
    if uses_bf16("auto", torch.device("cpu")):
        found["+ bfloat16 (autocast)"] = autocast(last(folded))
    else:
        print("left out: autocast, as this processor does not compute in bfloat16")
    return found | engines(fold_norms(network), example)


def last(network: Oscar) -> Forward:
    """The network on images whose channels lie side by side; the change of layout included."""
    return lambda images: network(images.contiguous(memory_format=torch.channels_last))


def autocast(forward: Forward) -> Forward:
    """The same in mixed precision."""

    def run(images: Tensor) -> Raw:
        with torch.autocast("cpu", torch.bfloat16):
            return forward(images)

    return run


class Bundled(nn.Module):
    """Five maps in two outputs, one for each grid: deepir's engines read two."""

    def __init__(self, network: Oscar) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Fine maps (B, 6, h, w) and coarse ones (B, 5, h / 2, w / 2)."""
        raw = self.network(images)
        return torch.cat(raw[:3], dim=1), torch.cat(raw[3:], dim=1)


def engines(network: Oscar, example: Tensor) -> dict[str, Forward]:
    """The network as an ONNX graph of this one size, in every engine that is installed."""
    if find_spec("onnx") is None or find_spec("onnxscript") is None:
        print(f"left out: {NAME} as an ONNX graph, as onnx and onnxscript are not both installed")
        return {}
    content = exported(network, example)
    found = {"ours in ONNX Runtime": run_session(open_session(content, NAME, optimised=True))}
    if find_spec("openvino") is None:
        print(f"left out: {NAME} in openvino, which is not installed")
    else:
        found["ours in OpenVINO, float32"] = run_openvino(content, NAME, precision="f32")
        found["ours in OpenVINO, its own choice"] = run_openvino(content, NAME)
    return {name: unbundled(run) for name, run in found.items()}


def exported(network: Oscar, example: Tensor) -> bytes:
    """The ONNX graph; nothing is written."""
    with quiet():
        program = torch.onnx.export(
            Bundled(network),
            (example,),
            dynamo=True,
            input_names=[INPUT],
            output_names=list(OUTPUTS),
            opset_version=OPSET,
            verbose=False,
        )
    assert program is not None
    return bytes(program.model_proto.SerializeToString())


def unbundled(run: Run) -> Forward:
    """An engine as a function of images that gives the five maps."""

    def forward(images: Tensor) -> Raw:
        outputs = run(images.numpy())
        fine, coarse = (torch.from_numpy(outputs[name]) for name in OUTPUTS)
        return fine[:, :1], fine[:, 1:5], fine[:, 5:], coarse[:, :1], coarse[:, 1:]

    return forward


@torch.inference_mode()
def compared(graphs: Mapping[str, Forward], images: Tensor) -> dict[str, float]:
    """How far the outputs of each graph are from the literal one's, at most.

    Raises:
        SystemExit: ours, in float32, is another network than the published one.
    """
    wanted = [each.float() for each in graphs[LITERAL](images)]
    apart = {}
    for name, forward in graphs.items():
        if name != LITERAL:
            given = [each.float() for each in forward(images)]
            apart[name] = max(map(distance, given, wanted))
            exact = "bfloat16" not in name and "its own choice" not in name
            if exact and not apart[name] <= SAME:
                raise SystemExit(
                    f"{name} differs from the published graph by {apart[name]:.2g}, {SAME:g} is"
                    " allowed: they are not the same network"
                )
    return apart


def distance(given: Tensor, wanted: Tensor) -> float:
    """Largest difference, of values beyond 1 as a share of them."""
    return float(((given - wanted).abs() / wanted.abs().clamp(min=1.0)).max())


def whole_ways(
    network: Oscar, literal: PublishedOscar, images: Sequence[Image]
) -> dict[str, Contestant]:
    """From an array to boxes: the published graph, and ours as the package runs it."""
    own = TorchNetwork(Card(NAME, *UNCHOSEN_OSCAR), fold_norms(network))

    def published(image: Image) -> object:
        prepared = prepare(image)
        raw = literal(inputs_of([prepared])[0])
        return decode(raw, sizes=[prepared.size], scales=[prepared.scale])

    return {
        "published graph, array to boxes": timed(over(published, images)),
        f"{NAME} as deepir runs it, array to boxes": timed(over(own, images)),
    }


def on(forward: Forward, images: Sequence[Tensor]) -> Contestant:
    """A graph that takes the images in turn."""
    return timed(lambda number: forward(images[number % len(images)]))


def over(work: Callable[[Image], object], images: Sequence[Image]) -> Callable[[int], object]:
    """Work that takes the frames in turn."""
    return lambda number: work(images[number % len(images)])
