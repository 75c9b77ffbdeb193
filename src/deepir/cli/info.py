"""``deepir info``: what a bug report needs."""

from __future__ import annotations

import platform
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from deepir.cli.terminal import print_json, print_table

PACKAGES = (
    "deepir",
    "numpy",
    "scipy",
    "opencv-python-headless",
    "tifffile",
    "defusedxml",
    "pydantic",
    "cyclopts",
    "rich",
    "onnxruntime",
    "pooch",
    "pyyaml",
    "requests",
    "threadpoolctl",
    "openvino",
    "torch",
    "safetensors",
)
"""What deepir needs, then what runs networks where it is installed."""


def info(*, json: bool = False) -> None:
    """Show versions, processor, threads and inference providers.

    Args:
        json: print JSON.
    """
    from deepir.tables import Table

    facts = machine_facts()
    if json:
        print_json(facts)
    else:
        print_table(Table(("what", "value"), [(k, str(v)) for k, v in facts.items()]))


def machine_facts() -> dict[str, object]:
    """Collect the facts; a package that is not there is "not installed"."""
    import os

    import cv2

    return {
        **{name: _version(name) for name in PACKAGES},
        "python": platform.python_version(),
        "system": platform.platform(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "opencv_threads": cv2.getNumThreads(),
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "not set"),
        "OMP_WAIT_POLICY": os.environ.get("OMP_WAIT_POLICY", "not set"),
        "OPENBLAS_NUM_THREADS": os.environ.get("OPENBLAS_NUM_THREADS", "not set"),
        "providers": _providers(),
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _processor() -> str:
    import cv2

    return f"{_processor_name()} ({cv2.getCPUFeaturesLine()})"


def _processor_name() -> str:
    listing = Path("/proc/cpuinfo")
    lines = listing.read_text().splitlines() if listing.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _providers() -> list[str]:
    """Inference providers of ONNX Runtime; none where it is not installed."""
    try:
        return list(import_module("onnxruntime").get_available_providers())
    except ImportError:
        return []
