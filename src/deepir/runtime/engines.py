"""The two programs that can run an ONNX file; each is imported when it is first asked for."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from deepir.errors import DeepirError, UsageError

if TYPE_CHECKING:
    import onnxruntime
    import openvino

Channels = NDArray[np.float32]  # (1, 2, H, W)
Outputs = Mapping[str, NDArray[np.float32]]
Run = Callable[[Channels], Outputs]

INPUT = "frame"
OUTPUTS = ("boxes", "scores")
SCENE = "scene"
"""Third output of a network that judges the whole scene; others do without."""

_FATAL_ONLY = 4  # severity: what goes wrong comes as an exception
_REASON_LENGTH = 160


@cache
def best_engine() -> Literal["onnxruntime", "openvino"]:
    """OpenVINO where it is installed and the processor multiplies bf16, else ONNX Runtime.

    On such a processor OpenVINO computes in bf16 by itself, twice as fast; on others the two are
    equally fast.
    """
    if find_spec("openvino") is None:
        return "onnxruntime"
    try:
        able = _core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    except Exception:  # an installation that does not work is no reason to fail
        return "onnxruntime"
    return "openvino" if "BF16" in able else "onnxruntime"


def open_session(content: bytes, source: str, *, optimised: bool) -> onnxruntime.InferenceSession:
    """ONNX Runtime on all cores; unoptimised it opens in a third of the time, to look inside.

    Raises:
        UsageError: ONNX Runtime is not installed, or does not work.
        DeepirError: the content is no ONNX model, or one cut off.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise UsageError(
            f"{source} needs onnxruntime, which cannot be imported here ({reason(error)}): pip"
            " install onnxruntime"
        ) from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = _cores()
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = _FATAL_ONLY
    # Waiting threads that spin steal from others and gain nothing: 57.5 ms a frame against 57.2.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if not optimised:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    try:
        return onnxruntime.InferenceSession(
            content,
            options,
            providers=["CPUExecutionProvider"],
            enable_fallback=0,  # it would print, and try the same again
        )
    except Exception as error:  # its exceptions have no common class
        raise DeepirError(f"{source} is no ONNX file, or a damaged one: {reason(error)}") from None


def run_session(session: onnxruntime.InferenceSession) -> Run:
    """Run one frame after the other through a session of ONNX Runtime."""
    names = wanted_outputs(port.name for port in session.get_outputs())

    def run(channels: Channels) -> Outputs:
        return dict(zip(names, session.run(names, {INPUT: channels}), strict=True))

    return run


def run_openvino(content: bytes, source: str, *, precision: Literal["f32"] | None = None) -> Run:
    """Compile a file with OpenVINO for frames of any size, and run one after the other.

    ``precision`` None leaves it to the processor (bf16 where it can), "f32" computes as ONNX
    Runtime does. A network compiled for one size runs a tenth faster, yet compiling takes 0.1 s,
    and then a frame's last digits would depend on what came before it.

    Raises:
        UsageError: OpenVINO is not installed.
        DeepirError: it cannot compile this file.
    """
    try:
        core = _core()
    except ImportError:
        raise UsageError(
            "the engine 'openvino' is not installed: pip install 'deepir[openvino]', or take"
            " --engine onnxruntime"
        ) from None
    settings = {"PERFORMANCE_HINT": "LATENCY"}
    if precision:
        settings["INFERENCE_PRECISION_HINT"] = precision
    try:
        compiled = core.compile_model(core.read_model(content), "CPU", settings)
        request = compiled.create_infer_request()
    except Exception as error:  # its exceptions have no common class
        raise DeepirError(f"OpenVINO cannot compile {source}: {reason(error)}") from None
    names = wanted_outputs(name for port in compiled.outputs for name in port.get_names())
    lock = threading.Lock()  # a request takes one frame at a time

    def run(channels: Channels) -> Outputs:
        with lock:
            request.infer({INPUT: channels}, share_inputs=True)
            return {name: request.get_tensor(name).data.copy() for name in names}

    return run


def wanted_outputs(given: Iterable[str]) -> tuple[str, ...]:
    """Outputs that are read, of those that a file gives."""
    return (*OUTPUTS, SCENE) if SCENE in set(given) else OUTPUTS


@cache
def _core() -> openvino.Core:
    """Give OpenVINO's only core in this process, kept to its end.

    Its CPU plugin brings a stack for signal handlers of its own. When two cores come and go, the
    stack that is left in place is one that was freed (seen in 2026.4), and Ctrl-C is a crash.
    """
    import openvino

    return openvino.Core()


def reason(error: BaseException) -> str:
    """One line of what an engine says."""
    text = " ".join(str(error).split())
    return text if len(text) <= _REASON_LENGTH else f"{text[:_REASON_LENGTH]}..."


def _cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
