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

Clutter = Literal["cloud", "sea", "terrain", "mixed"]
"""Background of a simulated scene; mixed picks one by the seed."""
