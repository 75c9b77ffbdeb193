"""Published checkpoints become weight files; nothing inside a checkpoint is ever run."""

from __future__ import annotations

import io
import json
import os
import pickle
import warnings
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch
from oracles import published_oscar as published

from deepir.errors import DeepirError, UsageError
from deepir.models.oscar import (
    Oscar,
    Widths,
    convert,
    from_published,
    read_published_checkpoint,
    read_weights,
    write_weights,
)
from deepir.models.oscar.weights import published_name
from deepir.models.weight_files import read_weight_file, write_weight_file

NARROW = Widths((2, 4, 4, 6), pyramid=4, tower=4, groups=2)


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return Oscar(NARROW).eval()


@pytest.fixture
def state(network):
    """Published state dict of the narrow network, with the convolutions that feed nothing."""
    named = {published_name(name): one.clone() for name, one in network.state_dict().items()}
    for level in (2, 3):
        named[f"neck.fpn_convs.{level}.conv.weight"] = torch.zeros(4, 4, 3, 3)
        named[f"neck.fpn_convs.{level}.conv.bias"] = torch.zeros(4)
    return OrderedDict(named)


def saved(path, state, **notes):
    torch.save({"meta": {"epoch": 9, **notes}, "state_dict": state}, path)
    return path


def same(one, other):
    ours, theirs = one.state_dict(), other.state_dict()
    assert list(ours) == list(theirs)
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_the_golden_network_survives_the_whole_way(golden, tmp_path):
    forward = golden("oscar_forward.npz")
    source = saved(tmp_path / "best.pth", published.state_dict(forward))
    convert(source, tmp_path / "oscar.safetensors", groups=published.GROUPS)
    network = read_weights(tmp_path / "oscar.safetensors")
    assert network.widths == Widths((8, 16, 32, 64), pyramid=32, tower=16, groups=8)
    with torch.no_grad():
        raw = network(published.images(forward))
    for name, output in zip(published.RAW, raw, strict=True):
        np.testing.assert_allclose(output, forward[name], rtol=1e-4, atol=1e-4)


def test_read_what_was_written(network, tmp_path):
    path = tmp_path / "weights.safetensors"
    write_weights(path, network)
    again = read_weights(path)
    assert again.widths == NARROW
    assert not again.training
    same(again, network)


def test_convert_keeps_every_tensor(network, state, tmp_path):
    target = tmp_path / "weights.safetensors"
    same(convert(saved(tmp_path / "best.pth", state), target, groups=2), network)
    same(read_weights(target), network)
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["best.pth", target.name]


def test_convolutions_that_feed_nothing_may_be_absent(network, state):
    for name in [name for name in state if "fpn_convs.2" in name or "fpn_convs.3" in name]:
        del state[name]
    same(from_published(state, groups=2), network)


def test_the_network_does_not_share_memory_with_its_state_dict(state):
    network = from_published(state, groups=2)
    assert all(parameter.requires_grad for parameter in network.parameters())
    with torch.no_grad():
        network.coarse.scale.fill_(7.0)
    assert state["bbox_head.scales.1.scale"] == 1


def test_half_precision_becomes_single(state):
    halved = {name: one.half() if one.is_floating_point() else one for name, one in state.items()}
    network = from_published(halved, groups=2)
    assert network.refine.score.weight.dtype == torch.float32
    name = "refine.score.weight"
    assert torch.equal(network.state_dict()[name].half(), halved[published_name(name)])


class Notes:
    """Something that a strange training program might have kept."""


@pytest.mark.parametrize(
    "notes",
    [
        {},
        {"best": np.float64(0.852), "seen": np.int64(3), "flag": np.bool_(True)},
        {"curve": np.arange(5.0), "text": "a = 1", "classes": ("Target",), "none": None},
        {"order": OrderedDict(a=1), "hooks": {"last": [1.5]}, "scaler": {"scale": 512.0}},
    ],
)
def test_notes_of_training_programs_do_no_harm(state, tmp_path, notes):
    found = read_published_checkpoint(saved(tmp_path / "best.pth", state, **notes))
    assert list(found) == list(state)
    assert all(torch.equal(found[name], state[name]) for name in state)


def test_names_of_the_older_numpy_are_known(state, tmp_path):
    path = saved(tmp_path / "best.pth", state, best=np.float64(0.5))
    rewritten = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(rewritten, "w") as new:
        for entry in old.infolist():
            content = old.read(entry)
            if entry.filename.endswith("data.pkl"):
                assert b"numpy._core" in content
                content = content.replace(b"numpy._core.", b"numpy.core.")
            new.writestr(entry, content)
    path.write_bytes(rewritten.getvalue())
    assert list(read_published_checkpoint(path)) == list(state)


def test_a_packed_file_is_refused_before_it_grows(tmp_path):
    path = tmp_path / "o.pth"
    torch.save({"state_dict": {"a": torch.zeros(2**20)}}, path)
    packed = tmp_path / "packed.pth"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            new.writestr(entry.filename, old.read(entry))
    assert packed.stat().st_size < 2**16
    with pytest.raises(DeepirError, match=r"packed.pth': .* is packed, torch.save packs nothing"):
        read_published_checkpoint(packed)


def test_the_file_format_before_zip_is_read(state, tmp_path):
    path = tmp_path / "best.pth"
    torch.save({"meta": {}, "state_dict": state}, path, _use_new_zipfile_serialization=False)
    assert list(read_published_checkpoint(path)) == list(state)


class Command:
    """A pickle that would run a command when it is loaded."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("place", ["meta", "state_dict"])
@pytest.mark.parametrize("zipped", [True, False])
def test_a_command_in_disguise_is_refused_and_not_run(state, tmp_path, place, zipped):
    trap = tmp_path / "sprung"
    content = {"meta": {}, "state_dict": state}
    content[place]["x"] = Command(trap)
    path = tmp_path / "best.pth"
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(DeepirError, match=r"best\.pth': refused, .* would call \w+\.mkdir"):
        read_published_checkpoint(path)
    assert not trap.exists()


def test_a_bare_pickle_is_refused_and_not_run(tmp_path):
    trap, path = tmp_path / "sprung", tmp_path / "best.pth"
    path.write_bytes(pickle.dumps(Command(trap)))
    with pytest.raises(DeepirError, match=r"best\.pth"):
        read_published_checkpoint(path)
    assert not trap.exists()


def test_unknown_classes_are_named(state, tmp_path):
    path = saved(tmp_path / "best.pth", state, extra=Notes())
    with pytest.raises(DeepirError, match=r"would call .*\.Notes"):
        read_published_checkpoint(path)


def test_no_damage_goes_unnoticed(state, tmp_path):
    """A byte of another value anywhere: the file is refused, or the same tensors come out."""
    path = saved(tmp_path / "best.pth", state)
    content = path.read_bytes()
    told = []
    for place in np.random.default_rng(0).integers(len(content), size=60).tolist():
        path.write_bytes(content[:place] + bytes([content[place] ^ 255]) + content[place + 1 :])
        try:
            found = read_published_checkpoint(path)
        except DeepirError as error:
            told.append(str(error))
        else:
            assert list(found) == list(state)
            assert all(torch.equal(found[name], state[name]) for name in state)
    assert len(told) > 30
    assert not any("\n" in line for line in told)


def test_what_the_reader_warns_of_is_not_shown(tmp_path):
    path = tmp_path / "best.pth"
    path.write_bytes(pickle.dumps({"state_dict": {}}, protocol=4))
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        with pytest.raises(DeepirError):
            read_published_checkpoint(path)
    assert shown == []


@pytest.mark.parametrize("kept", [0, 1, 100, 0.5, 0.99])
def test_a_torn_checkpoint_is_told_in_one_line(state, tmp_path, kept):
    path = saved(tmp_path / "best.pth", state)
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content)) if isinstance(kept, float) else kept])
    with pytest.raises(DeepirError, match=r"no checkpoint that torch\.save wrote whole") as told:
        read_published_checkpoint(path)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\n" + bytes(200), b"PK\x03\x04", b"hello\n"])
def test_other_files_are_told_in_one_line(tmp_path, content):
    path = tmp_path / "best.pth"
    path.write_bytes(content)
    with pytest.raises(DeepirError, match=r"best\.pth': no checkpoint"):
        read_published_checkpoint(path)


def test_absent_files_and_folders(tmp_path):
    with pytest.raises(DeepirError, match="no such file"):
        read_published_checkpoint(tmp_path / "none.pth")
    with pytest.raises(DeepirError, match="it is no file"):
        read_published_checkpoint(tmp_path)
    with pytest.raises(DeepirError, match="no such file"):
        read_weights(tmp_path / "none.safetensors")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([1, 2], "a dictionary with 'state_dict' is wanted, the file holds <class 'list'>"),
        ({"model": {}, "epoch": 1}, r"the file holds \['epoch', 'model'\]"),
        ({"state_dict": [1]}, "a dictionary with 'state_dict' is wanted"),
        ({"state_dict": {"a": 3}}, "named tensors, got 'a': int"),
        ({"state_dict": {4: torch.zeros(1)}}, "named tensors, got 4: Tensor"),
    ],
)
def test_dictionaries_of_another_form(tmp_path, content, message):
    path = tmp_path / "best.pth"
    torch.save(content, path)
    with pytest.raises(DeepirError, match=message):
        read_published_checkpoint(path)


def test_another_architecture_is_named_by_its_first_tensors(state):
    others = {f"backbone.layer1.{k}.conv3.weight": torch.zeros(1) for k in range(5)}
    with pytest.raises(DeepirError) as told:
        from_published({**others, "bbox_head.scales.0.scale": torch.ones(())})
    assert str(told.value).startswith("weights of another architecture: missing backbone.stem.0")
    assert "unexpected backbone.layer1.0.conv3.weight, " in str(told.value)
    assert "and 2 more" in str(told.value)
    del state["bbox_head.refine_conv_noco.bias"]
    with pytest.raises(DeepirError, match=r"missing bbox_head\.refine_conv_noco\.bias$"):
        from_published(state, groups=2)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("bbox_head.coarse_conv_mod.bias", torch.zeros(2), r"has shape \(2,\), not \(1,\)"),
        ("backbone.layer2.0.conv1.weight", torch.zeros(4), r"four axes, got \(4,\)"),
        ("bbox_head.scales.1.scale", torch.tensor(torch.nan), "NaN or infinite"),
        ("neck.fpn_convs.0.conv.bias", torch.full((4,), torch.inf), "NaN or infinite"),
        ("bbox_head.scales.0.scale", torch.tensor(1), r"holds torch\.int64, torch\.float32 is"),
        ("bbox_head.scales.0.scale", torch.tensor(1j), r"holds torch\.complex64"),
        ("neck.fpn_convs.0.conv.bias", torch.zeros(4).to_sparse(), "plain tensor, got a tensor of"),
        ("neck.fpn_convs.0.conv.bias", [1, 2], "plain tensor, got a list"),
        (
            "neck.lateral_convs.0.conv.weight",
            torch.zeros(1, 1, 1, 1).expand(10**7, 2, 1, 1),
            "1 to 4096 channels are wanted, got 10000000",
        ),
    ],
)
def test_tensors_that_do_not_fit_are_named(state, name, value, message):
    state[name] = value
    with pytest.raises(DeepirError, match=message):
        from_published(state, groups=2)


@pytest.mark.parametrize("groups", [3, 32])
def test_groups_that_do_not_divide_are_refused(state, groups):
    with pytest.raises(DeepirError, match=f"4 channels cannot have {groups} equal groups"):
        from_published(state, groups=groups)


def test_a_failed_conversion_leaves_nothing_and_keeps_what_was_there(state, tmp_path):
    state["bbox_head.scales.1.scale"].fill_(torch.nan)
    source, target = saved(tmp_path / "best.pth", state), tmp_path / "weights.safetensors"
    target.write_bytes(b"before")
    with pytest.raises(DeepirError, match=r"best\.pth': 'bbox_head\.scales\.1\.scale' holds NaN"):
        convert(source, target, groups=2)
    assert target.read_bytes() == b"before"
    assert len(list(tmp_path.iterdir())) == 2


def test_targets_are_checked_before_the_source_is_read(tmp_path):
    with pytest.raises(UsageError, match=r"ends in \.safetensors, got .*best\.pth"):
        convert(tmp_path / "absent.pth", tmp_path / "best.pth")
    with pytest.raises(UsageError, match="cannot write"):
        convert(tmp_path / "absent.pth", tmp_path / "absent" / "out.safetensors")


def rewritten(path, network, **metadata):
    write_weights(path, network)
    tensors, told = read_weight_file(path)
    write_weight_file(path, tensors, {**told, **metadata})
    return path


def widths(**changed):
    return json.dumps({"stages": [2, 4, 4, 6], "pyramid": 4, "tower": 4, "groups": 2, **changed})


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({"architecture": "fcos"}, "weights of 'oscar' are wanted, the file says 'fcos'"),
        ({"widths": ""}, "its description is damaged: widths: Invalid JSON"),
        ({"widths": "[]"}, "its description is damaged"),
        ({"widths": widths(tower="many")}, "its description is damaged: tower: "),
        ({"widths": widths(stages=[2, 4])}, "its description is damaged: stages"),
        ({"widths": widths(groups=3)}, "4 channels cannot have 3 equal groups"),
        ({"widths": widths(pyramid=4096, tower=4096, stages=[4096] * 4)}, r"has shape \(1, 3, "),
        ({"widths": widths(pyramid=6)}, r"'pyramid\.\S+' has shape \(4, "),
    ],
)
def test_weight_files_with_a_false_description(network, tmp_path, metadata, message):
    path = rewritten(tmp_path / "weights.safetensors", network, **metadata)
    with pytest.raises(DeepirError, match=rf"weights\.safetensors': .*{message}"):
        read_weights(path)


def test_weight_files_of_other_tensors(network, tmp_path):
    path = tmp_path / "weights.safetensors"
    write_weights(path, network)
    tensors, told = read_weight_file(path)
    tensors["coarse.extra"] = tensors.pop("coarse.scale")
    write_weight_file(path, tensors, told)
    with pytest.raises(DeepirError, match=r"missing coarse\.scale; unexpected coarse\.extra"):
        read_weights(path)


@pytest.mark.parametrize("kept", [0, 4, 300, -1])
def test_torn_weight_files(network, tmp_path, kept):
    path = tmp_path / "weights.safetensors"
    write_weights(path, network)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(DeepirError, match="no whole safetensors file") as told:
        read_weights(path)
    assert "\n" not in str(told.value)


def test_a_checkpoint_is_no_weight_file(state, tmp_path):
    with pytest.raises(DeepirError, match="`deepir convert` makes one"):
        read_weights(saved(tmp_path / "best.pth", state))


def test_paths_without_description(tmp_path):
    path = Path(tmp_path / "bare.safetensors")
    write_weight_file(path, {"x": torch.zeros(1)}, {})
    with pytest.raises(DeepirError, match="the file says None"):
        read_weights(path)
