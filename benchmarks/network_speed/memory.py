"""Peak memory of `deepir detect` with each network and engine, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from network_speed.detecting import SHAPES, Entry
from network_speed.frames import frames_of

FRAMES = 3

CODE = """
import sys
from pathlib import Path
from deepir.cli import run
from deepir.results import peak_memory_mb

status = run(sys.argv[1:])
listing = Path("/proc/self/status")
lines = listing.read_text().splitlines() if listing.exists() else []
# The system counts the process that started this one into its largest resident size, except here.
own = [int(line.split()[1]) / 1e3 for line in lines if line.startswith("VmHWM")]
print(own[0] if own else peak_memory_mb())
sys.exit(status)
"""


def memory(running: Sequence[Entry], root: Path | None) -> dict[str, Any]:
    """Peak resident megabytes on a stack of 1280x1024 frames."""
    shown = frames_of(root, SHAPES[1], FRAMES)
    with tempfile.TemporaryDirectory() as folder:
        stack = Path(folder) / "stack.npy"
        np.save(stack, np.stack(shown.images))
        rows = [
            {
                "network": entry.name,
                "engine": entry.engine,
                "peak_mb": peak(
                    stack,
                    *("--detector", entry.name, "--engine", entry.engine),
                    *("--weights", entry.weights, "--out", Path(folder) / "out"),
                ),
            }
            for entry in running
        ]
    return {"frames": [shown.origin], "rows": rows}


def peak(*arguments: object) -> float:
    """Peak memory of a `deepir detect` run, read from inside that process.

    Raises:
        SystemExit: it failed; what it said.
    """
    command = [sys.executable, "-c", CODE, "detect", *map(str, arguments), "--no-overlays"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"deepir detect ended with {done.returncode}: {done.stderr}")
    return float(done.stdout.splitlines()[-1])
