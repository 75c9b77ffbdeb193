"""The folder of a run: which files it has, and that one run alone writes them."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np

from deepir.errors import DeepirError, UsageError
from deepir.training.checkpoint import Checkpoints
from deepir.training.sampler import Drawn
from deepir.writing import PART_FILES, output_folder, write_bytes


class RunFolder:
    """Files of one run.

    ``run.json`` (what it was asked, where it ran, what came out), ``log.csv``, ``val.csv``,
    ``tensorboard/``, ``checkpoints/``, ``last.safetensors`` and ``best.safetensors`` (averaged
    weights), and ``bad_batch_*.npz`` where a loss was no number.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.record = path / "run.json"
        self.log = path / "log.csv"
        self.val = path / "val.csv"
        self.curves = path / "tensorboard"
        self.best = path / "best.safetensors"
        self.last = path / "last.safetensors"
        self.checkpoints = Checkpoints(path / "checkpoints")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other runs out for as long as this process lives, however it ends.

        Raises:
            UsageError: the folder cannot be made or written.
            DeepirError: another run has it.
        """
        output_folder(self.path)
        with _opened_lock(self.path / "lock") as stream:
            if not _taken(stream):
                stream.seek(0)
                owner = stream.read().decode(errors="replace").strip() or "unknown"
                raise DeepirError(
                    f"another run writes into {str(self.path)!r} (process {owner}): wait for its"
                    " end, or choose another --work-dir"
                )
            with suppress(OSError):  # the lock holds without the number, as on a full disk
                stream.truncate(0)
                stream.write(str(os.getpid()).encode())
            for left in self.path.rglob(PART_FILES):  # by a run that was killed while it wrote
                left.unlink(missing_ok=True)
            yield

    def keep_batch(self, iteration: int, rank: int, batch: Sequence[Drawn]) -> Path:
        """Write the images of a batch for inspection: ``channels_0``, ``boxes_0`` and so on."""
        arrays = {
            f"{name}_{number}": value
            for number, drawn in enumerate(batch)
            for name, value in drawn._asdict().items()
            if value is not None
        }
        content = io.BytesIO()
        np.savez_compressed(content, allow_pickle=False, **arrays)
        path = self.path / f"bad_batch_{iteration:08d}_process{rank}.npz"
        write_bytes(path, content.getvalue())
        return path


def _opened_lock(path: Path) -> io.FileIO:
    try:
        return path.open("a+b", buffering=0)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise UsageError(f"cannot lock the folder of a run with {str(path)!r}: {why}") from None


def _taken(stream: io.FileIO) -> bool:
    """Take the lock of an open file; the system gives it back when the process ends."""
    if sys.platform == "win32":
        import msvcrt

        stream.seek(0)
        take = msvcrt.locking
        arguments = (stream.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        take = fcntl.flock
        arguments = (stream.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    try:
        take(*arguments)
    except OSError:
        return False
    return True
