"""``deepir data fetch`` against a server on this machine; nothing here leaves it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest
from file_server import serving

from deepir.data.manifest import load_manifest

LINE = (sys.executable, "-m", "deepir", "data", "fetch", "sirst-v2")
WAIT_S = 60


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "*")


class TestRefused:
    def test_an_unknown_dataset(self, deepir, tmp_path):
        outcome = deepir("data", "fetch", "sirst", "--to", tmp_path)
        outcome.refused("'sirst-v2'", status=2)

    def test_a_source_that_is_no_address(self, deepir, tmp_path):
        outcome = deepir("data", "fetch", "sirst-v2", "--to", tmp_path, "--source", "here")
        outcome.refused("'here'", "http://", status=2)

    def test_a_folder_that_nobody_can_make(self, deepir, nowhere):
        outcome = deepir("data", "fetch", "sirst-v2", "--to", nowhere, "--source", "http://h")
        outcome.refused(nowhere, status=2)

    def test_a_server_without_the_files(self, deepir, tmp_path):
        with serving({}) as server:
            outcome = deepir(
                "data", "fetch", "sirst-v2", "--to", tmp_path, "--source", server.address
            )
        assert outcome.status == 1
        assert outcome.err.count("404 Not Found") == 5
        assert "the same command goes on" in outcome.err
        assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_downloads_that_stall(tmp_path, number):
    files = dict.fromkeys(load_manifest("sirst-v2").sums, b"x" * 1000)
    with serving(files) as server:
        server.plans = {"*": ["stalled"] * 100}
        process = subprocess.Popen(
            [*LINE, "--to", tmp_path, "--source", server.address],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        end = time.monotonic() + WAIT_S
        while not server.asked and time.monotonic() < end:
            time.sleep(0.01)
        process.send_signal(number)
        out, err = process.communicate(timeout=WAIT_S)
    assert process.returncode == 130
    assert out.startswith("0 of the 3,091 files")
    assert err.splitlines() == ["deepir: interrupted: the same command goes on"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.data
def test_a_run_fetches_what_lacks_and_says_what_it_is(deepir, shared, tmp_path):
    official = shared("data", "sirst-v2")
    for folder in ("mixed", "annotations"):
        (tmp_path / folder).symlink_to(official / folder)
    command = ("data", "fetch", "sirst-v2", "--to", tmp_path, "--source")
    with serving(official) as server:
        server.plans = {"splits/val_v1.txt": [404]}
        first = deepir(*command, server.address)
        second = deepir(*command, server.address)
    assert (first.status, second.status) == (3, 0)
    assert "19 new" not in first.out
    assert "'splits/val_v1.txt': the server answers 404 Not Found" in first.err
    assert second.out.startswith("3,091 of the 3,091 files")
    assert "1 new, 3,090 were there" in second.out
    assert "no licence" in second.out
    lists = sorted(path.name for path in (tmp_path / "splits").iterdir())
    assert lists == sorted(path.name for path in (official / "splits").iterdir())
