"""From one format into another: every frame is read once, written once, and what is lost noted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from deepir.data.dataset import FolderDataset, SkippedSample
from deepir.data.formats import Format
from deepir.data.writer import Lost, Writer, note_lost
from deepir.errors import DeepirError, FrameError, UsageError
from deepir.interrupt import stop_on_interrupt
from deepir.structures import AnyPath

UNLISTED = "images that no split lists are left out"
RENAMED = "ids that two splits have for two frames begin with the split's name"

Progress = Callable[[int, int], None]
"""Told the frames done and the frames in all, after each frame."""


@dataclass
class Conversion:
    """What came of a conversion: ids written by split, what was lost, which frames were skipped."""

    splits: dict[str, list[str]] = field(default_factory=dict)
    lost: Lost = field(default_factory=dict)
    skipped: list[SkippedSample] = field(default_factory=list)
    frames: int = 0
    """Written, each counted once."""
    interrupted: bool = False


def convert_dataset(
    source: Format,
    root: AnyPath,
    target: Format,
    out: AnyPath,
    *,
    splits: Mapping[str, str] | None = None,
    progress: Progress | None = None,
) -> Conversion:
    """Convert splits of the dataset at ``root`` into another format below ``out``.

    ``splits`` gives the new name of each split that is wanted; default: all, as they are called. A
    frame that several splits hold is written once. Frames that cannot be used are skipped; after
    Ctrl-C, or an error that ends the run, the lists hold what was written by then. What ``out``
    holds already is kept, files and lists of the same names are replaced.

    Raises:
        UsageError: an unknown split, a name that the format cannot give to one, or one folder
            inside the other.
        DeepirError: a source that cannot be used, or no usable frame.
    """
    root, out = Path(root), Path(out)
    _check_apart(root, out)
    every = source.splits(root) or [source.open(root, None).split]  # which says what is missing
    names = dict(zip(every, every, strict=True)) if splits is None else splits
    if len(set(names.values())) < len(names):
        raise UsageError(f"two splits cannot have one name: {', '.join(names.values())}")
    for name in names.values():
        target.check_split(name)
    opened = {new: source.open(root, old) for old, new in names.items()}
    done = Conversion(lost=_left_out(opened.values()))
    if splits is None:
        _note_unlisted(opened.values(), done.lost)
    members = _members(opened, done.lost)
    _write(members, target.writer(out), done, progress)
    if not done.frames and not done.interrupted:
        first = done.skipped[0]
        raise DeepirError(
            f"none of the {len(done.skipped)} frames of {str(root)!r} is usable;"
            f" the first, {first.id!r}: {first.reason}"
        )
    return done


def _check_apart(root: Path, out: Path) -> None:
    one, other = root.resolve(), out.resolve()
    if one.is_relative_to(other) or other.is_relative_to(one):
        raise UsageError(
            f"source and result must not lie in each other, got {str(root)!r} and {str(out)!r}"
        )


def _left_out(datasets: Iterable[FolderDataset]) -> Lost:
    """What reading leaves out, each id once."""
    lost: Lost = {}
    for dataset in datasets:
        for kind, ids in dataset.left_out().items():
            lost[kind] = list(dict.fromkeys([*lost.get(kind, []), *ids]))
    return lost


def _note_unlisted(datasets: Collection[FolderDataset], lost: Lost) -> None:
    """Add the images that are in none of the splits of a dataset."""
    listed = {sample_id for dataset in datasets for sample_id in dataset.ids}
    every = dict.fromkeys(each for dataset in datasets for each in dataset.every_id())
    unlisted = [sample_id for sample_id in every if sample_id not in listed]
    if unlisted:
        lost[UNLISTED] = unlisted


@dataclass
class _Frame:
    """One frame to write: where to read it, its new id, and the first split that holds it."""

    dataset: FolderDataset
    source_id: str
    id: str
    home: str


def _members(opened: Mapping[str, FolderDataset], lost: Lost) -> dict[str, list[_Frame]]:
    """Frames of each split in its order; one that several splits hold is one object.

    Where an id means another frame in another split, all ids get their split's name in front.
    """
    uses = Counter(sample_id for dataset in opened.values() for sample_id in dataset.ids)
    found: dict[tuple[str, Hashable], _Frame] = {}
    members: dict[str, list[_Frame]] = {}
    for split, dataset in opened.items():
        for sample_id in dataset.ids:
            same = dataset.identity(sample_id) if uses[sample_id] > 1 else None
            new = _Frame(dataset, sample_id, sample_id, split)
            frame = found.setdefault((sample_id, same), new)
            members.setdefault(split, []).append(frame)
    meanings = Counter(frame.id for frame in found.values())
    if len(meanings) < len(found):
        for frame in found.values():
            frame.id = f"{frame.home}/{frame.id}"
            note_lost(lost, [RENAMED] if meanings[frame.source_id] > 1 else [], frame.id)
    return members


def _write(
    members: Mapping[str, list[_Frame]],
    writer: Writer,
    done: Conversion,
    progress: Progress | None,
) -> None:
    """Write every frame once, then the lists of those that were written."""
    frames = {frame.id: frame for own in members.values() for frame in own}
    written: set[str] = set()
    try:
        with stop_on_interrupt() as stop:
            for number, frame in enumerate(frames.values(), start=1):
                try:
                    sample = replace(frame.dataset.read(frame.source_id), id=frame.id)
                    note_lost(done.lost, writer.add(frame.home, sample), frame.id)
                    written.add(frame.id)
                except FrameError as error:
                    done.skipped.append(SkippedSample(frame.id, str(error)))
                if progress:
                    progress(number, len(frames))
                if stop.requested and number < len(frames):
                    done.interrupted = True
                    break
    finally:
        done.frames = len(written)
        kept = {
            split: [one.id for one in own if one.id in written] for split, own in members.items()
        }
        done.splits = {split: ids for split, ids in kept.items() if ids}
        writer.finish(done.splits)
