"""Ids and the lists of them: text files of one id a line, one file a split."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from pathlib import Path, PurePosixPath

from deepir.errors import DeepirError, FrameError, UsageError, unknown_name
from deepir.frames.sources import IMAGE_SUFFIXES
from deepir.structures import AnyPath

ALL = "all"
"""Name of the split of a dataset that has no lists: everything."""

LONGEST_PART = 200  # bytes, so that endings still fit into the 255 of most file systems
MOST_LIST_BYTES = 2**28


def stays_inside(sample_id: str) -> bool:
    """Whether an id can be a path below a folder, on every system.

    >>> [stays_inside(name) for name in ("a", "deep/b", "../a", "/a", "", "c:a")]
    [True, True, False, False, False, False]
    """
    path = PurePosixPath(sample_id)
    odd = "\\" in sample_id or ":" in sample_id or "\0" in sample_id
    return not (odd or path.is_absolute() or ".." in path.parts or not path.parts)


def check_writable_id(sample_id: str, root: Path) -> None:
    r"""Make sure that an id can name files below ``root`` and is one line of a list.

    Raises:
        FrameError: it leaves the folder, is longer than a file name may be, or would be another
            id after reading (blanks at its ends, a line break, `a//b`, bytes that are no text).

    >>> check_writable_id("deep/a b", Path())
    >>> check_writable_id("a\n", Path())
    Traceback (most recent call last):
    deepir.errors.FrameError: id 'a\n' cannot name a file under '.'
    """
    path = PurePosixPath(sample_id)
    one_line = sample_id.splitlines() == [sample_id] and sample_id == sample_id.strip()
    try:
        fits = all(len(part.encode()) <= LONGEST_PART for part in path.parts)
    except UnicodeEncodeError:
        fits = False
    if not (one_line and fits and stays_inside(sample_id) and str(path) == sample_id):
        raise FrameError(f"id {sample_id!r} cannot name a file under {str(root)!r}")


def check_split_name(split: str) -> None:
    """Make sure that a split can name a file.

    Raises:
        UsageError: it cannot.
    """
    if not split or "/" in split or not stays_inside(split) or not split.isprintable():
        raise UsageError(f"a split is named like a file, such as 'train_full', got {split!r}")


def chosen_split(dataset: str, root: Path, known: Collection[str], split: str | None) -> str:
    """The split that is asked for; without a wish the only one, or ``test``.

    Raises:
        UsageError: an unknown split, or none is named where several could be meant.

    >>> chosen_split("coco", Path(), ["train", "test"], None)
    'test'
    """
    if split is not None:
        if split not in known:
            raise unknown_name("split", split, known)
        return split
    if len(known) == 1:
        return next(iter(known))
    if "test" in known:
        return "test"
    raise UsageError(
        f"{dataset} at {str(root)!r} has the splits {', '.join(sorted(known)) or 'none'}:"
        " name one with --split"
    )


def check_root(dataset: str, root: AnyPath | None) -> Path:
    """The folder of a dataset.

    Raises:
        UsageError: none is given, or there is none.
    """
    if root is None:
        raise UsageError(f"{dataset} lies in a folder of yours: name it with --root")
    if not is_there(place := Path(root)):
        raise UsageError(f"no dataset at {str(root)!r}: no such folder")
    return place


def is_there(path: Path) -> bool:
    """Whether there is a file or folder; no name that a stranger wrote is an error."""
    try:
        return path.exists()
    except (OSError, ValueError):  # such as a name that is too long
        return False


def read_limited(path: Path, most: int) -> bytes:
    """Content of a file that is not larger than what such a file can hold.

    Raises:
        OSError: it cannot be read.
        DeepirError: it is larger, or a device without end.
    """
    with path.open("rb") as stream:
        content = stream.read(most + 1)
    if len(content) > most:
        size = max(path.stat().st_size, len(content))
        raise DeepirError(f"{str(path)!r} has {size} bytes; a file of up to {most} is wanted")
    return content


def read_lines(path: Path) -> list[str]:
    """Lines of a list without blanks at their ends; empty ones are left out.

    Raises:
        DeepirError: it cannot be read, or is no text.
    """
    try:
        text = read_limited(path, MOST_LIST_BYTES).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DeepirError(f"the list of ids {str(path)!r} is not readable: {error}") from None
    return [line.strip() for line in text.splitlines() if line.strip()]


def check_ids(ids: list[str], split: str, path: Path) -> list[str]:
    """The ids of a split as they came from ``path``.

    Raises:
        DeepirError: there is none, one leaves the dataset's folder, or one stands there twice.
    """
    if not ids:
        raise DeepirError(f"the split {split!r} is empty: no ids in {str(path)!r}")
    for sample_id in ids:
        if not stays_inside(sample_id):
            raise DeepirError(f"id {sample_id!r} in {str(path)!r} leaves the dataset's folder")
    twice = [sample_id for sample_id, uses in Counter(ids).items() if uses > 1]
    if twice:
        raise DeepirError(f"id {twice[0]!r} stands more than once in {str(path)!r}")
    return ids


def read_ids(path: Path) -> list[str]:
    """Ids of a list, in its order.

    Raises:
        DeepirError: it cannot be read, is empty, or holds an id twice or one that leaves the
            folder.
    """
    return check_ids(read_lines(path), path.stem, path)


def without_suffix(name: str) -> str:
    """Id that a file name gives: the name without the suffix of an image.

    >>> without_suffix("deep/a.b.PNG"), without_suffix("a.b")
    ('deep/a.b', 'a.b')
    """
    suffix = PurePosixPath(name).suffix
    return name[: -len(suffix)] if suffix.lower() in IMAGE_SUFFIXES else name
