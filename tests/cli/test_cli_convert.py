"""`deepir convert` makes a weight file of a published checkpoint, or says in one line why not."""

from __future__ import annotations

import sys
from importlib.util import find_spec

import pytest
import torch

from deepir.models.oscar import Oscar, Widths, read_weights
from deepir.models.oscar.weights import published_name

NARROW = Widths((2, 4, 4, 6), pyramid=4, tower=4, groups=2)


@pytest.fixture
def checkpoint(tmp_path):
    torch.manual_seed(0)
    state = {published_name(name): one for name, one in Oscar(NARROW).state_dict().items()}
    torch.save({"meta": {}, "state_dict": state}, tmp_path / "best.pth")
    return tmp_path / "best.pth"


def test_a_checkpoint_is_converted(deepir, checkpoint, tmp_path):
    target = tmp_path / "oscar.safetensors"
    outcome = deepir("convert", checkpoint, target, "--groups", 2)
    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out.startswith("OSCAR, 6,721 parameters")
    assert "stages 2/4/4/6, pyramid 4, towers 4 in 2 groups" in outcome.out
    assert str(target) in outcome.out
    assert read_weights(target).widths == NARROW


def test_the_published_groups_do_not_fit_every_width(deepir, checkpoint, tmp_path):
    target = tmp_path / "oscar.safetensors"
    outcome = deepir("convert", checkpoint, target)
    outcome.refused(checkpoint, "4 channels cannot have 32 equal groups", status=1)
    assert not target.exists()


def test_other_files_and_names_are_refused(deepir, checkpoint, tmp_path):
    other = tmp_path / "other.pth"
    other.write_bytes(b"nothing of the kind")
    target = tmp_path / "oscar.safetensors"
    deepir("convert", other, target).refused(other, "no checkpoint", status=1)
    deepir("convert", tmp_path / "no.pth", target).refused("no.pth", "no such file", status=1)
    deepir("convert", other, checkpoint).refused("ends in .safetensors", status=2)
    deepir("convert", checkpoint, target, "--groups", "2.5").refused("whole number", status=2)
    deepir("convert", checkpoint, target, "--groups", 0).refused("--groups", ">= 1", status=2)
    assert not target.exists()


def test_on_a_full_disk_the_file_is_named(deepir, checkpoint, tmp_path):
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    target = tmp_path / "oscar.safetensors"
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        outcome = deepir("convert", checkpoint, target, "--groups", 2)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    outcome.refused("File too large", target, status=1)
    assert list(tmp_path.iterdir()) == [checkpoint]


def test_with_a_torch_that_does_not_work_it_says_why(deepir, checkpoint, tmp_path, monkeypatch):
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").write_text("raise ImportError('no libgomp.so.1')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "torch")
    outcome = deepir("convert", checkpoint, tmp_path / "oscar.safetensors")
    outcome.refused("the one installed here does not work: no libgomp.so.1", status=2)


def test_without_torch_it_says_how_to_get_it(deepir, checkpoint, tmp_path, monkeypatch):
    monkeypatch.setattr(
        "deepir.models.requirements.find_spec",
        lambda name: None if name == "torch" else find_spec(name),
    )
    outcome = deepir("convert", checkpoint, tmp_path / "oscar.safetensors")
    outcome.refused("deepir convert needs torch", "pip install 'deepir[torch]'", status=2)
