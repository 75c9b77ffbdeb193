"""Closed choices that several places offer; here without imports, so that help text is instant."""

from typing import Literal

ReadOut = Literal["peak", "published"]
"""How points are read: our NoCo peak, or the rule of the published table."""

Mode = Literal["default", "reference"]
"""Settings of a detector: ours, or the published ones."""

Engine = Literal["auto", "onnxruntime", "openvino", "torch"]
"""What runs a network: an ONNX file runs in OpenVINO where the processor has bf16 (auto), else in
ONNX Runtime; weights of training or of `deepir convert` run in torch."""

Scene = Literal["on", "off"]
"""Whether a network's judgement of the whole scene may reorder what it believes."""

MapFormat = Literal["npy", "png"]
"""How a raw map is saved: exact, or in 16 bits with the scale that gives its units back."""

MapScale = Literal["full", "frame", "clutter", "robust"]
"""What a map of another program is measured by: the full scale of its numbers (1, 255 or 65535),
its own extremes (the published rule for raw saliency), the clutter of the frame, or robust z."""

Clutter = Literal["cloud", "sea", "terrain", "mixed"]
"""Background of a simulated scene; mixed picks one by the seed."""
