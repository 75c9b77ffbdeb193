"""``run.json``: from what a run can be repeated, and what came out of it."""

from __future__ import annotations

import json
import os
import platform
import reprlib
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import NoneType
from typing import Any

import torch

from deepir import __version__
from deepir.errors import DeepirError
from deepir.training.frames import Frames
from deepir.training.request import Execution, Request

FORMAT = "deepir training run 1"

FREE = ("root", "checkpoint_every")
"""Options of a request that may change when a run goes on: they do not change its result."""

_PACKAGES = ("torch", "numpy", "opencv-python-headless", "scipy", "safetensors")
_GIT_SECONDS = 5


def new_record(
    request: Request, frames: Frames, val: Frames | None, init: Mapping[str, str] | None
) -> dict[str, Any]:
    """What decides a run; `differences` compares two of them."""
    return {
        "format": FORMAT,
        "options": request.options(),
        "train": frames.facts(),
        "val": val.facts() if val else None,
        "init": dict(init) if init else None,
        "visits": [],
        "results": {"status": "started", "iteration": 0},
    }


def visit(
    execution: Execution, device: torch.device, iteration: int, *, bf16: bool
) -> dict[str, Any]:
    """Where, when, how and with what a run is carried on from an iteration."""
    return {
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "from_iteration": iteration,
        "command": sys.argv,
        "execution": asdict(execution),
        "bf16": bf16,
        "versions": {
            "deepir": __version__,
            "python": platform.python_version(),
            **{name: _version(name) for name in _PACKAGES},
        },
        "source": source_commit(),
        "machine": {
            "system": platform.platform(),
            "processor": _processor(),
            "cores": os.cpu_count(),
            "threads": torch.get_num_threads(),
            "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
        },
    }


def read_record(path: Path) -> dict[str, Any] | None:
    """Read the record of an earlier run; None where there is none.

    Raises:
        DeepirError: the file is no record, or a damaged one.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise DeepirError(f"{str(path)!r} is no readable record of a run: {error}") from None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise DeepirError(
            f"{str(path)!r} is no record of a training run of this version: choose another"
            " --work-dir"
        )
    for name, kinds in _PARTS.items():
        part = found.get(name, _ABSENT)
        if not isinstance(part, kinds) or not all(isinstance(one, dict) for one in _rows(part)):
            raise DeepirError(
                f"{str(path)!r} is a damaged record of a run, {name!r} is {reprlib.repr(part)}:"
                " choose another --work-dir"
            )
    return found


_ABSENT = "not there"

_PARTS: dict[str, type | tuple[type, ...]] = {
    "options": dict,
    "train": dict,
    "val": (dict, NoneType),
    "init": (dict, NoneType),
    "visits": list,
    "results": dict,
}
"""What a record holds beside its format; a list holds objects."""


def _rows(part: object) -> list[Any]:
    return part if isinstance(part, list) else []


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """What keeps a run from going on where another one stopped, in words; nothing if it may."""
    told = []
    before, now = _flat(old["options"]), _flat(new["options"])
    for name in sorted(set(before) | set(now)):
        if name not in FREE and before.get(name) != now.get(name):
            told.append(f"{name} is {_said(before, name)} there, {_said(now, name)} here")
    told += [
        f"the {part} frames are others ({_count(old[part])} there, {_count(new[part])} here)"
        for part in ("train", "val")
        if (old[part] or {}).get("fingerprint") != (new[part] or {}).get("fingerprint")
    ]
    if (old["init"] or {}).get("sha256") != (new["init"] or {}).get("sha256"):
        told.append("the weights to begin with are others")
    return told


def source_commit() -> dict[str, Any] | None:
    """Commit of the checkout that deepir runs from, and whether it was changed; None without."""
    folder = Path(__file__).parent
    tracked = _git(folder, "ls-files", "--error-unmatch", Path(__file__).name)
    commit = _git(folder, "rev-parse", "HEAD")
    if tracked is None or commit is None:
        return None
    return {"commit": commit, "changed": bool(_git(folder, "status", "--porcelain", "."))}


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        run = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            capture_output=True,
            check=True,
            timeout=_GIT_SECONDS,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return run.stdout.decode(errors="replace").strip()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _processor() -> str:
    listing = Path("/proc/cpuinfo")
    lines = listing.read_text().splitlines() if listing.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _flat(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options with nested names joined by a point."""
    flat: dict[str, Any] = {}
    for name, value in options.items():
        if isinstance(value, Mapping):
            flat |= {f"{name}.{inner}": part for inner, part in _flat(value).items()}
        else:
            flat[name] = value
    return flat


def _said(options: Mapping[str, Any], name: str) -> str:
    return repr(options[name]) if name in options else "not given"


def _count(facts: Mapping[str, Any] | None) -> str:
    return f"{facts.get('frames')} with {facts.get('targets')} targets" if facts else "none"
