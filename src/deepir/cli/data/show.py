"""``deepir data show``: a dataset on one page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter, validators

from deepir.cli.options import Whole
from deepir.cli.terminal import finish_pass, progress_bar

PICTURE, PAGES = ".png", (".html", ".htm")
MOST_CARDS = 300
Count = Annotated[Whole, Parameter(validator=validators.Number(gte=1, lte=MOST_CARDS))]


def show(
    root: Path,
    /,
    *,
    out: Path,
    data: str | None = None,
    split: str | None = None,
    count: Count = 12,
) -> int:
    """Draw a contact sheet: the figures of a dataset, frames, their targets and NoCo maps.

    Args:
        root: folder of the dataset.
        out: sheet.png, or sheet.html, which shows everything without asking for another file.
        data: format of the dataset (default: recognised from the tree).
        split: which frames (default: the dataset's test split).
        count: frames that are drawn, from the faintest target to the brightest; all are counted.
    """
    import cv2

    from deepir.contact_sheet import draw_png, make_sheet, render_html
    from deepir.data import format_named, recognise_format
    from deepir.errors import UsageError
    from deepir.writing import check_output_file, write_bytes, write_text

    suffix = out.suffix.lower()
    if suffix not in (PICTURE, *PAGES):
        raise UsageError(f"a sheet is a .png or an .html file, got {str(out)!r}")
    check_output_file(out)
    form = format_named(data) if data else recognise_format(root)
    dataset = form.open(root, split)
    with progress_bar(f"count {dataset.name} {dataset.split}") as progress:
        sheet = make_sheet(dataset, count=count, progress=progress)
    if suffix == PICTURE:
        write_bytes(out, cv2.imencode(PICTURE, draw_png(sheet))[1].tobytes())
    else:
        write_text(out, render_html(sheet))
    print(f"{sheet.title}: {sheet.summary}")
    print(f"wrote {out}, with {len(sheet.cards)} frames")
    return finish_pass(sheet.done, len(dataset))
