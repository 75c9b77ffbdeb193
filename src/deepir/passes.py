"""One pass over a split: every frame is read and taken, or skipped with its reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from deepir.data import Dataset, SkippedSample
from deepir.errors import DeepirError, FrameError
from deepir.interrupt import stop_on_interrupt
from deepir.structures import Sample

Progress = Callable[[int, int], None]
"""Told the frames done and the frames in all, after each frame."""


@dataclass
class Pass:
    """What became of the frames of a split."""

    taken: list[str] = field(default_factory=list)
    skipped: list[SkippedSample] = field(default_factory=list)
    interrupted: bool = False


def one_pass(
    dataset: Dataset,
    take: Callable[[Sample], None],
    *,
    before: Callable[[], None] | None = None,
    progress: Progress | None = None,
) -> Pass:
    """Give every sample to ``take``, which may refuse it by a FrameError; Ctrl-C ends early.

    ``before`` is called before each frame is read.

    Raises:
        DeepirError: what must end the run, or no usable frame at all.
    """
    done = Pass()
    with stop_on_interrupt() as stop:
        for number, sample_id in enumerate(dataset.ids, start=1):
            if before:
                before()
            try:
                take(dataset.read(sample_id))
                done.taken.append(sample_id)
            except FrameError as error:
                done.skipped.append(SkippedSample(sample_id, str(error)))
            if progress:
                progress(number, len(dataset))
            if stop.requested:
                done.interrupted = True
                break
    if not done.taken and not done.interrupted:
        first = done.skipped[0]
        raise DeepirError(
            f"none of the {len(done.skipped)} frames of {dataset.split!r} is usable;"
            f" the first, {first.id!r}: {first.reason}"
        )
    return done
