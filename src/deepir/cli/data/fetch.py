"""``deepir data fetch``: a published dataset, file by file."""

from __future__ import annotations

from pathlib import Path

from deepir.cli.status import FAILED, INTERRUPTED, PARTIAL
from deepir.cli.terminal import note, progress_bar


def fetch(name: str, /, *, to: Path, source: str | None = None) -> int:
    """Download a published dataset; what is there and right stays, so the same command goes on.

    Args:
        name: dataset: sirst-v2 (3,091 files, 221 MB).
        to: folder to write into.
        source: address of a copy of the published folder (default: where it was published).
    """
    from deepir.data.fetching import fetch_files
    from deepir.data.manifest import load_manifest

    manifest = load_manifest(name)
    with progress_bar(f"fetch {name}") as progress:
        done = fetch_files(manifest, to, source=source, progress=progress)
    right = len(done.new) + len(done.kept)
    for path, reason in done.failed:
        note(f"not fetched {path!r}: {reason}")
    print(
        f"{right:,} of the {len(manifest.sums):,} files of {name} are in {str(to)!r}:"
        f" {len(done.new):,} new, {len(done.kept):,} were there"
    )
    if right == len(manifest.sums):
        print(manifest.publication.terms)
        print(f"next: deepir data check {to}")
        return 0
    note(f"{'interrupted' if done.interrupted else 'partial'}: the same command goes on")
    if done.interrupted:
        return INTERRUPTED
    return PARTIAL if right else FAILED
