"""What several test files share: the optional folder of reference data beside the checkout."""

from __future__ import annotations

import signal
from functools import cache
from pathlib import Path

import hypothesis
import numpy as np
import pytest

# Nothing here is timed: a busy machine is no failure.
hypothesis.settings.register_profile("deepir", deadline=None)
hypothesis.settings.load_profile("deepir")

collect_ignore_glob = ["conftest.py", "*/conftest.py", "oracles/*"]  # they hold no doctest

SHARED = Path(__file__).parents[1].parent / "shared"


@pytest.fixture(scope="session")
def shared():
    """Path inside the optional reference folder; the test is skipped where it is absent."""

    def locate(*parts):
        path = SHARED.joinpath(*parts)
        if not path.exists():
            pytest.skip(
                f"reference data {'/'.join(parts)} does not lie beside this checkout: {path}"
            )
        return path

    return locate


@pytest.fixture(scope="session")
def golden(shared):
    """Arrays of one golden file by name, read once."""

    @cache
    def load(name):
        with np.load(shared("golden", name)) as arrays:
            return dict(arrays)

    return load


@pytest.fixture(autouse=True, scope="session")
def interruptible():
    """A shell's background jobs ignore Ctrl-C, and so would every process that a test starts."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
