"""Peak memory of reading and evaluating, for more and more frames: it must not grow with them.

    python benchmarks/memory.py

Each figure is a process of its own: `deepir eval` over simulated frames on disk, and
`deepir detect` over a NumPy stack of 14-bit frames.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

COUNTS = (32, 128, 512)
SHAPE = (256, 320)


def main() -> None:
    """Print peak resident megabytes by number of frames."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        print("| frames | eval MB | detect on a stack MB | stack on disk MB |")
        print("| --- | --- | --- | --- |")
        for count in COUNTS:
            stack = write_stack(root / "stack.npy", count)
            run("simulate", "--out", root / "sim", "--count", count, "--split", f"n{count}")
            peaks = eval_peak(root, count), detect_peak(root)
            print(f"| {count} | {peaks[0]:.0f} | {peaks[1]:.0f} | {stack:.0f} |")


def write_stack(path: Path, count: int) -> float:
    """Noise frames, written one at a time; returns megabytes."""
    stack = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint16, shape=(count, *SHAPE))
    generator = np.random.default_rng(0)
    for frame in stack:
        frame[:] = generator.integers(6000, 6200, SHAPE)
    stack.flush()
    return stack.nbytes / 1e6


def eval_peak(root: Path, count: int) -> float:
    """Peak memory as `deepir eval` reports it."""
    result = root / "result.json"
    data = ("--data", "sirst-v2", "--root", root / "sim", "--split", f"n{count}")
    run("eval", "mpcm", *data, "--json", result)
    return float(json.loads(result.read_text())["peak_memory_mb"])


def detect_peak(root: Path) -> float:
    """Peak memory of a `deepir detect` run, read from inside that process."""
    code = (
        "import sys; from deepir.cli import run; from deepir.results import peak_memory_mb;"
        "run(sys.argv[1:]); print(peak_memory_mb())"
    )
    command = (
        sys.executable,
        "-c",
        code,
        "detect",
        root / "stack.npy",
        "--out",
        root / "out",
        "--no-overlays",
    )
    done = subprocess.run([*map(str, command)], check=True, capture_output=True, text=True)
    return float(done.stdout.splitlines()[-1])


def run(*arguments: object) -> None:
    """Run a `deepir` command, which must succeed."""
    subprocess.run(
        [sys.executable, "-m", "deepir", *map(str, arguments)], check=True, capture_output=True
    )


if __name__ == "__main__":
    main()
