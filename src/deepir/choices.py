"""Closed choices that several places offer; here without imports, so that help text is instant."""

from typing import Literal

ReadOut = Literal["peak", "published"]
"""How points are read: our NoCo peak, or the rule of the published table."""

Mode = Literal["default", "reference"]
"""Settings of a detector: ours, or the published ones."""

Engine = Literal["auto", "onnxruntime", "openvino"]
"""What runs a network from an ONNX file; auto takes OpenVINO where the processor has bf16."""

Clutter = Literal["cloud", "sea", "terrain", "mixed"]
"""Background of a simulated scene; mixed picks one by the seed."""
