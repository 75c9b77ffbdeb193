"""Lists of ids: what is wrong in one, and what two have in common."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence

from deepir.audit.facts import IdList
from deepir.audit.findings import Finding
from deepir.data.listing import stays_inside

IDS_SHOWN = 5

OFFICIAL = ("train_full", "val_full", "test_full")
"""Splits of SIRST-V2 that are compared; its other lists are unions and parts of these."""

ORDER = ("train", "val", "test")
"""A later split is to hold nothing of an earlier one."""

UNIONS = ("trainval", "trainvaltest", "all")
"""Lists of these names repeat what others hold."""


def list_findings(one: IdList) -> list[Finding]:
    """Empty, doubled and foreign ids of one list."""
    found = [
        Finding("empty id", one.file, f"line {number} is blank", one.split)
        for number, sample_id in enumerate(one.ids, start=1)
        if not sample_id
    ]
    if not any(one.ids):
        found = [Finding("empty id", one.file, "the list has no id", one.split)]
    for sample_id, uses in Counter(filter(None, one.ids)).items():
        if uses > 1:
            reason = f"it stands there {uses} times"
            found.append(Finding("duplicate id", one.file, reason, one.split, sample_id))
        if not stays_inside(sample_id):
            reason = "it leaves the dataset's folder"
            found.append(Finding("foreign id", one.file, reason, one.split, sample_id))
    return found


def usable_ids(one: IdList) -> list[str]:
    """Ids of a list that can name a frame, each once."""
    return list(dict.fromkeys(filter(stays_inside, one.ids)))


def compared_splits(names: Sequence[str]) -> list[int]:
    """Numbers of the splits that should have no frame in common, the earliest first.

    >>> compared_splits(["test_full", "trainval_full", "test_v1", "train_full", "val_full"])
    [3, 4, 0]
    >>> compared_splits(["test", "train", "trainval", "extra"])
    [1, 0, 3]
    """
    kept: Sequence[str] = [name for name in names if name.split("_")[0] not in UNIONS]
    if set(OFFICIAL) <= set(names):
        kept = OFFICIAL
    return [names.index(name) for name in sorted(kept or names, key=_rank)]


def _rank(name: str) -> tuple[int, str]:
    places = [place for place, start in enumerate(ORDER) if name.startswith(start)]
    return (places[0] if places else len(ORDER), name)


def overlaps(lists: Sequence[IdList], identity: Callable[[str, str], Hashable]) -> list[Finding]:
    """Frames that two lists have in common, a finding for each pair of lists."""
    own = [{identity(one.split, each): each for each in usable_ids(one)} for one in lists]
    found = []
    for later in range(len(lists)):
        for earlier in range(later):
            shared = [own[later][key] for key in own[later] if key in own[earlier]]
            if shared:
                more = ", ..." if len(shared) > IDS_SHOWN else ""
                reason = (
                    f"{len(shared)} of its frames are in {lists[earlier].split} too:"
                    f" {', '.join(shared[:IDS_SHOWN])}{more}"
                )
                one = lists[later]
                found.append(Finding("overlapping splits", one.file, reason, one.split))
    return found
