"""``deepir data convert``: a dataset in another format, with a list of what is lost."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from deepir.cli.status import INTERRUPTED, PARTIAL
from deepir.cli.terminal import note, progress_bar, report_skipped
from deepir.errors import plain

if TYPE_CHECKING:
    from deepir.data import Conversion, Format

IDS_SHOWN = 3


def convert(
    source: Path,
    target: Path,
    /,
    *,
    to: str,
    from_: Annotated[str | None, Parameter(name="--from")] = None,
    split: Annotated[list[str] | None, Parameter(negative=())] = None,
) -> int:
    """Convert a dataset into another format, and list what that cannot hold.

    Args:
        source: folder of the dataset.
        target: folder to write into, a new or empty one.
        to: format to write: sirst-v2, mask-folder, sirst-v1, dnanet, basicirstd, irstd-1k, coco,
            voc, voc-half-open, voc-zero-based or yolo.
        from_: format of the source (default: recognised from its tree).
        split: a split to convert, or OLD=NEW to give it another name; may be given several times
            (default: all).
    """
    from deepir.data import convert_dataset, format_named, recognise_format
    from deepir.writing import check_output_folder

    written = format_named(to)
    read = format_named(from_) if from_ else recognise_format(source, option="--from")
    check_output_folder(target)
    _check_empty(target)
    with progress_bar(f"{read.name} to {written.name}") as progress:
        done = convert_dataset(
            read, source, written, target, splits=_renamed(split), progress=progress
        )
    return _show(done, read, written, target)


def _renamed(given: list[str] | None) -> dict[str, str] | None:
    """New name of each split that is asked for; None for all."""
    from deepir.errors import UsageError

    if given is None:
        return None
    names: dict[str, str] = {}
    for text in given:
        old, _, new = text.partition("=")
        if old in names:
            raise UsageError(f"the split {old!r} is given twice")
        names[old] = new or old
    return names


def _check_empty(target: Path) -> None:
    """Refuse a folder with files: two datasets in one tree are neither."""
    from deepir.errors import UsageError

    found = sorted(path.name for path in target.iterdir()) if target.is_dir() else []
    seen = [name for name in found if not name.startswith(".")]
    if seen:
        raise UsageError(
            f"{str(target)!r} is not empty, it holds {seen[0]!r}: name a new folder, or remove what"
            " an earlier run left there"
        )


def _show(done: Conversion, read: Format, written: Format, target: Path) -> int:
    splits = ", ".join(f"{name} {len(ids)}" for name, ids in done.splits.items())
    print(f"{done.frames} frames, {read.name} to {written.name} ({splits}): {target}")
    for kind, ids in done.lost.items():
        more = " ..." if len(ids) > IDS_SHOWN else ""
        shown = ", ".join(map(plain, ids[:IDS_SHOWN]))
        print(f"lost: {plain(kind)}: {len(ids)} frame{'s' if len(ids) > 1 else ''} ({shown}{more})")
    if not done.lost:
        print("lost: nothing")
    report_skipped([(one.id, one.reason) for one in done.skipped])
    if done.interrupted:
        note(f"interrupted: {str(target)!r} holds the {done.frames} frames finished by then")
        return INTERRUPTED
    if done.splits:
        name = next((name for name in done.splits if name.startswith("test")), min(done.splits))
        print(f"next: deepir eval lcm --data {written.name} --root {target} --split {name}")
    if done.skipped:
        note(f"partial: {len(done.skipped)} frames are not in {str(target)!r}")
        return PARTIAL
    return 0
