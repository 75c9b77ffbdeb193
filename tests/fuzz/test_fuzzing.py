"""The coverage-guided run begins, counts, and keeps what it finds."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from fuzz_targets import TARGETS

RUN = Path(__file__).with_name("run.py")


def run(*arguments):
    return subprocess.run(
        [sys.executable, str(RUN), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )


def test_targets_are_listed():
    assert run("--list").stdout.split() == list(TARGETS)


def test_an_input_is_run_again(tmp_path):
    (tmp_path / "a.bin").write_bytes(b"\xff")
    assert run("--replay", tmp_path / "a.bin", "predictions").returncode == 0


def test_an_unknown_target_is_named():
    assert "unknown target 'pnk'" in run("pnk").stderr


@pytest.mark.skipif(find_spec("atheris") is None, reason="atheris is not installed")
def test_a_short_run(tmp_path):
    done = run("--seconds", 2, "--findings", tmp_path, "predictions")
    row = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    assert row["inputs"] > 1
    assert row["branches"] > 0
    assert (row["findings"], row["processes lost"]) == (0, 0)
    assert list(tmp_path.iterdir()) == []
