"""What a person sees: tables on standard output, progress and notes on standard error."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from deepir.cli.status import INTERRUPTED, PARTIAL
from deepir.errors import plain

if TYPE_CHECKING:
    from deepir.bench import Evaluation
    from deepir.passes import Pass
    from deepir.tables import Table

_PIPE_WIDTH = 1000  # columns where there is no terminal: enough to fold nothing


def print_table(table: Table, *, title: str = "") -> None:
    """Print a table with figures to four digits, its title on a line of its own above it."""
    from rich.console import Console
    from rich.table import Table as RichTable

    from deepir.tables import shown

    drawn = RichTable()
    for column, head in enumerate(table.heads):
        numeric = all(not isinstance(row[column], str) for row in table.rows)
        drawn.add_column(head, justify="right" if numeric else "left", overflow="fold")
    for row in table.rows:
        drawn.add_row(*map(shown, row))
    width = None if sys.stdout and sys.stdout.isatty() else _PIPE_WIDTH
    console = Console(width=width, highlight=False, markup=False)
    if title:
        console.print(title, style="bold")
    console.print(drawn)


def print_json(value: object) -> None:
    """Print strict JSON, in ASCII where standard output is not UTF-8."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    ascii_only = encoding.lower().replace("-", "") != "utf8"
    print(json.dumps(value, indent=1, ensure_ascii=ascii_only, allow_nan=False))


def note(message: str) -> None:
    """Say one line on standard error."""
    print(f"deepir: {plain(message)}", file=sys.stderr)


@contextmanager
def progress_bar(task: str) -> Iterator[Callable[[int, int | None], None]]:
    """Bar with time left on standard error; gives a function told (done, total or None)."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with _own_stderr() as stream:
        console = Console(file=stream, stderr=True)
        with Progress(
            *columns, console=console, transient=True, disable=not console.is_terminal
        ) as bar:
            row = bar.add_task(task, total=None)
            yield lambda done, total: bar.update(row, completed=done, total=total)


@contextmanager
def _own_stderr() -> Iterator[TextIO | None]:
    """Standard error that stays, of a terminal: decoding frames bends descriptor 2 to nowhere.

    Threads that decode do so nearly all the time.
    """
    if sys.stderr is None or not sys.stderr.isatty():
        yield sys.stderr
        return
    copy = os.dup(sys.stderr.fileno())
    with os.fdopen(copy, "w", encoding=sys.stderr.encoding, errors="backslashreplace") as stream:
        yield stream


def report_skipped(skipped: list[tuple[str, str]]) -> None:
    """Name each frame that could not be used, once."""
    for frame_id, reason in skipped:
        note(f"skipped {frame_id!r}: {reason}")


def report_maps(run: Evaluation) -> None:
    """Say where a limit ended a solver, and what became of maps that were saved earlier."""
    from deepir.diagnostics import limits_line

    line = limits_line(run.name, run.diagnostics, run.scorer.frames)
    if line:
        print(line)
    maps = run.maps if run.maps and run.clock else {}
    title = f"{run.name}, {run.read_out}"
    if reused := maps.get("reused"):
        print(f"{title}: {reused} maps of an earlier run are used again, with their times")
    if replaced := maps.get("replaced"):
        print(f"{title}: {replaced} saved maps were damaged or of another image, and made anew")
    if run.interrupted and run.archive:
        print("the maps saved by now stay: the same command with --resume goes on with them")


def finish(run: Evaluation) -> int:
    """Say what a run left out; returns its exit status."""
    from deepir.passes import Pass

    return finish_pass(Pass(run.scorer.ids, run.skipped, run.interrupted), len(run.dataset))


def finish_pass(done: Pass, frames: int) -> int:
    """Say what a pass over so many frames left out; returns its exit status."""
    report_skipped([(one.id, one.reason) for one in done.skipped])
    if done.interrupted:
        note(f"interrupted: the figures are of the {len(done.taken)} frames finished by then")
        return INTERRUPTED
    if done.skipped:
        note(f"partial: {len(done.skipped)} of {frames} frames are not in the figures")
        return PARTIAL
    return 0
