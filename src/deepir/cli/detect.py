"""``deepir detect``: frames in, detections out, with pictures of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from deepir.cli.options import DEFAULT_DETECTOR, DetectorOptions
from deepir.cli.status import INTERRUPTED, PARTIAL
from deepir.cli.terminal import (
    note,
    print_json,
    print_table,
    progress_bar,
    report_skipped,
)

if TYPE_CHECKING:
    from deepir.detection_files import DetectionFiles
    from deepir.detector import Detector
    from deepir.frames import BadFrame, Frame
    from deepir.metrics import NocoHits
    from deepir.structures import Sample

DETECTOR = DetectorOptions()
SIMULATED_FRAMES = 16
TABLE_ROWS = 30


def detect(
    *inputs: str,
    detector: str = DEFAULT_DETECTOR,
    options: DetectorOptions = DETECTOR,
    out: Path = Path("deepir-out"),
    overlays: bool = True,
    save_saliency: Annotated[bool, Parameter(name="--save-saliency", negative=())] = False,
    json: bool = False,
) -> int:
    """Find targets in images, folders, stacks and videos; without INPUT in simulated frames.

    Args:
        inputs: image files (PNG, TIFF, JPEG, BMP, .npy), videos, or folders of them.
        detector: see deepir list; or FILE.py:NAME, one in a file of your own.
        options: how to detect.
        out: folder for detections.json, detections.csv and the pictures.
        overlays: draw pictures; of a video or stack, the frames with detections.
        save_saliency: also write a filter's raw map of each frame as .npy.
        json: print detections.json instead of a table.
    """
    from deepir.detection_files import DetectionFiles
    from deepir.errors import UsageError
    from deepir.interrupt import stop_on_interrupt
    from deepir.metrics import NocoHits

    if "" in inputs:
        raise UsageError("an input is an empty text; name a file or a folder")
    chosen = options.load(detector)
    _say_low_threshold(chosen)
    truth = {} if inputs else _simulated()
    frames = _frames(inputs, out) if inputs else _as_frames(truth)
    with (
        DetectionFiles(out, chosen, overlays=overlays, save_saliency=save_saliency) as files,
        progress_bar(f"detect {chosen.name}") as progress,
        stop_on_interrupt() as stop,
    ):
        work = _Work(chosen, files, truth, NocoHits())
        for done, (frame, total) in enumerate(frames, start=1):
            work.take(frame)
            progress(done, total)
            if stop.requested:
                if not files.frames:  # nothing to keep: what an earlier run left stays
                    raise KeyboardInterrupt
                work.interrupted = True
                break
        files.write(interrupted=work.interrupted)
    _show(work, json=json)
    return work.status()


@dataclass
class _Work:
    """One run of `detect`: the frames taken so far and what came of them."""

    detector: Detector[Any]
    files: DetectionFiles
    truth: dict[str, Sample]  # of simulated frames
    hits: NocoHits
    best: float | None = None  # highest score of any candidate
    interrupted: bool = False

    def take(self, frame: Frame | BadFrame) -> None:
        import numpy as np

        from deepir.errors import FrameError
        from deepir.frames import BadFrame
        from deepir.noco import noco_map

        if isinstance(frame, BadFrame):
            self.files.skip(frame.id, frame.reason)
            return
        try:
            response = self.detector.respond(frame.image)
        except FrameError as error:  # a frame that this detector cannot take
            self.files.skip(frame.id, str(error))
            return
        self.best = max(self.detector.best_score(response) or 0.0, self.best or 0.0) or None
        self.files.add(frame, self.detector.believed(response), response)
        if frame.id in self.truth:
            candidates = self.detector.read(response)
            rows = np.column_stack([candidates.points, candidates.scores])
            boxes = self.truth[frame.id].boxes
            self.hits.update(rows, noco_map(frame.image, boxes), boxes)

    def status(self) -> int:
        if self.interrupted:
            note(f"interrupted: the {self.files.frames} frames finished by then are kept")
            return INTERRUPTED
        return PARTIAL if self.files.skipped else 0


def _frames(inputs: Sequence[str], out: Path) -> Iterator[tuple[Frame | BadFrame, int | None]]:
    """Frames of all inputs, and how many there are in all where that is known.

    What `detect` itself wrote, now or earlier, is no input when a folder around it is searched.
    """
    from deepir.detection_files import is_own_file
    from deepir.frames import find_sources

    found = find_sources(inputs)
    sources = [
        source
        for source in found
        if str(source.path) in inputs or not is_own_file(source.path, out)
    ] or found  # nothing else: these pictures are what was asked for
    counts = [source.count() for source in sources]
    total = None if None in counts else sum(count or 0 for count in counts)
    for source in sources:
        for frame in source.frames():
            yield frame, total


def _simulated() -> dict[str, Sample]:
    from deepir.data import Simulated

    dataset = Simulated.open(None)
    return {name: dataset.read(name) for name in dataset.ids[:SIMULATED_FRAMES]}


def _as_frames(samples: dict[str, Sample]) -> Iterator[tuple[Frame | BadFrame, int | None]]:
    from deepir.frames import Frame

    for sample in samples.values():
        yield Frame(sample.id, sample.image, Path(sample.id), None), len(samples)


def _say_low_threshold(detector: Detector[Any]) -> None:
    if detector.cut < detector.floor:
        note(
            f"threshold {detector.cut:g} lies below the floor of {detector.name},"
            f" {detector.floor:g}: every candidate is returned"
        )


def _show(work: _Work, *, json: bool) -> None:
    from deepir.diagnostics import limits_line

    files = work.files
    report_skipped([(entry["id"], entry["reason"]) for entry in files.skipped])
    _say_nothing_reached(work)
    limits = limits_line(work.detector.name, files.diagnostics, files.frames)
    if limits:
        note(limits)
    if json:
        print_json(files.json(interrupted=work.interrupted))
        return
    _show_table(files)
    if len(work.hits.targets):
        print(
            f"mNoCoAP {work.hits.score().mean:.3f} ({work.detector.read_out} read-out), the first"
            f" {len(work.hits.targets)} simulated test frames, {work.hits.targets.sum()} targets"
        )
    print(f"wrote {files.out / 'detections.json'} and detections.csv")
    if files.pictures:
        print(f"wrote {len(files.pictures)} pictures, the first: {files.pictures[0]}")


def _show_table(files: DetectionFiles) -> None:
    from deepir.tables import Table

    rows = files.rows[:TABLE_ROWS]
    if rows:
        heads = ("frame", "x", "y", "score", "box x0", *files.heads[5:])
        print_table(Table(heads, rows))
    if len(files.rows) > len(rows):
        print(f"... and {len(files.rows) - len(rows)} more in detections.csv")
    print(f"{len(files.rows)} detections in {files.frames} frames")
    if files.calibrated_on:
        print(f"probabilities hold on data like {files.calibrated_on}; elsewhere they may be off")


def _say_nothing_reached(work: _Work) -> None:
    if not work.files.rows and work.best is not None:
        note(
            f"no candidate reached {work.detector.cut:g}, the best scored {work.best:.3g}: try"
            f" --threshold {work.best / 2:.2g} (targets score lower on noisier sensors)"
        )
