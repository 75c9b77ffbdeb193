"""One audit: the lists, then every frame once, then what frames have in common."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Hashable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

import numpy as np

from deepir.audit.facts import Facts, IdList
from deepir.audit.findings import Finding, Kind
from deepir.audit.frame import count_targets, frame_findings
from deepir.audit.likeness import Pair, Portrait, Thumbnail, alike, pair_findings, thumbnail
from deepir.audit.lists import compared_splits, list_findings, overlaps, usable_ids
from deepir.audit.opened import OpenedFacts
from deepir.audit.published import Published, compare_published
from deepir.audit.trees import TREES, TreeFacts
from deepir.data.formats import Format, format_named
from deepir.data.manifest import PUBLICATIONS, load_manifest
from deepir.data.mask_folders import RECOGNISED, recognised_layout
from deepir.errors import DeepirError
from deepir.frames import read_image
from deepir.interrupt import Stop, stop_on_interrupt
from deepir.structures import AnyPath

WORKERS = min(4, os.cpu_count() or 1)
"""Frames that are decoded at the same time."""

Progress = Callable[[int, int], None]


@dataclass
class Audit:
    """What an audit came to.

    ``splits`` counts the usable ids of every list; ``compared`` names the lists that should have
    no frame in common, the earliest first; ``pairs`` are all images of two of these that resemble
    each other.
    """

    data: str
    splits: dict[str, int]
    compared: list[str]
    findings: list[Finding]
    frames: int = 0
    targets: int = 0
    pairs: list[Pair] = field(default_factory=list)
    published: Published | None = None
    interrupted: bool = False

    @property
    def counts(self) -> dict[Kind, int]:
        """Findings by kind, of the kinds that were found."""
        counts = {kind: sum(one.kind == kind for one in self.findings) for kind in get_args(Kind)}
        return {kind: count for kind, count in counts.items() if count}


def audit_dataset(root: AnyPath, form: Format, *, progress: Progress | None = None) -> Audit:
    """Look at every file of a dataset, and go on where reading it would stop.

    Ctrl-C ends the looking early: ``interrupted`` is set, and the findings are those until then.

    Raises:
        UsageError: a folder that the format does not fit.
        DeepirError: a dataset without any list of ids.
    """
    facts = facts_of(Path(root), form)
    lists, unusable = facts.lists()
    if not lists and not unusable:
        raise DeepirError(f"nothing to check in {str(root)!r}: it has no list of ids")
    compared = [lists[at] for at in compared_splits([one.split for one in lists])]
    audit = Audit(
        facts.form.name,
        {one.split: len(usable_ids(one)) for one in lists},
        [one.split for one in compared],
        [*unusable, *(found for one in lists for found in list_findings(one))],
    )
    audit.findings += overlaps(compared, facts.identity)
    places = _places([*compared, *lists], facts, unlisted=bool(unusable))
    looked = _look_at_all(facts, places, audit, progress)
    _compare(facts, compared, looked, audit)
    if not audit.interrupted and not unusable:
        ids = {place.id for place in places}
        audit.findings += facts.without_id(ids, {one.image_file for one in looked.values()})
    if audit.published:
        audit.findings += audit.published.findings
    return audit


def facts_of(root: Path, form: Format) -> Facts:
    """What is known of a dataset: by its tree where that is known, else through its reader."""
    if form.name == RECOGNISED:
        form = format_named(recognised_layout(root))
    tree = TREES.get(form.name)
    return TreeFacts(root, form, tree) if tree else OpenedFacts(root, form)


@dataclass(frozen=True)
class _Place:
    """A frame: the first list that names it."""

    key: Hashable
    split: str
    id: str


@dataclass(frozen=True, eq=False)
class _Looked:
    """What is kept of a frame that was looked at."""

    place: _Place
    findings: list[Finding]
    targets: int
    image_file: str
    thumbnail: Thumbnail | None


def _places(lists: Sequence[IdList], facts: Facts, *, unlisted: bool) -> list[_Place]:
    """Every frame once; those that no list names too, where a list cannot be used."""
    places: dict[Hashable, _Place] = {}
    named = [(one.split, sample_id) for one in lists for sample_id in usable_ids(one)]
    for split, sample_id in named + [("", each) for each in facts.every_id() if unlisted]:
        key = facts.identity(split, sample_id)
        places.setdefault(key, _Place(key, split, sample_id))
    return list(places.values())


def _look_at_all(
    facts: Facts, places: list[_Place], audit: Audit, progress: Progress | None
) -> dict[Hashable, _Looked]:
    """Look at the frames, some at a time, and at what was published."""
    looked: dict[Hashable, _Looked] = {}
    with ThreadPoolExecutor(WORKERS) as pool, stop_on_interrupt() as stop:
        for one in _in_order(pool, lambda place: _look(facts, place), places, stop):
            looked[one.place.key] = one
            audit.findings += one.findings
            audit.frames += 1
            audit.targets += one.targets
            if progress:
                progress(audit.frames, len(places))
        audit.interrupted = len(looked) < len(places)
        if not audit.interrupted and audit.data in PUBLICATIONS:
            audit.published = compare_published(facts.root, load_manifest(audit.data), pool.map)
    return looked


def _in_order(
    pool: ThreadPoolExecutor,
    look: Callable[[_Place], _Looked],
    places: Sequence[_Place],
    stop: Stop,
) -> Iterator[_Looked]:
    """Outcomes in the order of the places, a few ahead at a time; ends early when asked to."""
    ahead: deque[Future[_Looked]] = deque()
    for place in places:
        if stop.requested:
            break
        ahead.append(pool.submit(look, place))
        if len(ahead) > 2 * WORKERS:
            yield ahead.popleft().result()
    while ahead:
        yield ahead.popleft().result()


def _look(facts: Facts, place: _Place) -> _Looked:
    seen = facts.look(place.split, place.id)
    return _Looked(
        place,
        frame_findings(seen, place.split, place.id),
        count_targets(seen),
        seen.image_file,
        None if seen.image is None else thumbnail(seen.image),
    )


def _compare(
    facts: Facts, lists: Sequence[IdList], looked: dict[Hashable, _Looked], audit: Audit
) -> None:
    """Find images of a later list that resemble images of the earlier ones."""

    def are_identical(one: str, other: str) -> bool:
        first, second = (read_image(facts.root / file) for file in (one, other))
        same = first.dtype == second.dtype and first.shape == second.shape
        return same and np.array_equal(first, second, equal_nan=first.dtype.kind == "f")

    earlier: list[Portrait] = []
    for one in lists:
        own = list(_portraits(one, facts, looked))
        audit.pairs += alike(own, earlier, are_identical)
        earlier += own
    audit.findings += pair_findings(audit.pairs)


def _portraits(one: IdList, facts: Facts, looked: dict[Hashable, _Looked]) -> Iterator[Portrait]:
    for sample_id in usable_ids(one):
        key = facts.identity(one.split, sample_id)
        seen = looked.get(key)
        if seen is not None and seen.thumbnail is not None:
            yield Portrait(one.split, sample_id, key, seen.image_file, seen.thumbnail)
