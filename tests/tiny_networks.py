"""Real ONNX files of a few nodes: they box the local maxima of the first channel."""

from __future__ import annotations

import pytest

from deepir.card import Card

CANDIDATES, BELIEVED = 0.02, 0.5
STEEPNESS, MIDDLE = 4.0, 1.5
KEPT = 100
REACH = 2
SCENE_START = BELIEVED

CARD = Card("oscar_nano", CANDIDATES, BELIEVED).properties()


def peak_boxes(properties=CARD, *, inputs=("frame",), outputs=("boxes", "scores"), **options):
    """Content of an ONNX file that boxes 3x3 pixels around each maximum of 5x5 pixels.

    Scores are ``sigmoid(4 (c - 1.5))`` of the channel's value; the best 100, best first. Options:
    ``twins`` adds each box again, one pixel further and a tenth weaker; ``shift`` moves the boxes;
    ``sides`` are the input's height and width, names are any size; ``gain`` multiplies the scores;
    ``scene`` is a factor: with it, the file judges every scene alike, from `SCENE_START` on.
    """
    onnx = pytest.importorskip("onnx", reason="onnx writes the files of these tests")
    graph = _Graph(onnx.helper)
    settings = {"twins": False, "shift": 0.0, "gain": 1.0, "scene": None, **options}
    sides = settings.pop("sides", ("H", "W"))
    _peaks(graph, inputs[0], outputs, **settings)
    if settings["scene"] is not None:
        outputs = (*outputs, "scene")
    return graph.file(onnx, properties, inputs, outputs, sides)


def judging(calibration=None, **options):
    """Content of an ONNX file that judges the scene by a factor (default 0.4), with its card."""
    card = Card("oscar_nano", CANDIDATES, BELIEVED, calibration, scene_start=SCENE_START)
    return peak_boxes(card.properties(), **{"scene": 0.4, **options})


def no_boxes(properties=CARD, *, block=1):
    """Content of an ONNX file that finds nothing at all: K = 0.

    It fails on a frame whose channels are not a multiple of ``block`` numbers.
    """
    onnx = pytest.importorskip("onnx", reason="onnx writes the files of these tests")
    graph = _Graph(onnx.helper)
    blocks = graph("Reshape", "frame", graph.whole([-1, block]))
    every = graph("Reshape", blocks, graph.whole([-1]))
    none = graph("Slice", every, graph.whole([0]), graph.whole([0]))
    graph("Reshape", none, graph.whole([0, 4]), allowzero=1, to=["boxes"])
    graph("Identity", none, to=["scores"])
    return graph.file(onnx, properties, ("frame",), ("boxes", "scores"), ("H", "W"))


def hidden_nan(properties=CARD):
    """Content of an ONNX file that multiplies by NaN before a rectifier, which may hide that."""
    onnx = pytest.importorskip("onnx", reason="onnx writes the files of these tests")
    graph = _Graph(onnx.helper)
    rectified = graph("Relu", graph("Mul", "frame", graph.real(float("nan"))))
    flat = graph("Reshape", rectified, graph.whole([-1]))
    best, index = graph("TopK", flat, graph.whole([5]), to=["best", "index"])
    corner = graph("Unsqueeze", graph("Cast", index, to_type=1), graph.whole([1]))
    graph("Concat", corner, corner, corner, corner, axis=1, to=["boxes"])
    graph("Identity", best, to=["scores"])
    return graph.file(onnx, properties, ("frame",), ("boxes", "scores"), ("H", "W"))


def _judged(graph, scores, factor):
    """Shrink what scores exceed the start by, as a network's look at the scene does."""
    start = graph.real(SCENE_START)
    graph("Identity", graph.real(factor), to=["scene"])
    beyond = graph("Relu", graph("Sub", scores, start))
    return graph("Add", graph("Min", scores, start), graph("Mul", beyond, graph.real(factor)))


def _peaks(graph, frame, outputs, *, twins, shift, gain, scene):
    channel = graph("Slice", frame, *(graph.whole([n]) for n in (0, 1, 1)))
    side = 2 * REACH + 1
    around = graph("MaxPool", channel, kernel_shape=[side] * 2, pads=[REACH] * 4)
    logit = graph("Mul", graph("Sub", channel, graph.real(MIDDLE)), graph.real(STEEPNESS))
    belief = graph("Mul", graph("Sigmoid", logit), graph.real(gain))
    belief = graph("Where", graph("Equal", channel, around), belief, graph.real(0.0))
    flat = graph("Reshape", belief, graph.whole([-1]))
    scores, index = graph("TopK", flat, graph.whole([KEPT]), to=["best", "index"])
    width = graph("Gather", graph("Shape", frame), graph.whole([3]))
    row = graph("Div", index, width)
    column = graph("Sub", index, graph("Mul", row, width))
    x, y = (
        graph("Unsqueeze", graph("Cast", axis, to_type=1), graph.whole([1]))
        for axis in (column, row)
    )
    first, last = (graph.real(shift - 1), graph.real(shift + 2))
    corners = [graph("Add", axis, edge) for edge in (first, last) for axis in (x, y)]
    boxes = graph("Concat", *corners, axis=1)
    if twins:
        weaker = graph("Mul", scores, graph.real(0.9))
        doubled = graph("Concat", scores, weaker, axis=0)
        boxes = graph("Concat", boxes, graph("Add", boxes, graph.real(1.0)), axis=0)
        scores, chosen = graph("TopK", doubled, graph.whole([KEPT]), to=["both", "chosen"])
        boxes = graph("Gather", boxes, chosen)
    if scene is not None:
        scores = _judged(graph, scores, scene)
    for value, name in zip((boxes, scores), outputs, strict=True):
        graph("Identity", value, to=[name])


class _Graph:
    """Nodes in the order in which they are called for."""

    def __init__(self, helper):
        self._helper = helper
        self._nodes, self._constants = [], []

    def __call__(self, kind, *inputs, to=None, to_type=None, **attributes):
        names = to or [f"{kind}_{len(self._nodes)}"]
        if to_type:
            attributes["to"] = to_type
        self._nodes.append(self._helper.make_node(kind, list(inputs), names, **attributes))
        return names[0] if len(names) == 1 else names

    def whole(self, values):
        return self._constant(7, [len(values)], values)

    def real(self, value):
        return self._constant(1, [], [value])

    def _constant(self, kind, shape, values):
        name = f"constant_{len(self._constants)}"
        self._constants.append(self._helper.make_tensor(name, kind, shape, values))
        return name

    def file(self, onnx, properties, inputs, outputs, sides):
        helper = self._helper
        taken = [helper.make_tensor_value_info(inputs[0], 1, [1, 2, *sides])]
        shapes = (["K", 4], ["K"], [])
        given = [
            helper.make_tensor_value_info(name, 1, shape)
            for name, shape in zip(outputs, shapes, strict=False)
        ]
        graph = helper.make_graph(self._nodes, "tiny", taken, given, self._constants)
        opset = helper.make_opsetid("", 18)
        model = helper.make_model(graph, opset_imports=[opset], ir_version=10)
        helper.set_model_props(model, dict(properties))
        onnx.checker.check_model(model)
        return model.SerializeToString()
