"""The command ``deepir``: one small function a verb, in a file of its name.

Exit status: 0 clean, 1 nothing usable, 2 wrong usage, 3 partial (something was skipped, and named),
130 interrupted (what was finished is kept).
"""

from __future__ import annotations

import io
import os
import signal
import sys
import threading
import warnings
from collections.abc import Sequence

# Spinning worker threads cost up to 40 times on a shared machine; both must be set before NumPy.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from cyclopts import App, CycloptsError

from deepir import __version__
from deepir.cli.bench import bench
from deepir.cli.calibrate import calibrate
from deepir.cli.convert import convert
from deepir.cli.data import data_app
from deepir.cli.detect import detect
from deepir.cli.evaluate import evaluate
from deepir.cli.export import export
from deepir.cli.info import info
from deepir.cli.list_detectors import list_detectors
from deepir.cli.score import score
from deepir.cli.simulate import simulate
from deepir.cli.status import FAILED, INTERRUPTED, USAGE
from deepir.cli.train import train_app
from deepir.errors import DeepirError, plain

WARNINGS_SHOWN = 3


def build_app() -> App:
    """Command line with all its verbs."""
    app = App(
        name="deepir",
        help="Find small targets in infrared frames, and say exactly how well that works.",
        version=__version__,
        suppress_keyboard_interrupt=False,
        help_format="plaintext",
    )
    app.command(detect)
    app.command(evaluate, name="eval")
    app.command(score)
    app.command(bench)
    app.command(simulate)
    app.command(data_app())
    app.command(train_app())
    app.command(convert)
    app.command(export)
    app.command(calibrate)
    app.command(list_detectors, name="list")
    app.command(info)
    return app


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command and leave with its exit status; errors are one line on standard error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a name that the terminal cannot show is no error
            stream.reconfigure(errors="backslashreplace")
    status = run(sys.argv[1:] if arguments is None else arguments)
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # while Python ends, no traceback either
    sys.exit(status)


def run(arguments: Sequence[str]) -> int:
    """Exit status of one command line."""
    shown = _ShownWarnings()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.simplefilter("ignore", ResourceWarning)  # Ctrl-C may leave a file to Python
        warnings.showwarning = shown
        try:
            status = build_app()(
                list(arguments),
                exit_on_error=False,
                print_error=False,
                result_action="return_value",
            )
            if sys.stdout:
                sys.stdout.flush()
            return int(status or 0)
        except CycloptsError as error:
            return _fail(str(error), USAGE)
        except DeepirError as error:
            return _fail(str(error), error.exit_status)
        except (BrokenPipeError, SystemExit):  # rich turns the one into the other
            return FAILED
        except OSError as error:
            place = f": {error.filename}" if error.filename else ""
            return _fail(f"{error.strerror or error}{place}", FAILED)
        except MemoryError as error:
            return _fail(f"not enough memory: {error}", FAILED)
        except KeyboardInterrupt:
            return _fail("interrupted", INTERRUPTED)
        finally:
            shown.close()
            _drop_unwritable()


def _fail(message: str, status: int) -> int:
    print(f"deepir: {plain(' '.join(message.split()))}", file=sys.stderr)
    return status


def _drop_unwritable() -> None:
    """Drop what standard output no longer takes; Python would complain about it at its end."""
    try:
        if sys.stdout:
            sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class _ShownWarnings:
    """Warnings as single lines: the first few, and how many more there were."""

    def __init__(self) -> None:
        self._count = 0

    def __call__(self, message: Warning | str, *_: object, **__: object) -> None:
        self._count += 1
        if self._count <= WARNINGS_SHOWN:
            print(f"deepir: warning: {plain(str(message))}", file=sys.stderr)

    def close(self) -> None:
        """Say how many warnings were not shown."""
        if self._count > WARNINGS_SHOWN:
            print(
                f"deepir: warning: and {self._count - WARNINGS_SHOWN} more",
                file=sys.stderr,
            )
