"""Fetching from a real server that breaks: what arrives is right, nothing half-written stays."""

from __future__ import annotations

import gc
import hashlib
import os
import socket
import stat
import subprocess
import sys
import threading
import warnings

import pytest
from file_server import serving

from deepir.data import fetching
from deepir.data.downloading import ATTEMPTS, ATTEMPTS_WRONG
from deepir.data.fetching import checked_source, fetch_files
from deepir.data.manifest import Manifest, Publication, load_manifest
from deepir.errors import DeepirError, UsageError

SOON_S = 0.001
FILES = {
    "mixed/a b.png": b"\x89PNG" + bytes(range(256)) * 300,
    "mixed/c.png": bytes(range(255, -1, -1)) * 200,
    "annotations/bboxes/a b.xml": b"<annotation>\n</annotation>\n" * 40,
    "splits/test.txt": b"a b\nc",
}
SLOW = "splits/test.txt"


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "*")
    yield
    with warnings.catch_warnings():
        # A download that is cut short leaves its connection, which pooch keeps, to Python.
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def manifest_of(files, source="http://127.0.0.1:9/nowhere"):
    sums = {path: hashlib.sha256(content).hexdigest() for path, content in files.items()}
    return Manifest("small", Publication(source, "free"), sums)


MANIFEST = manifest_of(FILES)


@pytest.fixture
def server():
    # Paths arrive as they were sent, with %20 for a blank.
    with serving({path.replace(" ", "%20"): content for path, content in FILES.items()}) as one:
        yield one


@pytest.fixture
def fetch(server, tmp_path):
    """Fetch the small dataset from the server."""

    def call(manifest=MANIFEST, **options):
        return fetch_files(
            manifest, tmp_path / "to", source=server.address, first_wait_s=SOON_S, **options
        )

    return call


def on_disk(folder):
    """Content of every file below a folder, hidden ones too."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


class TestAFriendlyServer:
    def test_every_file_arrives_as_it_is(self, fetch, tmp_path):
        told = []
        done = fetch(progress=lambda *counts: told.append(counts))
        assert sorted(done.new) == sorted(FILES)
        assert (done.kept, done.failed, done.interrupted) == ([], [], False)
        assert on_disk(tmp_path / "to") == FILES
        assert told == [(number, 4) for number in (1, 2, 3, 4)]

    def test_what_is_right_already_is_not_asked_for(self, fetch, server, tmp_path):
        fetch()
        server.asked.clear()
        (tmp_path / "to" / "mixed" / "c.png").unlink()
        done = fetch()
        assert server.asked == ["mixed/c.png"]
        assert (done.new, sorted(done.kept)) == (["mixed/c.png"], sorted({*FILES} - {*done.new}))

    def test_a_file_with_another_content_is_replaced(self, fetch, tmp_path):
        fetch()
        (tmp_path / "to" / "splits" / "test.txt").write_bytes(b"cut of")
        assert fetch().new == ["splits/test.txt"]
        assert on_disk(tmp_path / "to") == FILES

    def test_files_have_the_rights_that_the_user_gives(self, fetch, tmp_path):
        fetch()
        (tmp_path / "own").write_bytes(b"")
        rights = [stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "to").rglob("*.png")]
        assert rights == [stat.S_IMODE((tmp_path / "own").stat().st_mode)] * 2

    def test_text_may_travel_packed(self, fetch, server, tmp_path):
        server.plans = {SLOW: ["packed"]}
        assert not fetch().failed
        assert on_disk(tmp_path / "to") == FILES

    def test_without_a_source_the_published_one_is_asked(self, server, tmp_path):
        fetch_files(manifest_of(FILES, server.address), tmp_path)
        assert on_disk(tmp_path) == FILES

    def test_no_files_are_no_work(self, tmp_path):
        done = fetch_files(manifest_of({}), tmp_path)
        assert (done.new, done.kept, done.failed) == ([], [], [])


class TestABadServer:
    @pytest.mark.parametrize(
        "plan",
        [
            ["broken"],
            ["broken"] * (ATTEMPTS - 1),
            [503, 500, 429],
            ["wrong"],
            ["slow"],
            ["broken", 503, "slow"],
        ],
        ids=str,
    )
    def test_it_is_asked_again(self, fetch, server, tmp_path, plan):
        server.plans = {SLOW: list(plan), "mixed/c.png": ["broken"]}
        done = fetch()
        assert (len(done.new), done.failed) == (4, [])
        assert on_disk(tmp_path / "to") == FILES
        assert server.asked.count(SLOW) == len(plan) + (plan[-1] != "slow")

    @pytest.mark.parametrize(
        ("plan", "attempts", "reason"),
        [
            ([404], 1, "the server answers 404 Not Found"),
            ([403], 1, "the server answers 403"),
            ([503], ATTEMPTS, "the server answers 503 Service Unavailable"),
            (["wrong"], ATTEMPTS_WRONG, "another file than the published one"),
            (["broken"], ATTEMPTS, "the connection failed"),
            (["bomb"], ATTEMPTS_WRONG, "it is longer than 67108864 bytes, so it is another file"),
        ],
        ids=str,
    )
    def test_what_never_comes_right_is_named_and_the_others_come(
        self, fetch, server, tmp_path, plan, attempts, reason
    ):
        server.plans = {SLOW: plan * 20}
        done = fetch()
        assert len(done.new) == 3
        ((path, said),) = done.failed
        assert path == SLOW
        assert said.startswith(reason)
        assert said.endswith(f"{server.address}/{SLOW}")
        assert server.asked.count(SLOW) == attempts
        assert on_disk(tmp_path / "to") == {path: FILES[path] for path in FILES if path != SLOW}

    def test_a_wrong_file_never_replaces_what_was_there(self, fetch, server, tmp_path):
        mine = tmp_path / "to" / SLOW
        mine.parent.mkdir(parents=True)
        mine.write_bytes(b"mine")
        server.plans = {SLOW: ["wrong"] * 9}
        fetch()
        assert mine.read_bytes() == b"mine"

    def test_the_next_run_fetches_what_lacked(self, fetch, server, tmp_path):
        server.plans = {SLOW: [404]}
        assert len(fetch().failed) == 1
        assert fetch().new == [SLOW]
        assert on_disk(tmp_path / "to") == FILES

    def test_many_files_that_cannot_be_had_end_the_run(self, server, tmp_path):
        many = manifest_of({f"{number}.txt": b"%d" % number for number in range(200)})
        done = fetch_files(many, tmp_path, source=server.address, first_wait_s=SOON_S)
        assert len(done.failed) == fetching.MOST_FAILED
        assert len(server.asked) < fetching.MOST_FAILED + fetching.PARALLEL
        assert on_disk(tmp_path) == {}

    def test_nobody_listens(self, tmp_path):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        one = manifest_of({"a.txt": b"a"})
        done = fetch_files(one, tmp_path, source=f"http://127.0.0.1:{port}", first_wait_s=SOON_S)
        ((_, said),) = done.failed
        assert "the connection failed" in said
        assert "\n" not in said


class TestWhatTheUserGives:
    @pytest.mark.parametrize(
        "source",
        ["localhost:8000", "/srv/sirst", "ftp://host/x", "http://", "http://[", "http://h:99999"],
    )
    def test_a_source_is_an_address(self, tmp_path, source):
        with pytest.raises(UsageError, match="address") as caught:
            fetch_files(MANIFEST, tmp_path / "to", source=source)
        assert repr(source) in str(caught.value)
        assert list(tmp_path.iterdir()) == []

    def test_a_slash_at_its_end_changes_nothing(self):
        assert checked_source("https://host/x//") == checked_source("https://host/x")

    def test_a_file_in_place_of_the_folder(self, tmp_path):
        (tmp_path / "to").write_text("mine")
        with pytest.raises(UsageError, match="cannot write into the folder"):
            fetch_files(MANIFEST, tmp_path / "to", source="http://127.0.0.1:9")

    def test_what_stands_in_the_way_of_a_file(self, fetch, tmp_path):
        (tmp_path / "to").mkdir()
        (tmp_path / "to" / "mixed").write_text("mine")
        with pytest.raises(DeepirError, match=r"cannot write 'mixed/.*the same command goes on"):
            fetch()
        assert (tmp_path / "to" / "mixed").read_text() == "mine"

    @pytest.mark.skipif(os.name != "posix", reason="limits as POSIX has them")
    def test_a_full_disk_leaves_no_half_file(self, server, tmp_path):
        script = (
            "import resource, sys; from pathlib import Path\n"
            "import test_data_fetching as own\n"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))\n"
            "try: own.fetch_files(own.MANIFEST, Path(sys.argv[1]), source=sys.argv[2])\n"
            "except own.DeepirError as error: print(error)\n"
        )
        run = subprocess.run(
            [sys.executable, "-c", script, tmp_path / "to", server.address],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        )
        assert "cannot write 'mixed/a b.png': file too large" in run.stdout
        left = on_disk(tmp_path / "to")
        assert "mixed/a b.png" not in left
        assert left.items() <= FILES.items()


class TestEnding:
    def test_a_run_in_a_thread_ends_as_any_other(self, fetch):
        outcomes = []
        thread = threading.Thread(target=lambda: outcomes.append(fetch()))
        thread.start()
        thread.join()
        assert len(outcomes[0].new) == len(FILES)

    def test_no_thread_stays_behind(self, fetch, server):
        server.plans = {path.replace(" ", "%20"): [404] * 9 for path in FILES}
        before = threading.active_count()
        fetch()
        ours = [thread for thread in threading.enumerate() if "_work" in thread.name]
        assert ours == []
        assert threading.active_count() <= before + len(FILES)  # those of the server


class TestManifest:
    def test_it_lists_the_published_dataset(self):
        listed = load_manifest("sirst-v2")
        folders = ("mixed", "annotations/bboxes", "annotations/masks", "splits")
        assert [len(listed.below(folder)) for folder in folders] == [1024, 1024, 1024, 19]
        assert len(listed.sums) == 3091
        assert {len(total) for total in listed.sums.values()} == {64}
        assert list(listed.sums) == sorted(listed.sums)
        assert "a927e5c67a7d2e22c7c96b54703ffe9ae01a1f35" in listed.publication.source

    def test_an_unknown_dataset_is_a_near_one(self):
        with pytest.raises(UsageError, match="did you mean 'sirst-v2'"):
            load_manifest("sirst-v1")

    @pytest.mark.data
    def test_small_files_are_the_listed_ones(self, shared):
        root, listed = shared("data", "sirst-v2"), load_manifest("sirst-v2")
        for path in (*listed.below("splits"), *listed.below("annotations/bboxes")):
            assert hashlib.sha256((root / path).read_bytes()).hexdigest() == listed.sums[path]
