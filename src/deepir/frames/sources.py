"""Files and folders as sources of frames, each with an id that no other one has."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from deepir.errors import FrameError
from deepir.frames.reasons import reason
from deepir.frames.stills import image_count, image_frames
from deepir.frames.video import video_count, video_frames
from deepir.structures import AnyPath, Image

IMAGE_SUFFIXES = frozenset(
    (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".npy", ".pgm", ".webp")
)
VIDEO_SUFFIXES = frozenset(
    (".mp4", ".avi", ".mkv", ".mov", ".webm", ".m4v", ".mpg", ".mpeg", ".ts", ".wmv")
)
_SUFFIXES = IMAGE_SUFFIXES | VIDEO_SUFFIXES

_PIECES = re.compile(r"([^0-9]*)([0-9]*)")
_FRAME_NUMBER = re.compile(r"#[0-9]{6,}$")


@dataclass(frozen=True, eq=False)
class Frame:
    """One frame that was read: ``image`` (H, W) in its own depth, ``id`` unlike any other's.

    ``index`` counts from 0 in a video or a stack and is None for a still image.
    """

    id: str
    image: Image
    path: Path
    index: int | None


@dataclass(frozen=True)
class BadFrame:
    """One frame, or with the id of its source one file, that cannot be read.

    ``reason`` is one line and does not name the path.
    """

    id: str
    reason: str
    path: Path


@dataclass(frozen=True)
class Source:
    """One file of frames; nothing of it is read before `frames` or `count` is called.

    ``problem`` is why an input names no file at all, else empty.
    """

    id: str
    path: Path
    problem: str = ""

    def count(self) -> int | None:
        """Number of frames by the headers, an estimate for a video; None where unknown."""
        try:
            if self.problem:
                return None
            count = video_count(self.path) if self._is_video else image_count(self.path)
            return count or None
        except (FrameError, OSError):
            return None

    def frames(self) -> Iterator[Frame | BadFrame]:
        """Each frame in order, decoded when it is asked for, one in memory at a time.

        Never raises for what is in the file: a frame that cannot be read is a `BadFrame` with the
        frame's id, a file that cannot be read or ends too early is one with the source's id, after
        the frames that could be read. Frame 3 of a stack or video is ``id#000003``. A frame of too
        many pixels (`deepir.frames.limits`) cannot be read.
        """
        try:
            with closing(self._numbered()) as numbered:
                for index, outcome in numbered:
                    name = self.id if index is None else f"{self.id}#{index:06d}"
                    if isinstance(outcome, FrameError):
                        yield BadFrame(name, str(outcome), self.path)
                    else:
                        yield Frame(name, outcome, self.path, index)
        except (FrameError, OSError) as error:
            yield BadFrame(self.id, reason(error), self.path)
        except MemoryError as error:
            yield BadFrame(self.id, f"not enough memory: {reason(error)}", self.path)

    @property
    def _is_video(self) -> bool:
        return self.path.suffix.lower() in VIDEO_SUFFIXES

    def _numbered(self) -> Generator[tuple[int | None, Image | FrameError], None, None]:
        if self.problem:
            raise FrameError(self.problem)
        yield from video_frames(self.path) if self._is_video else image_frames(self.path)


def find_sources(inputs: AnyPath | Sequence[AnyPath]) -> list[Source]:
    """List the sources behind files and folders, or behind one; nothing is decoded.

    They come in the order given. Folders are searched to their depth in natural order (``frame_2``
    before ``frame_10``); hidden files and files of other kinds are left out, a file that is reached
    twice counts once. A named image is taken whatever its suffix is. Ids are paths below the
    folder, or names, without suffix; where two are equal with it, then with the path as given. No
    inputs, no sources.

    Raises:
        FrameError: the only input does not exist or is a folder without frames. Among several
            inputs such a one becomes a source that says so when its frames are asked for.
    """
    if isinstance(inputs, (str, os.PathLike)):
        inputs = [inputs]
    files: dict[str, _File] = {}
    for given in map(Path, inputs):
        for file in _files(given):
            if file.problem and len(inputs) == 1:
                raise FrameError(f"{given}: {file.problem}")
            files.setdefault(str(file.path.absolute()), file)
    ids = _unlike_ids([file.ids for file in files.values()])
    return [
        Source(name, file.path, file.problem)
        for name, file in zip(ids, files.values(), strict=True)
    ]


@dataclass(frozen=True)
class _File:
    """A file that an input led to; ``name`` is its path below that input."""

    path: Path
    name: Path
    problem: str = ""

    @property
    def ids(self) -> tuple[str, str, str]:
        """What it may be called, the shortest first."""
        names = (self.name.with_name(self.name.stem or self.name.name), self.name, self.path)
        # A name that is no text (bytes from an older system) still gets an id that can be printed.
        short, full, given = (
            name.as_posix().encode(errors="backslashreplace").decode() for name in names
        )
        return short, full, given


def _files(given: Path) -> list[_File]:
    """The files of one input, or one that carries the problem."""
    name = Path(given.name or "frames")
    try:
        if not given.is_dir():
            return [_File(given, name, "" if given.exists() else "no such file or folder")]
    except OSError as error:
        return [_File(given, name, reason(error))]
    found = sorted(_below(given), key=_natural)
    problem = f"no image or video in this folder; known are {', '.join(sorted(_SUFFIXES))}"
    return [_File(given / file, file) for file in found] or [_File(given, name, problem)]


def _below(folder: Path) -> Iterator[Path]:
    """Frame files in a folder and the folders in it, relative to it, hidden ones left out."""
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            if not name.startswith(".") and Path(name).suffix.lower() in _SUFFIXES:
                yield (Path(place) / name).relative_to(folder)


def _natural(path: Path) -> list[tuple[list[tuple[str, int]], str]]:
    """Order in which a person counts: part by part, digits as numbers, capitals alike."""
    return [
        ([(text.casefold(), int(digits or -1)) for text, digits in _PIECES.findall(part)], part)
        for part in path.parts
    ]


def _unlike_ids(choices: Sequence[tuple[str, ...]]) -> list[str]:
    """The shortest choice of each that no other one has; all that clash move on together."""
    level = [0] * len(choices)
    while True:
        ids = [choice[at] for choice, at in zip(choices, level, strict=True)]
        clashes = _clashes(ids)
        clashing = [
            number
            for number, name in enumerate(ids)
            if name in clashes and level[number] < len(choices[number]) - 1
        ]
        if not clashing:
            return ids
        for number in clashing:
            level[number] += 1


def _clashes(ids: Sequence[str]) -> set[str]:
    """Ids that two have, and those that a frame of another one would have (``s#000000``)."""
    uses = Counter(ids)
    clashes = {name for name, count in uses.items() if count > 1}
    for name in uses:
        stack = _FRAME_NUMBER.sub("", name)
        if stack != name and stack in uses:
            clashes |= {name, stack}
    return clashes
