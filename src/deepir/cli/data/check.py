"""``deepir data check``: everything that is wrong with a dataset, in one run."""

from __future__ import annotations

from pathlib import Path

from deepir.cli.status import FAILED, INTERRUPTED
from deepir.cli.terminal import note, progress_bar


def check(root: Path, /, *, data: str | None = None, json: Path | None = None) -> int:
    """Audit a dataset: unreadable files, wrong boxes and lists, near-duplicates across splits.

    Ends with status 0 where nothing is found, else 1.

    Args:
        root: folder of the dataset.
        data: its format, such as sirst-v2 (default: recognised from its tree).
        json: also write every finding, and every pair of near-duplicates, to this file.
    """
    from deepir.audit import audit_dataset
    from deepir.audit.report import audit_json, audit_lines
    from deepir.data import format_named, recognise_format
    from deepir.writing import check_output_file, write_json

    if json:
        check_output_file(json)
    form = format_named(data) if data else recognise_format(root)
    with progress_bar(f"check {form.name}") as progress:
        audit = audit_dataset(root, form, progress=progress)
    for line in audit_lines(audit):
        print(line)
    if json:
        write_json(json, audit_json(audit, root))
        print(f"wrote {json}")
    if audit.interrupted:
        note(f"interrupted: the findings are those of the {audit.frames} frames looked at by then")
        return INTERRUPTED
    return FAILED if audit.findings else 0
