"""Where a YOLO dataset keeps its images and labels: data.yaml, lists and folders."""

from __future__ import annotations

import json
import os
import re
import reprlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from deepir.data.images import image_paths
from deepir.data.listing import ALL, is_there, read_limited, read_lines, without_suffix
from deepir.data.nesting import check_nesting
from deepir.data.writer import TARGET
from deepir.errors import DeepirError, UsageError
from deepir.writing import write_text

IMAGES, LABELS, SETTINGS = "images", "labels", "data.yaml"
RESERVED = frozenset(("path", "nc", "names", "download", "kpt_shape", "flip_idx", "yaml_file"))
MOST_YAML_BYTES = 2**18


@dataclass(frozen=True)
class Tree:
    """Images of each split, relative to the dataset's folder, in order; names of the classes."""

    splits: dict[str, list[PurePosixPath]]
    classes: dict[int, str]
    homes: tuple[str, ...]
    """Folders in ``images/`` that stand for a split, so that they are no part of an id."""

    @cached_property
    def ids(self) -> dict[PurePosixPath, str]:
        """Id of each image: its path below ``images/`` without the split's folder.

        Where that is one id for two images, all ids keep the folder.
        """
        every = dict.fromkeys(path for paths in self.splits.values() for path in paths)
        short = {path: self._short(path) for path in every}
        if len(set(short.values())) == len(short):
            return short
        return {
            path: without_suffix("/".join(part for part in path.parts if part != IMAGES))
            for path in every
        }

    @cached_property
    def paths(self) -> dict[str, PurePosixPath]:
        """Image of each id.

        Raises:
            DeepirError: two images with one id.
        """
        uses = Counter(self.ids.values())
        twice = next((name for name, count in uses.items() if count > 1), None)
        if twice is not None:
            both = [str(path) for path, name in self.ids.items() if name == twice]
            raise DeepirError(f"two images have the id {twice!r}: {both[0]!r} and {both[1]!r}")
        return {name: path for path, name in self.ids.items()}

    def _short(self, path: PurePosixPath) -> str:
        below = "/".join(path.parts[_below_images(path) :])
        home = next((home for home in self.homes if below.startswith(f"{home}/")), None)
        return without_suffix(below if home is None else below[len(home) + 1 :])

    def label_file(self, image: PurePosixPath) -> PurePosixPath:
        """Label file of an image: the last folder ``images`` of its path is ``labels`` there."""
        return self.label_folder(image) / f"{without_suffix(image.name)}.txt"

    def label_folder(self, image: PurePosixPath) -> PurePosixPath:
        """Folder of an image's label file."""
        below = _below_images(image)
        return self.label_root(image).joinpath(*image.parent.parts[below:])

    def label_root(self, image: PurePosixPath) -> PurePosixPath:
        """The folder ``labels`` that an image's label file lies in or below."""
        below = _below_images(image)
        return PurePosixPath(*image.parts[: below - 1], LABELS) if below else PurePosixPath()

    def class_name(self, number: int) -> str:
        """Name of a class, its number where it has none."""
        return self.classes.get(number, str(number))


def _below_images(path: PurePosixPath) -> int:
    """Number of parts up to the last folder called ``images``; 0 where there is none."""
    found = [place for place, part in enumerate(path.parts[:-1], start=1) if part == IMAGES]
    return found[-1] if found else 0


def read_tree(root: Path) -> Tree:
    """Look where the images of each split are, by data.yaml, else by the folders; none is decoded.

    A split of data.yaml that leads nowhere is none. A root of another kind has no splits.

    Raises:
        UsageError: data.yaml is there and PyYAML is not installed.
        DeepirError: data.yaml cannot be used, or a list names an image outside the folder.
    """
    settings = read_settings(root)
    if settings is None:
        return _tree_of_folders(root)
    base = settings.get("path")
    base = base if isinstance(base, str) else ""
    splits, homes = {}, []
    for split, value in _named_places(settings):
        found = [_place(root, base, text) for text in value]
        places = [place for place in found if place is not None]
        images = [image for place in places for image in _images(root, place)]
        if images:
            splits[split] = images
            homes += [split, *map(_home, places)]
    return Tree(splits, _classes(settings.get("names")), _longest_first(homes))


def _named_places(settings: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """Splits of data.yaml, and the folders or lists that each names."""
    for split, value in settings.items():
        places = value if isinstance(value, list) else [value]
        if split not in RESERVED and all(isinstance(place, str) and place for place in places):
            yield split, [place.replace("\\", "/") for place in places]


def read_settings(root: Path) -> dict[str, Any] | None:
    """Content of data.yaml, or of another YAML file with a train or val; None where there is none.

    Every value is the text that stands there.

    Raises:
        UsageError: PyYAML is not installed.
        DeepirError: the file cannot be read, is no YAML or holds no names with values.
    """
    others = sorted((*root.glob("*.yaml"), *root.glob("*.yml")))
    if root / SETTINGS in others:
        return _parsed(root / SETTINGS)
    for path in others:
        settings = _parsed(path)
        if {"train", "val"} & set(settings):
            return settings
    return None


def check_yolo_split(split: str) -> None:
    """Make sure that a split is not called like another entry of data.yaml.

    Raises:
        UsageError: it is.
    """
    if split in RESERVED:
        raise UsageError(f"{split!r} means something else in {SETTINGS}: name the split otherwise")


def write_settings(root: Path, lists: Mapping[str, str]) -> None:
    """Write data.yaml with the lists of splits, and those splits and classes that it has.

    Raises:
        UsageError: a split that is called like another entry, or the data.yaml that is there leads
            to another folder.
    """
    for split in lists:
        check_yolo_split(split)
    settings = read_settings(root) or {}
    if settings.get("path"):
        raise UsageError(
            f"{str(root / SETTINGS)!r} leads to {reprlib.repr(settings['path'])}: write into"
            " another folder"
        )
    before = dict(_named_places(settings))
    classes = _classes(settings.get("names")) or {0: TARGET}
    places = {**before, **{split: [place] for split, place in lists.items()}}
    lines = [f"{_text(split)}: {_texts(found)}" for split, found in places.items()]
    names = [f"  {number}: {_text(name)}" for number, name in sorted(classes.items())]
    write_text(root / SETTINGS, "\n".join([*lines, f"nc: {len(names)}", "names:", *names]) + "\n")


def _texts(places: list[str]) -> str:
    one = len(places) == 1
    return _text(places[0]) if one else f"[{', '.join(map(_text, places))}]"


def _text(text: str) -> str:
    """Text as YAML reads it back; what could mean something else stands in quotes."""
    plain = re.fullmatch(r"[a-z][\w./-]{3,}", text, flags=re.ASCII) and text not in _WORDS
    return text if plain else json.dumps(text, ensure_ascii=False)


_WORDS = frozenset(("true", "false", "null"))


def _parsed(path: Path) -> dict[str, Any]:
    try:
        import yaml
    except ImportError:
        raise UsageError(
            f"reading {str(path)!r} needs PyYAML, not installed here: pip install pyyaml"
        ) from None
    try:
        text = read_limited(path, MOST_YAML_BYTES).decode("utf-8-sig")
        check_nesting(text)
        loader = yaml.BaseLoader(text)
        node = loader.get_single_node()
        settings = loader.construct_document(node) if node is not None else None
    except DeepirError:
        raise
    except (OSError, UnicodeDecodeError) as error:
        raise DeepirError(f"{str(path)!r} is not readable: {error}") from None
    except (yaml.YAMLError, RecursionError, ValueError, OverflowError) as error:
        reason = " ".join(str(error).split())
        raise DeepirError(f"{str(path)!r} is no usable YAML: {reason}") from None
    if not isinstance(settings, dict) or not all(isinstance(name, str) for name in settings):
        raise DeepirError(f"{str(path)!r} is to hold names with values, such as 'train: train.txt'")
    names = Counter(str(key.value) for key, _ in node.value) if node is not None else Counter()
    twice = next((name for name, uses in names.items() if uses > 1), None)
    if twice is not None:
        raise DeepirError(f"{str(path)!r} holds {twice!r:.60} twice: leave one of them out")
    return settings


def _classes(names: object) -> dict[int, str]:
    """Names by number, from a list or from numbers with names."""
    if isinstance(names, list):
        names = dict(enumerate(names))
    pairs = names.items() if isinstance(names, dict) else ()
    return {int(key): name for key, name in pairs if _is_number(key) and isinstance(name, str)}


def _is_number(key: object) -> bool:
    """Whether a class may be called so; what a stranger's file refers to may be endless as text."""
    return isinstance(key, int) or (isinstance(key, str) and key.isdecimal() and len(key) < 10)


def _place(root: Path, base: str, text: str) -> PurePosixPath | None:
    """Folder or list that data.yaml names, relative to the root; None where there is none in it.

    Some exports begin every place with ``../`` and mean the folder itself.
    """
    for candidate in (PurePosixPath(base, text), text, text.removeprefix("../")):
        place = _inside(root, candidate)
        if place is not None and is_there(root / place):
            return place
    return None


def _inside(root: Path, text: str | PurePosixPath) -> PurePosixPath | None:
    """A path as it stands, relative to the root, or None where it leaves that."""
    home = Path(os.path.normpath(root.absolute()))
    path = Path(os.path.normpath(home / text))
    return PurePosixPath(path.relative_to(home).as_posix()) if path.is_relative_to(home) else None


def _images(root: Path, place: PurePosixPath) -> Iterable[PurePosixPath]:
    """Images of a folder in the order of their names, or of a list in its own."""
    if (root / place).is_dir():
        return sorted(place / path for path in image_paths(root / place))
    return [_listed(root, place, line) for line in read_lines(root / place)]


def _listed(root: Path, place: PurePosixPath, line: str) -> PurePosixPath:
    """Image that a line of a list names, relative to the list or to the root."""
    text = line.replace("\\", "/")
    found = [_inside(root, place.parent / text), _inside(root, text)]
    paths = [path for path in dict.fromkeys(found) if path is not None]
    if not paths:
        raise DeepirError(f"{line!r} in {str(root / place)!r} leaves the dataset's folder")
    if len(paths) == 1:
        return paths[0]
    return next((path for path in paths if is_there(root / path)), paths[0])


def _home(place: PurePosixPath) -> str:
    """The part of a split's folder that no id contains."""
    return "/".join(place.parts[_below_images(place / "image") :])


def _longest_first(homes: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({home for home in homes if home}, key=lambda home: (-len(home), home)))


def _tree_of_folders(root: Path) -> Tree:
    """Splits as folders in ``images/``, or with folders ``images`` and ``labels`` of their own."""
    if not ((root / IMAGES).is_dir() and (root / LABELS).is_dir()):
        folders = [path.parent for path in sorted(root.glob(f"*/{IMAGES}"))]
        parts = {path.name: f"{path.name}/{IMAGES}" for path in folders if (path / LABELS).is_dir()}
    elif any(len(path.parts) == 1 for path in image_paths(root / IMAGES)):
        return Tree({ALL: list(_images(root, PurePosixPath(IMAGES)))}, {}, ())
    else:
        folders = [path for path in sorted((root / IMAGES).iterdir()) if path.is_dir()]
        parts = {path.name: f"{IMAGES}/{path.name}" for path in folders}
    splits = {name: list(_images(root, PurePosixPath(place))) for name, place in parts.items()}
    filled = {name: images for name, images in splits.items() if images}
    return Tree(filled, {}, _longest_first(filled))
