"""Networks from ONNX files, without torch: ONNX Runtime, or OpenVINO where it is faster.

A file takes ``frame`` float32 (1, 2, H, W), the standardised channels of a frame of any size from
32 pixels a side, and gives ``boxes`` float32 (K, 4) in pixels of the frame and ``scores`` float32
(K,) in [0, 1]. It may give ``scene``, one float32: by what factor in (0, 1] the whole frame made it
shrink what scores exceed the property ``scene_start`` by. Its properties hold a `deepir.card.Card`.
"""

from deepir.runtime.engines import best_engine
from deepir.runtime.network import Agreement, OnnxNetwork, agree, open_onnx

__all__ = ["Agreement", "OnnxNetwork", "agree", "best_engine", "open_onnx"]
