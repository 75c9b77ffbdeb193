"""The folder that a detection run leaves: detections.json, detections.csv, pictures, maps."""

from __future__ import annotations

import csv
import io
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from deepir import __version__
from deepir.detector import Detector, Response
from deepir.diagnostics import Diagnostics
from deepir.errors import DeepirError, UsageError
from deepir.frames import Frame
from deepir.overlay import draw_overlay
from deepir.predictions import frame_entry, read_predictions
from deepir.structures import Detections
from deepir.writing import id_path, output_folder, write_bytes, write_json, write_text

OWN_FOLDERS = PICTURES, MAPS = "overlays", "saliency"
LIST = "detections.json"
HEADS = ("id", "x", "y", "score", "x0", "y0", "x1", "y1")
PROBABILITY = "probability"
"""Last column where the detector is calibrated."""


class DetectionFiles:
    """Collects one run frame by frame: pictures at once, the two lists at the end.

    ``out`` is made at once, and taken away again if the run ends before anything was written.

    Raises:
        UsageError: ``out`` is a file or cannot be written, or the maps of a detector without maps
            are wanted.
    """

    def __init__(
        self, out: Path, detector: Detector[Any], *, overlays: bool, save_saliency: bool
    ) -> None:
        if save_saliency and not detector.has_map:
            raise UsageError(
                f"{detector.name} finds boxes and has no saliency map to save: leave"
                " --save-saliency out, or take a filter such as mpcm"
            )
        self._made = [folder for folder in (out, *out.parents) if not folder.exists()]
        self.out = output_folder(out)
        self._detector = detector
        self._overlays = overlays
        self._save_saliency = save_saliency
        self._entries: list[dict[str, object]] = []
        self.rows: list[tuple[str | float | None, ...]] = []
        self.skipped: list[dict[str, str]] = []
        self.pictures: list[Path] = []
        self.diagnostics: dict[str, Diagnostics] = {}

    def __enter__(self) -> DetectionFiles:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        _: TracebackType | None,
    ) -> None:
        if isinstance(error, OSError) and self._entries:  # as after a full disk
            with suppress(OSError):
                self.write(interrupted=True)
        for folder in self._made if kind else ():
            if any(folder.iterdir()):
                break
            folder.rmdir()

    @property
    def heads(self) -> tuple[str, ...]:
        """Names of the columns of ``rows``."""
        return HEADS if self._detector.calibration is None else (*HEADS, PROBABILITY)

    @property
    def calibrated_on(self) -> str | None:
        """Data that the probabilities were measured on; None where there are none."""
        stored = self._detector.calibration
        return None if stored is None else f"{stored.data} ({stored.frames} frames)"

    @property
    def frames(self) -> int:
        """Frames added so far."""
        return len(self._entries)

    def skip(self, frame_id: str, reason: str) -> None:
        """Note a frame that could not be used."""
        self.skipped.append({"id": frame_id, "reason": reason})

    def add(self, frame: Frame, found: Detections, response: Response | None) -> None:
        """Add one frame with the response that it was read from, None where nobody kept that.

        Of a video or stack it gets a picture only where something was found.
        """
        if self._overlays and (frame.index is None or len(found)):
            title = f"{frame.id}  {self._detector.name}"
            picture = self.out / PICTURES / f"{id_path(frame.id)}.png"
            _, encoded = cv2.imencode(".png", draw_overlay(frame.image, found, title=title))
            write_bytes(picture, encoded.tobytes())
            self.pictures.append(picture)
        if self._save_saliency and response and response.saliency is not None:
            stream = io.BytesIO()
            np.save(stream, response.saliency)
            write_bytes(self.out / MAPS / f"{id_path(frame.id)}.npy", stream.getvalue())
        stated = self._detector.probability(found.scores)
        told = response.diagnostics if response else {}
        self._entries.append(frame_entry(frame.id, found, stated, told))
        if told:
            self.diagnostics[frame.id] = told
        self.rows += _rows(frame.id, found, stated)

    def _drop_old_files(self) -> None:
        """Remove pictures of an earlier run into this folder that it names and we do not.

        Else a frame without a detection would still show yesterday's.
        """
        new = set(self.pictures)
        for frame_id in _old_ids(self.out / LIST):
            picture = self.out / PICTURES / f"{id_path(frame_id)}.png"
            if picture not in new:
                picture.unlink(missing_ok=True)

    def json(self, *, interrupted: bool = False) -> dict[str, object]:
        """Content of detections.json: what `deepir score` reads, and how it came about."""
        return {
            "deepir": __version__,
            "detector": self._detector.name,
            "mode": self._detector.mode,
            "read_out": self._detector.read_out,
            "floor": self._detector.floor,
            "operating_threshold": self._detector.operating,
            "threshold": self._detector.cut,
            "top_k": self._detector.top_k,
            "merge_px": self._detector.merge_px,
            "calibrated_on": self.calibrated_on,
            "interrupted": interrupted,
            "detections": self._entries,
            "skipped": self.skipped,
        }

    def write(self, *, interrupted: bool = False) -> None:
        """Write both lists.

        Raises:
            DeepirError: there was no usable frame.
        """
        if not self._entries and not interrupted:
            more = f" (and {len(self.skipped) - 1} more)" if len(self.skipped) > 1 else ""
            first = self.skipped[0]
            raise DeepirError(f"no usable frame: {first['id']!r}: {first['reason']}{more}")
        self._drop_old_files()
        write_json(self.out / LIST, self.json(interrupted=interrupted))
        stream = io.StringIO()
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerows([self.heads, *self.rows])
        write_text(self.out / "detections.csv", stream.getvalue())


def is_own_file(path: Path, out: Path) -> bool:
    """Whether a file is a picture or map of a run into ``out`` or of an earlier one elsewhere."""
    folders = [folder for folder in path.absolute().parents if folder.name in OWN_FOLDERS]
    return any(
        folder.parent == out.absolute() or (folder.parent / LIST).is_file() for folder in folders
    )


def _old_ids(path: Path) -> list[str]:
    try:
        return [frame.id for frame in read_predictions(path).detections]
    except DeepirError:
        return []


def _rows(
    frame_id: str, found: Detections, probabilities: NDArray[np.float64] | None
) -> list[tuple[str | float | None, ...]]:
    corners = [(None,) * 4] * len(found) if found.boxes is None else found.boxes.tolist()
    stated = [()] * len(found) if probabilities is None else probabilities[:, None].tolist()
    return [
        (frame_id, *point, score, *box, *probability)
        for point, score, box, probability in zip(
            found.points.tolist(), found.scores.tolist(), corners, stated, strict=True
        )
    ]
