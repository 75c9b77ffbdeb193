"""Saved maps scored like a detector's: our own as the detector reads them, others by full scale."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from deepir import __version__
from deepir.bench import Evaluation, count_frame, feed, ids_outside
from deepir.catalogue import load_detector
from deepir.choices import MapScale, ReadOut
from deepir.data import Dataset
from deepir.data.images import images_below
from deepir.errors import DeepirError, FrameError, UsageError
from deepir.map_detector import MapDetector, MapResponse, Scale
from deepir.outcomes import Outcomes
from deepir.passes import Progress
from deepir.readout import PUBLISHED_LEVEL, clutter_ratio, robust_z, unit_range
from deepir.saliency import Saliency
from deepir.saved_maps.coding import TOP_LEVEL, read_levels
from deepir.saved_maps.folder import note_file, read_note
from deepir.saved_maps.record import RECORD, SCALES, Note, Record, read_model
from deepir.scoring import Scorer
from deepir.structures import Image, Sample, best_first

Floats = NDArray[np.float64]

FULL = {np.dtype(bool): 1, np.dtype(np.uint8): 255, np.dtype(np.uint16): TOP_LEVEL}
"""Full scale by kind of number; that of floating-point numbers is 1."""

_EXAMPLES: dict[MapScale, str] = {"clutter": "1.5", "robust": "10"}  # scores without a natural cut


@dataclass
class SavedMaps:
    """Maps of a folder by id, and the detector that reads them; ``record`` is None for others'.

    ``highest`` is the highest score of any map read so far.
    """

    folder: Path
    files: dict[str, list[Path]]
    detector: MapDetector
    record: Record | None
    scale: MapScale | None
    highest: float = field(default=-math.inf, init=False)

    @property
    def name(self) -> str:
        """The detector's name, or that of another program's folder."""
        return self.detector.name

    def response(self, sample: Sample) -> MapResponse:
        """The response to a frame, from its saved map.

        Raises:
            FrameError: a map that is damaged, of another frame or shape, or no map at all.
        """
        path = self._file(sample.id)
        told: dict[str, str | int | float] = {}
        if self.record:
            note = read_note(path, sample, self.record)
            told = {
                name: math.nan if one is None else one for name, one in note.diagnostics.items()
            }
        levels = _without_holes(read_levels(path, sample.image.shape), sample.image, path)
        values = _unit(levels, path) if self.scale == "full" else levels.astype(np.float64)
        response = self.detector.restored(sample.image, Saliency(values, told))
        self.highest = max(self.highest, float(response.scores.max()))
        return response

    def facts(self, read: int) -> dict[str, object]:
        """What a result says of its maps, see `deepir.results.FIELDS`."""
        form = self.record.format if self.record else None
        return {"scale": self.scale or "detector", "format": form, "reused": read, "replaced": 0}

    def _file(self, sample_id: str) -> Path:
        paths = self.files.get(sample_id, [])
        if not paths:
            raise FrameError(f"no map of {sample_id!r} in {str(self.folder)!r}")
        if len(paths) > 1:
            names = " and ".join(repr(path.name) for path in paths)
            raise FrameError(f"two maps for one id in {str(self.folder)!r}: {names}")
        return paths[0]


def open_maps(
    folder: Path,
    *,
    read_out: ReadOut = "peak",
    threshold: float | None = None,
    scale: MapScale | None = None,
) -> SavedMaps:
    """Look what maps lie in a folder; none is read yet.

    Maps that a run of ours saved are read as their detector reads them: scaled and cut at the floor
    as its record says, believed from ``threshold`` on (default: the record's). Those of another
    program are measured by ``scale`` (default: full), and what exceeds ``threshold`` (default: 0.5)
    is believed, and nothing else is looked at.

    Raises:
        DeepirError: no maps, folders of maps, or a record that is damaged or of a detector with a
            scale of its own that is not here.
        UsageError: a scale for maps with a record, or a score without a threshold.
    """
    files = images_below(folder).files
    if (folder / RECORD).is_file():
        if scale is not None:
            raise UsageError(
                f"{str(folder)!r} has a record, {RECORD}, of how its maps are read: leave"
                " --map-scale out"
            )
        record = read_model(folder / RECORD, Record)
        detector = replace(_reader(record), read_out=read_out, threshold=threshold)
        return SavedMaps(folder, _by_noted_id(files), detector, record, None)
    _check_some(folder, files)
    measure = scale or "full"
    return SavedMaps(folder, files, _foreign(folder, read_out, threshold, measure), None, measure)


def score_maps(
    maps: SavedMaps,
    dataset: Dataset,
    *,
    allow_missing: bool = False,
    outcomes: Outcomes | None = None,
    progress: Progress | None = None,
) -> Evaluation:
    """Score saved maps on a split; ids of other splits are left out.

    A frame without a map is an error unless ``allow_missing``: then it has no detection.

    Raises:
        DeepirError: frames without a map, ids that the dataset does not have, no usable frame.
    """
    ignored = ids_outside(maps.files, dataset, f"{str(maps.folder)!r} has maps of")
    missing = [sample_id for sample_id in dataset.ids if sample_id not in maps.files]
    if missing and (not allow_missing or len(missing) == len(dataset)):
        hint = "" if allow_missing else "; --allow-missing counts them as frames without detection"
        raise DeepirError(
            f"{str(maps.folder)!r} has no map of {len(missing)} of the {len(dataset)} frames of"
            f" {dataset.split!r}, such as {missing[0]!r}{hint}"
        )
    detector, without = maps.detector, set(missing)
    run = Evaluation(maps.name, dataset, detector.read_out, Scorer(detector.cut), None)
    run.detector = detector if maps.record else None
    run.missing, run.ignored = len(missing), len(ignored)

    def take(sample: Sample) -> None:
        if sample.id in without:
            found = best_first((), ())
            run.scorer.update(sample, found, np.zeros(sample.image.shape, dtype=bool))
        else:
            response = maps.response(sample)
            found = detector.read(response)
            count_frame(run, detector, sample, response, found)
        if outcomes:
            outcomes.update(sample, found)

    feed(run, take, progress)
    run.maps = maps.facts(run.scorer.frames - len(without))
    return run


def _reader(record: Record) -> MapDetector:
    """Detector that reads the maps of a record; it cannot make any.

    Raises:
        DeepirError: one with a scale of its own, which cannot be found here or has changed.
    """
    made = record.made_by
    scale = SCALES.get(record.scale) or _own_scale(record)
    return MapDetector(
        made.detector,
        _no_filter,
        record.floor,
        record.operating_threshold,
        made.mode,
        top_k=record.top_k,
        scale=scale,
        options=made.options,
    )


def _own_scale(record: Record) -> Scale:
    made = record.made_by
    advice = (
        f"scores of {made.detector!r} are made by a scale of its own: score its maps by"
        " deepir eval DETECTOR --save-saliency FOLDER --resume"
    )
    mode = {} if made.mode == "default" else {"mode": made.mode}
    try:
        detector = load_detector(made.detector, **mode, **made.options)
    except DeepirError:
        raise DeepirError(f"{advice}; no detector of that name is known") from None
    if made.deepir != __version__ or not isinstance(detector, MapDetector):
        raise DeepirError(f"{advice}; they are of deepir {made.deepir}, this is {__version__}")
    return detector.scale


def _foreign(
    folder: Path, read_out: ReadOut, threshold: float | None, measure: MapScale
) -> MapDetector:
    """Detector that believes whatever exceeds one level of maps of another program."""
    if measure in _EXAMPLES and threshold is None:
        raise UsageError(
            f"with --map-scale {measure} components are cut at a score that --threshold names,"
            f" such as {_EXAMPLES[measure]}"
        )
    scales: dict[MapScale, Scale] = {
        "full": _same,
        "frame": unit_range,
        "clutter": clutter_ratio,
        "robust": robust_z,
    }
    level = PUBLISHED_LEVEL if threshold is None else threshold
    return MapDetector(
        folder.resolve().name,
        _no_filter,
        level,
        level,
        read_out=read_out,
        scale=scales[measure],
        unit=scales[measure],
        level=level,
    )


def _no_filter(_: Floats) -> NoReturn:
    raise DeepirError("saved maps are read, not made")


def _same(values: Floats) -> Floats:
    return values


def _check_some(folder: Path, files: dict[str, list[Path]]) -> None:
    """Refuse a folder without maps, and one that holds folders of them.

    Raises:
        DeepirError: it is such a folder.
    """
    inner = sorted(path.parent.name for path in folder.glob(f"*/{RECORD}"))
    if inner:
        raise DeepirError(f"{str(folder)!r} holds the maps of {', '.join(inner)}: name one of them")
    if not files:
        raise DeepirError(
            f"no maps in {str(folder)!r}: files named by id are wanted, such as a.npy or a.png"
        )


def _by_noted_id(files: dict[str, list[Path]]) -> dict[str, list[Path]]:
    """Maps by the id that their note states, since an id may differ from the name of its file."""
    found: dict[str, list[Path]] = {}
    for name, paths in files.items():
        for path in paths:
            try:
                known = read_model(note_file(path), Note).id
            except DeepirError:
                known = name
            found.setdefault(known, []).append(path)
    return found


def _unit(levels: Image, path: Path) -> Floats:
    """Levels by their full scale, in [0, 1].

    Raises:
        FrameError: numbers without a full scale, or beyond theirs.
    """
    values = levels.astype(np.float64)
    if levels.dtype.kind != "f" and levels.dtype not in FULL:
        raise FrameError(
            f"the full scale of {levels.dtype} in {str(path)!r} is unknown: save booleans, uint8,"
            " uint16 or numbers in [0, 1], or give --map-scale frame"
        )
    low, high = float(values.min()), float(values.max())
    if levels.dtype.kind == "f" and not 0 <= low <= high <= 1:
        raise FrameError(
            f"the map {str(path)!r} holds {high if high > 1 else low:g}, beyond the full scale 0"
            " to 1: for raw saliency give --map-scale frame, or clutter with a --threshold"
        )
    return values / FULL.get(levels.dtype, 1)


def _without_holes(levels: Image, image: Image, path: Path) -> Image:
    """Levels with 0 where both they and the frame hold no number.

    Raises:
        FrameError: a pixel of the frame without a number in its map.
    """
    if levels.dtype.kind != "f":
        return levels
    holes = ~np.isfinite(levels)
    if not holes.any():
        return levels
    wrong = holes & np.isfinite(image)
    if wrong.any():
        y, x = np.argwhere(wrong)[0].tolist()
        raise FrameError(
            f"the map {str(path)!r} holds {levels[y, x]} at x {x}, y {y}, and no number in"
            f" {int(wrong.sum())} of {levels.size} pixels"
        )
    return np.where(holes, 0.0, levels)
