"""Maps saved while a detector runs: each at once and whole, so that a later run can go on."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from deepir.archive import Kept
from deepir.choices import MapFormat
from deepir.detector import Detector
from deepir.diagnostics import plain_values
from deepir.errors import DeepirError, FrameError, UsageError
from deepir.map_detector import MapDetector, MapResponse
from deepir.saliency import Saliency
from deepir.saved_maps.coding import encoded, read_levels
from deepir.saved_maps.record import RECORD, Note, Record, file_sum, image_sum, read_model
from deepir.structures import Sample
from deepir.writing import check_output_folder, id_path, write_bytes, write_json


class MapFolder:
    """A folder of one detector's maps, and those of its maps that may be used.

    With ``resume`` these are all that state the same frame, maker and file; without, those that
    this object saved. ``untrusted`` counts maps that were there and stated something else.
    """

    def __init__(self, path: Path, record: Record, *, resume: bool) -> None:
        self.path = path
        self.record = record
        self.untrusted = 0
        self._resume = resume
        self._own: set[str] = set()
        self._begun = False

    def file_of(self, sample_id: str) -> Path:
        """File of an id's map."""
        return map_file(self.path, sample_id, self.record.format)

    def saved(self, sample_id: str) -> bool:
        """Whether this object saved the map of an id, not an earlier run."""
        return sample_id in self._own

    def find(self, sample: Sample) -> tuple[Saliency, float] | None:
        """Map and milliseconds saved for a frame; None where there is none, or not of it."""
        path = self.file_of(sample.id)
        if not (self._resume or self.saved(sample.id)) or not path.exists():
            return None
        try:
            note = read_note(path, sample, self.record)
            values = read_levels(path, sample.image.shape)
        except DeepirError:
            self.untrusted += 1
            return None
        self._begin()
        told = {name: math.nan if one is None else one for name, one in note.diagnostics.items()}
        return Saliency(values, told), note.milliseconds

    def keep(self, sample: Sample, made: Saliency, milliseconds: float) -> None:
        """Save the map of a frame, then the note that makes it count."""
        self._begin()
        path, content = self.file_of(sample.id), encoded(made.values, self.record.format)
        write_bytes(path, content)
        note = Note(
            id=sample.id,
            made_by=self.record.made_by.digest,
            image=image_sum(sample.image),
            file=file_sum(content),
            milliseconds=milliseconds,
            diagnostics=plain_values(made.diagnostics),
        )
        write_json(note_file(path), note.model_dump())
        self._own.add(sample.id)

    def _begin(self) -> None:
        """Write the record with the first map, so that a run that fails before leaves nothing."""
        if not self._begun:
            write_json(self.path / RECORD, self.record.model_dump())
            self._begun = True


class MapArchive:
    """The responses of one map detector, kept as files: a `deepir.archive.Archive`."""

    def __init__(self, folder: MapFolder, detector: MapDetector) -> None:
        self.folder = folder
        self.reused = 0  # maps of an earlier run
        self._detector = detector

    def find(self, sample: Sample) -> Kept[MapResponse] | None:
        """The response whose map is saved; None where it is not, or another frame's."""
        found = self.folder.find(sample)
        if found is None:
            return None
        if not self.folder.saved(sample.id):
            self.reused += 1
        saliency, milliseconds = found
        return Kept(self._detector.restored(sample.image, saliency), milliseconds)

    def keep(self, sample: Sample, response: MapResponse, milliseconds: float) -> None:
        """Save the map of a response that took so long."""
        self.folder.keep(sample, Saliency(response.saliency, response.diagnostics), milliseconds)

    def facts(self) -> dict[str, object]:
        """What a result says of its maps, see `deepir.results.FIELDS`."""
        form = self.folder.record.format
        return {
            "scale": "detector",
            "format": form,
            "reused": self.reused,
            "replaced": self.folder.untrusted,
        }


class Archives:
    """Archives of the detectors of one command, in folders ``ROOT/DETECTOR[-MODE]``.

    Two read-outs of one detector share a folder, so the second reads the maps of the first.

    Raises:
        UsageError: a root that cannot be written.
    """

    def __init__(self, root: Path, *, form: MapFormat = "npy", resume: bool = False) -> None:
        check_output_folder(root)
        self._root = root
        self._form = form
        self._resume = resume
        self._folders: dict[Path, MapFolder] = {}

    def of(self, detector: Detector[Any]) -> MapArchive:
        """The archive of a detector.

        Raises:
            UsageError: a detector without maps, a folder that holds maps while these shall not be
                gone on with, or two detectors for one folder.
            DeepirError: a folder whose maps are of something else.
        """
        if not isinstance(detector, MapDetector):
            raise UsageError(f"{detector.name} finds boxes and has no saliency map to save")
        path = self._root / folder_name(detector)
        record = Record.of(detector, self._form)
        known = self._folders.get(path)
        if known is None:
            known = self._folders[path] = self._opened(path, record)
        elif known.record.made_by.difference(record.made_by):
            raise UsageError(
                f"two detectors that differ are called {detector.name!r}, and their maps go to one"
                f" folder, {str(path)!r}: save them in two commands"
            )
        return MapArchive(known, detector)

    def _opened(self, path: Path, record: Record) -> MapFolder:
        check_output_folder(path)
        if not path.exists() or not any(path.iterdir()):
            return MapFolder(path, record, resume=self._resume)
        if not self._resume:
            raise UsageError(
                f"{str(path)!r} holds files already: give --resume to go on with maps of the same"
                " detector there, or name another folder"
            )
        before = read_model(path / RECORD, Record)
        told = before.made_by.difference(record.made_by)
        if before.format != record.format:
            told = f"saved as {before.format}, this run saves {record.format}"
        if told:
            raise DeepirError(
                f"the maps in {str(path)!r} cannot be gone on with, they were {told}:"
                " name another folder, or remove that one"
            )
        # The maker stays the one whose sum the notes state; thresholds are of the present run.
        return MapFolder(path, record.model_copy(update={"made_by": before.made_by}), resume=True)


def folder_name(detector: MapDetector) -> str:
    """Name of the folder of a detector's maps.

    >>> from deepir.catalogue import load_detector
    >>> folder_name(load_detector("lcm", mode="reference"))
    'lcm-reference'
    """
    name = detector.name if detector.mode == "default" else f"{detector.name}-{detector.mode}"
    return str(id_path(name.replace("/", "_")))


def map_file(folder: Path, sample_id: str, form: MapFormat) -> Path:
    """File of an id's map in a folder."""
    path = folder / id_path(sample_id)
    return path.with_name(f"{path.name}.{form}")


def note_file(path: Path) -> Path:
    """File of the note beside a map's."""
    return path.with_name(f"{path.name}.json")


def read_note(path: Path, sample: Sample, record: Record) -> Note:
    """The note of the map at ``path``, which is of this frame, by this maker and as it was saved.

    Raises:
        FrameError: it is not.
    """
    try:
        note = read_model(note_file(path), Note)
        content = path.read_bytes()
    except OSError as error:
        raise FrameError(f"cannot read the map {str(path)!r}: {error.strerror}") from None
    except DeepirError as error:
        raise FrameError(f"the map {str(path)!r} has no note to trust: {error}") from None
    if note.id != sample.id:
        raise FrameError(f"the map {str(path)!r} is of {note.id!r}, not of {sample.id!r}")
    if note.made_by != record.made_by.digest:
        raise FrameError(f"the map {str(path)!r} is not of the run that {RECORD} tells of")
    if note.image != image_sum(sample.image):
        raise FrameError(f"the map {str(path)!r} was made of another image than the dataset's")
    if note.file != file_sum(content):
        raise FrameError(f"the map {str(path)!r} is damaged or was replaced since it was saved")
    return note
