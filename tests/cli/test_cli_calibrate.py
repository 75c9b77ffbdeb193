"""``deepir calibrate``: on frames that the weights have not seen, and one line where it cannot."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="networks are PyTorch modules")
pytest.importorskip("safetensors", reason="weights are safetensors files")


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    """`oscar_nano` is a tiny network here, on one core."""
    from opinionated import LAYOUT

    from deepir.models import CATALOGUE
    from deepir.models.cascade import Cascade

    monkeypatch.setitem(CATALOGUE, "oscar_nano", lambda: Cascade(LAYOUT))
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def calibrate(deepir, sirst, tmp_path):
    """Calibrate weights with these notes on test_full; options of the line come last."""
    from opinionated import opinionated

    from deepir.models.trained import write_trained

    def call(*more, out="calibrated.safetensors", **notes):
        weights = tmp_path / "weights.safetensors"
        write_trained(weights, "oscar_nano", opinionated(), notes)
        line = ("calibrate", weights, "--out", tmp_path / out, *sirst, "--split", "test_full")
        return deepir(*line, "--false-alarms-per-frame", 5, *more)

    return call


@pytest.mark.parametrize("said", ["sirst-v2 gone, 9 frames", "other half, 2 frames", "", "some"])
def test_frames_that_nobody_has_learnt_are_taken(calibrate, tmp_path, said):
    outcome = calibrate(trained_on=said)
    assert (outcome.status, outcome.err) == (0, "")
    assert "calibrated on sirst-v2 test_full (4 frames)" in outcome.out
    assert (tmp_path / "calibrated.safetensors").is_file()


def test_frames_that_were_learnt_in_another_split_are_refused(calibrate, ids, tmp_path):
    outcome = calibrate(trained_on="sirst-v2 half, 2 frames")
    outcome.refused("2 of the 4 frames of 'test_full'", repr(ids[0]), "--like", status=2)
    assert not (tmp_path / "calibrated.safetensors").exists()


def test_the_list_of_what_is_left_out_counts(calibrate, ids, tmp_path):
    (tmp_path / "list.txt").write_text("\n".join(ids[:2]))
    outcome = calibrate("--without", tmp_path / "list.txt", trained_on="sirst-v2 half, 2 frames")
    assert (outcome.status, outcome.err) == (0, "")


@pytest.mark.parametrize("name", ["x.onnx", "nowhere/x.safetensors"])
def test_targets(calibrate, name):
    calibrate(out=name).refused(name, status=2)
