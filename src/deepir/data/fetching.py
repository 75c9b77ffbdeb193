"""Published datasets over HTTP: some files at a time, each checked before it is written."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from urllib.parse import quote, urlsplit

from deepir.data.downloading import FIRST_WAIT_S, NotDownloadedError, download
from deepir.data.manifest import Manifest, sha256_of
from deepir.errors import DeepirError, UsageError
from deepir.interrupt import Stop, stop_on_interrupt
from deepir.writing import output_folder, write_bytes

PARALLEL = 6
"""Downloads at the same time."""

MOST_FAILED = 5
"""So many files that cannot be had end the run."""

_LEAVING_S = 2.0  # what downloads in progress may take to notice that they are not wanted any more


@dataclass
class Fetched:
    """What became of the files of a manifest, by path."""

    new: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)  # were right already
    failed: list[tuple[str, str]] = field(default_factory=list)  # with the reason
    interrupted: bool = False


def fetch_files(
    manifest: Manifest,
    folder: Path,
    *,
    source: str | None = None,
    first_wait_s: float = FIRST_WAIT_S,
    progress: Callable[[int, int], None] | None = None,
) -> Fetched:
    """Bring every file of a manifest into ``folder``; what is right there already stays.

    A file with another content is replaced. Each one appears whole and only when its SHA-256 is
    right, so a run that was cut off goes on where it stopped. ``source`` is the address of a copy
    of the published folder (default: the published one). Ctrl-C and SIGTERM end the run early, and
    so do `MOST_FAILED` files that cannot be had.

    Raises:
        UsageError: a source that is no address, a folder that cannot be written.
        DeepirError: a file cannot be written, as on a full disk.
    """
    address = checked_source(source or manifest.publication.source)
    output_folder(folder)
    done, total = Fetched(), len(manifest.sums)
    job = _Job(manifest, folder, address, first_wait_s)
    with stop_on_interrupt(signal.SIGTERM) as stop, _crew(job) as outcomes:
        for number in range(1, total + 1):
            outcome = _next(outcomes, stop)
            if outcome is None:
                done.interrupted = True
                break
            _note(outcome, done)
            if progress:
                progress(number, total)
            if len(done.failed) >= MOST_FAILED:
                break
    return done


def checked_source(source: str) -> str:
    """Address of a folder without a slash at its end.

    Raises:
        UsageError: anything but ``http://...`` and ``https://...``.

    >>> checked_source("http://localhost:8000/sirst/")
    'http://localhost:8000/sirst'
    """
    try:
        parts = urlsplit(source)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise UsageError(f"a source is an address such as http://host:8000/folder, got {source!r}")
    return source.rstrip("/")


@dataclass(frozen=True)
class _Job:
    """What the threads share."""

    manifest: Manifest
    folder: Path
    address: str
    first_wait_s: float
    unwanted: threading.Event = field(default_factory=threading.Event)
    failed: list[str] = field(default_factory=list)

    def note_failed(self, path: str) -> None:
        """Count a file that cannot be had; after `MOST_FAILED` nothing else is wanted.

        Whoever reads the outcomes may be late, and would ask for many more until then.
        """
        self.failed.append(path)
        if len(self.failed) >= MOST_FAILED:
            self.unwanted.set()

    def bring(self, path: str) -> bool:
        """Make sure that a file is there and right; returns whether it had to be fetched."""
        target, wanted = self.folder / path, self.manifest.sums[path]
        if target.exists() and sha256_of(target) == wanted:
            return False
        url = f"{self.address}/{quote(path)}"
        content = download(url, wanted, unwanted=self.unwanted, first_wait_s=self.first_wait_s)
        write_bytes(target, content)
        return True


@dataclass(frozen=True)
class _Outcome:
    """What became of one file: whether it is new, or why it is not there."""

    path: str
    new: bool = False
    error: BaseException | None = None


@contextmanager
def _crew(job: _Job) -> Iterator[SimpleQueue[_Outcome]]:
    """Threads that fetch, and where their outcomes arrive; at the end they are sent home.

    They are daemons, so that a server that says nothing keeps nobody waiting after Ctrl-C.
    """
    waiting: SimpleQueue[str] = SimpleQueue()
    outcomes: SimpleQueue[_Outcome] = SimpleQueue()
    for path in job.manifest.sums:
        waiting.put(path)
    crew = [
        threading.Thread(target=_work, args=(job, waiting, outcomes), daemon=True)
        for _ in range(PARALLEL)
    ]
    try:
        for worker in crew:
            worker.start()
        yield outcomes
    finally:
        job.unwanted.set()
        end = time.monotonic() + _LEAVING_S
        for worker in crew:
            worker.join(max(end - time.monotonic(), 0.0))


def _work(job: _Job, waiting: SimpleQueue[str], outcomes: SimpleQueue[_Outcome]) -> None:
    while not job.unwanted.is_set():
        try:
            path = waiting.get_nowait()
        except Empty:
            return
        try:
            outcomes.put(_Outcome(path, new=job.bring(path)))
        except BaseException as error:  # raised again where the outcomes are read
            outcomes.put(_Outcome(path, error=error))
            if isinstance(error, NotDownloadedError):
                job.note_failed(path)


def _next(outcomes: SimpleQueue[_Outcome], stop: Stop) -> _Outcome | None:
    """The next outcome; None once the user asked to stop."""
    while not stop.requested:
        try:
            return outcomes.get(timeout=0.1)
        except Empty:
            continue
    return None


def _note(outcome: _Outcome, done: Fetched) -> None:
    error = outcome.error
    if error is None:
        (done.new if outcome.new else done.kept).append(outcome.path)
    elif isinstance(error, NotDownloadedError):
        done.failed.append((outcome.path, str(error)))
    elif isinstance(error, OSError):
        reason = (error.strerror or str(error)).lower()
        raise DeepirError(
            f"cannot write {outcome.path!r}: {reason}; what is there is kept, and the same command"
            " goes on"
        ) from None
    else:
        raise error
