"""What a figure depends on beside the code: machine, versions, commit."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import cv2

PACKAGES = ("torch", "onnxruntime", "openvino", "numpy")
SETTINGS = ("OMP_WAIT_POLICY", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")
BUSY = 0.5
"""Processes at work in the last minute, on average, from which a machine is not idle."""


def facts() -> dict[str, Any]:
    """Everything by name; None where it is unknown or not installed."""
    versions: dict[str, str | None] = {"python": platform.python_version()}
    versions |= {name: installed(name) for name in PACKAGES}
    return {
        "commit": commit(),
        "processor": processor(),
        "cores": cores(),
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "versions": {**versions, "opencv": str(cv2.__version__)},
        "environment": {name: os.environ.get(name) for name in SETTINGS},
    }


def told(known: dict[str, Any]) -> str:
    """The facts in three lines, and a warning where others are at work."""
    versions = ", ".join(f"{name} {number or '-'}" for name, number in known["versions"].items())
    chosen = " ".join(f"{name}={text}" for name, text in known["environment"].items() if text)
    lines = [
        f"commit {known['commit'] or 'unknown'}; {known['processor']}, {known['cores']} cores,"
        f" load {known['load']}",
        versions,
        chosen,
    ]
    if (known["load"] or 0.0) > BUSY:
        lines.append(f"not idle (load {known['load']}): these figures mean little")
    return "\n".join(lines)


def installed(package: str) -> str | None:
    """Version of a package; None where it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def processor() -> str:
    """Name of the processor."""
    listing = Path("/proc/cpuinfo")
    lines = listing.read_text().splitlines() if listing.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def cores() -> int | None:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def commit() -> str | None:
    """Commit of this checkout, and whether tracked files were changed since; None without git."""
    folder = str(Path(__file__).parent)
    try:
        found = subprocess.run(
            ["git", "-C", folder, "describe", "--always", "--dirty= (changed)", "--exclude=*"],
            capture_output=True,
            check=True,
            text=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.strip()
