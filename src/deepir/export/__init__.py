"""Networks leave as ONNX files, and no file is kept that differs from the network it came from."""

from deepir.export.files import Report, check_target, export_onnx
from deepir.export.int8 import Loss, Quantised, export_int8, spread_frames
from deepir.export.parity import BOX_PX, SCORE, Difference, compare

__all__ = [
    "BOX_PX",
    "SCORE",
    "Difference",
    "Loss",
    "Quantised",
    "Report",
    "check_target",
    "compare",
    "export_int8",
    "export_onnx",
    "spread_frames",
]
