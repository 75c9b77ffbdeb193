"""Curves of a run: tables on disk that continue after a stop, and TensorBoard."""

from __future__ import annotations

import csv
import io
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from deepir.errors import DeepirError
from deepir.writing import write_text

Row = Mapping[str, float]


class CsvLog:
    """A table on disk, one row an iteration of interest, each there as soon as it is added.

    ``start``: rows after that iteration are dropped first, as the run begins anew there; so is a
    last row that was cut off.

    Raises:
        DeepirError: it cannot be written.
    """

    def __init__(self, path: Path, *, start: int) -> None:
        self.path = path
        self._heads: list[str] = []
        if not path.is_file():
            return
        text = path.read_text(encoding="utf-8", errors="replace")
        rows = list(csv.reader(io.StringIO(text[: text.rfind("\n") + 1])))
        if rows:
            self._heads = rows[0]
            kept = [row for row in rows[1:] if row and row[0].isdigit() and int(row[0]) <= start]
            write_text(path, _lines([self._heads, *kept]))

    def add(self, iteration: int, row: Row) -> None:
        """Append a row; the first one names the columns, later ones fill those."""
        values = {"iteration": iteration, **{name: f"{value:.6g}" for name, value in row.items()}}
        lines = []
        if not self._heads:
            self._heads = list(values)
            lines.append(self._heads)
        lines.append([str(values.get(head, "")) for head in self._heads])
        try:
            with self.path.open("a", encoding="utf-8", newline="") as stream:
                stream.write(_lines(lines))
        except OSError as error:
            why = (error.strerror or str(error)).lower()
            raise DeepirError(f"cannot write the log {str(self.path)!r}: {why}") from None


class Curves:
    """Curves for TensorBoard; nothing where it is not installed or not wanted.

    ``start``: what an earlier run wrote after that iteration is hidden. Where curves cannot be
    written, as on a full disk, ``warn`` is told once and there are no more: a run is not worth less
    without them.
    """

    def __init__(
        self, folder: Path | None, *, start: int, warn: Callable[[str], None] = lambda _: None
    ) -> None:
        self._writer: Any = None
        self._warn = warn
        self._hook = threading.excepthook
        if folder is None or find_spec("tensorboard") is None:
            return
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its own imports age
            from torch.utils.tensorboard import SummaryWriter
        threading.excepthook = self._in_thread
        with self._going():
            self._writer = SummaryWriter(str(folder), purge_step=start + 1)

    def add(self, iteration: int, row: Row, *, group: str) -> None:
        """Add a point to each curve."""
        if self._writer is None:
            return
        with self._going():
            for name, value in row.items():
                self._writer.add_scalar(f"{group}/{name}", value, iteration)

    def flush(self) -> None:
        """Bring all points to disk."""
        if self._writer is not None:
            with self._going():
                self._writer.flush()

    def close(self) -> None:
        """End the file."""
        if self._writer is not None:
            with self._going():
                self._writer.close()
        threading.excepthook = self._hook

    @contextmanager
    def _going(self) -> Iterator[None]:
        """Give the curves up when they cannot be written."""
        try:
            yield
        except OSError as error:
            self._writer = None
            self._warn(f"no more curves for TensorBoard: {(error.strerror or str(error)).lower()}")

    def _in_thread(self, told: threading.ExceptHookArgs) -> None:
        """Say nothing of what stops TensorBoard's thread: the next call raises it again."""
        if not isinstance(told.exc_value, OSError):
            self._hook(told)


@dataclass
class Window:
    """Means over the steps since the last row of the log."""

    count: int = 0
    sums: dict[str, float] = field(default_factory=dict)
    waited: float = 0.0
    seconds: float = 0.0

    def add(self, values: Row, *, waited: float, seconds: float) -> None:
        """Take a step in."""
        self.count += 1
        self.waited += waited
        self.seconds += seconds
        for name, value in values.items():
            self.sums[name] = self.sums.get(name, 0.0) + value

    def row(self, batch: int) -> dict[str, float]:
        """Means, images a second, and the share of the time that was spent waiting for data."""
        seconds = max(self.seconds, 1e-9)
        return {
            **{name: total / self.count for name, total in self.sums.items()},
            "crops_per_second": self.count * batch / seconds,
            "waiting_share": self.waited / seconds,
        }

    def state(self) -> dict[str, Any]:
        """For a checkpoint, so that the log goes on where it was."""
        return {
            "count": self.count,
            "sums": dict(self.sums),
            "waited": self.waited,
            "seconds": self.seconds,
        }


def _lines(rows: list[list[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
