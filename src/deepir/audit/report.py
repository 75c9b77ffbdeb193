"""An audit as JSON and as lines for a person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from deepir.audit.run import Audit

FORMAT = "deepir data audit 1"

LINES = 100
"""Findings of one kind that are printed; the JSON has all."""


def audit_json(audit: Audit, root: Path) -> dict[str, Any]:
    """Everything that an audit found, every pair of images that resemble each other included."""
    published = audit.published
    return {
        "format": FORMAT,
        "root": str(root),
        "data": audit.data,
        "frames": audit.frames,
        "targets": audit.targets,
        "interrupted": audit.interrupted,
        "splits": audit.splits,
        "compared_splits": audit.compared,
        "published": published
        and {
            "images": published.images[0],
            "images_of": published.images[1],
            "others": published.others[0],
            "others_of": published.others[1],
        },
        "counts": audit.counts,
        "findings": [asdict(one) for one in audit.findings],
        "pairs": [asdict(one) for one in audit.pairs],
    }


def audit_lines(audit: Audit) -> Iterator[str]:
    """What was looked at, a line a finding, and how many there are."""
    compared = ", ".join(f"{name} {audit.splits[name]}" for name in audit.compared)
    yield f"{audit.data}: {audit.frames:,} frames, {audit.targets:,} targets; compared: {compared}"
    if audit.published:
        yield audit.published.line
    told: Counter[str] = Counter()
    for one in audit.findings:
        told[one.kind] += 1
        if told[one.kind] <= LINES:
            yield one.line
    for kind, count in audit.counts.items():
        if count > LINES:
            yield f"... and {count - LINES} more: {kind}"
    yield summary(audit)


def summary(audit: Audit) -> str:
    """How many findings there are, by kind."""
    if not audit.findings:
        return "nothing found"
    kinds = ", ".join(f"{count} {kind}" for kind, count in audit.counts.items())
    number = len(audit.findings)
    return f"{number:,} finding{'s' * (number != 1)}: {kinds}"
