"""The command ``deepir``, also as ``python -m deepir``."""

from __future__ import annotations

import os

INTERRUPTED = 130


def main() -> None:
    """Run the command; Ctrl-C while it is being loaded is one line, too, and no traceback."""
    try:
        import signal

        before = signal.getsignal(signal.SIGINT)
        if before is signal.default_int_handler:  # not where the shell has it ignored
            signal.signal(signal.SIGINT, _leave)
        from deepir.cli import main as run

        signal.signal(signal.SIGINT, before)
    except KeyboardInterrupt:
        _leave()
    run()


def _leave(*_: object) -> None:
    """End at once: there is nothing to keep yet."""
    try:
        os.write(2, b"deepir: interrupted\n")
    finally:
        os._exit(INTERRUPTED)


if __name__ == "__main__":
    main()
