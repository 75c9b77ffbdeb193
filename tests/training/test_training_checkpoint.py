"""Checkpoints are whole or passed over, and the last good one survives."""

from __future__ import annotations

import hashlib
import io
import pickle

import pytest
import torch

from deepir.errors import DeepirError
from deepir.training.checkpoint import Checkpoints, read_checkpoint


@pytest.fixture
def kept(tmp_path):
    """A folder with checkpoints of iterations 10, 20 and 30."""
    checkpoints = Checkpoints(tmp_path / "checkpoints")
    for iteration in (10, 20, 30):
        checkpoints.save(iteration, {"weights": torch.arange(1000), "iteration": iteration})
    return checkpoints


def iterations(checkpoints):
    return [one.iteration for one in checkpoints.all()]


def latest(checkpoints):
    """Iteration of the newest good one, and what was said."""
    said = []
    one = checkpoints.latest(warn=said.append)
    return one.iteration if one else None, said


def test_the_last_two_stay(kept):
    assert iterations(kept) == [30, 20]
    assert sorted(path.suffix for path in kept.folder.iterdir()) == [".pt", ".pt"]


def test_what_was_saved_is_read(kept):
    state = read_checkpoint(kept.latest())
    assert state["iteration"] == 30
    assert torch.equal(state["weights"], torch.arange(1000))


def test_no_folder_is_no_checkpoint(tmp_path):
    assert Checkpoints(tmp_path / "none").latest() is None


def test_an_earlier_one_saved_again_removes_no_later_one(kept):
    kept.save(20, {"iteration": 20})
    assert iterations(kept)[0] == 30


DAMAGES = {
    "cut off": lambda content: content[:-1],
    "empty": lambda _: b"",
    "one bit": lambda content: content[:500] + bytes([content[500] ^ 1]) + content[501:],
    "appended": lambda content: content + b"\0",
    "other": lambda _: b"something else",
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_one_is_passed_over(kept, damage):
    path = kept.all()[0].path
    path.write_bytes(DAMAGES[damage](path.read_bytes()))
    iteration, (said,) = latest(kept)
    assert iteration == 20
    assert str(path) in said
    assert "cut off or changed" in said


def test_if_all_are_damaged_it_says_so(kept):
    for one in kept.all():
        one.path.write_bytes(b"")
    with pytest.raises(DeepirError, match=r"each checkpoint in .* is damaged"):
        kept.latest()


class Harm:
    """What a pickle in disguise does when it is loaded."""

    def __reduce__(self):
        return print, ("harm was done",)


@pytest.mark.parametrize("how", ["torch", "pickle"])
def test_nothing_in_a_checkpoint_runs(kept, how, capsys):
    buffer = io.BytesIO()
    (torch.save if how == "torch" else pickle.dump)({"weights": Harm()}, buffer)
    digest = hashlib.sha256(buffer.getvalue()).hexdigest()[:16]  # whoever tampers knows that too
    (kept.folder / f"00000040-{digest}.pt").write_bytes(buffer.getvalue())
    iteration, (said,) = latest(kept)
    assert iteration == 30
    assert "more than tensors and plain values" in said
    assert "harm" not in capsys.readouterr().out


def test_something_else_than_a_state_is_refused(kept):
    buffer = io.BytesIO()
    torch.save([1, 2], buffer)
    digest = hashlib.sha256(buffer.getvalue()).hexdigest()[:16]
    (kept.folder / f"00000040-{digest}.pt").write_bytes(buffer.getvalue())
    assert "holds a list" in latest(kept)[1][0]


def test_foreign_files_are_left_alone(kept):
    (kept.folder / "notes.pt").write_bytes(b"mine")
    kept.save(40, {})
    assert (kept.folder / "notes.pt").exists()
    assert iterations(kept) == [40, 30]


def test_a_full_disk_is_one_line_and_the_old_ones_stay(kept):
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, before[1]))  # Python ignores SIGXFSZ
    try:
        with pytest.raises(DeepirError, match="no checkpoint at iteration 40") as caught:
            kept.save(40, {"weights": torch.zeros(100_000)})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "the last good one is of iteration 30" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert sorted(path.suffix for path in kept.folder.iterdir()) == [".pt", ".pt"]
    assert latest(kept) == (30, [])


def test_the_first_one_on_a_full_disk_says_that_there_is_none(tmp_path):
    (tmp_path / "checkpoints").write_text("a file where the folder should be")
    with pytest.raises(DeepirError, match="there is no checkpoint before it"):
        Checkpoints(tmp_path / "checkpoints").save(1, {})
