"""Peak memory that one frame takes, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from deepir.structures import Image

CODE = """
import sys
from pathlib import Path
import cv2
import numpy as np
from deepir.catalogue import load_detector

def resident(what):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(what + ":")) / 1e3

path, name, mode, threads = sys.argv[1:]
cv2.setNumThreads(int(threads))
frame, detector = np.load(path), load_detector(name, mode=mode)
detector.detect(frame[:96, :96])  # what is loaded or kept once is no frame's
before = resident("VmRSS")
Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
detector.detect(frame)
print(resident("VmHWM") - before)
"""


def frame_peak(name: str, mode: str, image: Image, *, threads: int) -> float | None:
    """Megabytes that a process grows by at most while it detects in a frame, read from the system.

    None where the system does not tell, which Linux alone does.

    Raises:
        SystemExit: the process failed; what it said.
    """
    if not Path("/proc/self/clear_refs").exists():
        return None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "frame.npy"
        np.save(path, image)
        command = [sys.executable, "-c", CODE, str(path), name, mode, str(threads)]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{name} ended with {done.returncode}: {done.stderr}")
    return float(done.stdout)
