"""The published OSCAR computes what the reference implementation computed."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from oracles import published_oscar as published

from deepir.models.oscar.assign import locations
from deepir.models.oscar.decode import Rules, decode, decode_dense
from deepir.models.oscar.objective import count, weighted_losses
from deepir.models.oscar.proposals import coarse_corners, on_grid_of
from deepir.models.oscar.targets import make_targets

LOSSES = {
    "coarse_score": "loss_coarse_cls",
    "coarse_box": "loss_coarse_bbox",
    "refine_score": "loss_refine_cls",
    "refine_box": "loss_refine_bbox",
    "refine_noco": "loss_refine_noco",
}
CASES = range(5)


@pytest.fixture(scope="module")
def forward(golden):
    return golden("oscar_forward.npz")


@pytest.fixture(scope="module")
def cases(golden):
    return golden("oscar_loss.npz")


@pytest.fixture(scope="module")
def decoded(golden):
    return golden("oscar_decode.npz")


@pytest.fixture(scope="module")
def network(forward):
    return published.network(forward)


def close(ours, theirs, tolerance=1e-4):
    np.testing.assert_allclose(ours.detach().numpy(), theirs, rtol=tolerance, atol=tolerance)


def targets_of(cases, case):
    boxes = [torch.from_numpy(cases[f"case{case}_img{image}_boxes"]) for image in range(2)]
    return make_targets(boxes, (96, 128), torch.from_numpy(cases[f"case{case}_noco_maps"]))


def test_features_and_raw_outputs(forward, network):
    with torch.no_grad():
        levels = network.trunk(published.images(forward))
        pyramid = network.pyramid(levels)
        raw = network(published.images(forward))
    for name, level in zip(("c2", "c3", "c4", "c5"), levels, strict=True):
        close(level, forward[f"backbone_{name}"])
    for name, level in zip(("p2", "p3"), pyramid, strict=True):
        close(level, forward[f"neck_{name}"])
    for name, output in zip(published.RAW, raw, strict=True):
        close(output, forward[name])


@pytest.mark.parametrize("case", CASES)
def test_positive_locations_and_their_boxes(cases, case):
    targets = targets_of(cases, case)
    coarse = cases[f"case{case}_coarse_labels"] == 0
    np.testing.assert_array_equal(targets.coarse_positive.flatten(), coarse)
    x, y = locations((12, 16), 8).reshape(-1, 2).repeat(2, 1)[coarse].T
    x0, y0, x1, y1 = targets.coarse_boxes.reshape(-1, 4)[coarse].T
    distances = torch.stack([x - x0, y - y0, x1 - x, y1 - y], dim=1)
    np.testing.assert_array_equal(distances, cases[f"case{case}_coarse_bbox_targets"][coarse])

    refine = cases[f"case{case}_refine_labels"] == 0
    np.testing.assert_array_equal(targets.refine_positive.flatten(), refine)
    proposals = torch.from_numpy(cases[f"case{case}_anchors"]).reshape(-1, 4)
    offsets = (targets.refine_boxes.reshape(-1, 4) - proposals) / 4
    theirs = cases[f"case{case}_refine_bbox_targets"][refine]
    np.testing.assert_array_equal(offsets[refine], theirs)
    close(targets.noco, cases[f"case{case}_noco_resized"], 0)


def test_proposals(forward, cases):
    refine, _, _, _, coarse = published.raw(forward)
    proposals = on_grid_of(refine, coarse_corners(coarse)).flatten(2).transpose(1, 2)
    close(proposals, cases["case0_anchors"], 1e-5)


@pytest.mark.parametrize("case", CASES)
def test_losses_and_their_gradients(forward, cases, case):
    raw = [output.requires_grad_() for output in published.raw(forward)]
    targets = targets_of(cases, case)
    losses = weighted_losses(raw, targets, count(targets))
    for ours, theirs in LOSSES.items():
        np.testing.assert_allclose(losses[ours].item(), cases[f"case{case}_{theirs}"], rtol=1e-4)
    sum(losses.values()).backward()
    for name, output in zip(published.RAW, raw, strict=True):
        theirs = cases[f"case{case}_grad_{name}"]
        np.testing.assert_allclose(
            output.grad, theirs, rtol=1e-3, atol=1e-3 * max(np.abs(theirs).max(), 1e-9)
        )


def test_one_training_step(golden, forward, cases):
    step, network = golden("oscar_train_step.npz"), published.network(forward).train()
    targets = targets_of(cases, 1)
    raw = network(published.images(forward))
    losses = network.losses(raw, targets, network.normalisers(targets))
    sum(losses.values()).backward()
    for ours, theirs in LOSSES.items():
        np.testing.assert_allclose(losses[ours].item(), step[theirs], rtol=1e-4)

    gradients = {published.theirs(name): one.grad for name, one in network.named_parameters()}
    taught = set(step["param_names"][step["has_grad"]])
    assert set(gradients) == taught
    for name, norm, total in zip(
        step["param_names"], step["grad_l2"], step["grad_sum"], strict=True
    ):
        if name in taught:
            gradient = gradients[name].double()
            np.testing.assert_allclose(gradient.norm().item(), norm, rtol=1e-3)
            np.testing.assert_allclose(gradient.sum().item(), total, rtol=1e-3, atol=1e-3 * norm)
    whole = [name for name in step if name.startswith("grad/")]
    assert len(whole) == 11
    for name in whole:
        theirs = step[name]
        np.testing.assert_allclose(
            gradients[name[5:]], theirs, rtol=1e-3, atol=1e-3 * np.abs(theirs).max()
        )

    buffers = {published.theirs(name): values for name, values in network.named_buffers()}
    after = [name for name in step if name.startswith("buffer_after/")]
    assert len(after) == 12
    for name in after:
        close(buffers[name.removeprefix("buffer_after/")], step[name])


def scales_and_sizes(decoded, *, rescale):
    sizes = [tuple(decoded[f"img{image}_shape"].tolist()) for image in range(2)]
    factors = [decoded[f"img{image}_scale_factor"][:2].tolist() for image in range(2)]
    return sizes, factors if rescale else [(1.0, 1.0)] * 2


def rules_of(decoded, variant, candidates):
    """Rules of a variant; the reference's -1 leaves out the last of the ``candidates``."""
    count_, floor, iou, keep = decoded[f"var{variant}_cfg"]
    return Rules(floor, int(count_) if count_ > 0 else candidates - 1, iou, int(keep))


@pytest.mark.parametrize("rescale", [0, 1])
@pytest.mark.parametrize("variant", range(5))
def test_detections(forward, decoded, variant, rescale):
    raw = published.raw(forward)
    sizes, scales = scales_and_sizes(decoded, rescale=rescale)
    for image in range(2):
        one = [output[image : image + 1] for output in raw]
        above = decode_dense(one).ranking > decoded[f"var{variant}_cfg"][1]
        rules = rules_of(decoded, variant, int(above.sum()))
        (found,) = decode(one, sizes=[sizes[image]], scales=[scales[image]], rules=rules)
        name = f"var{variant}_rescale{rescale}_img{image}"
        assert not decoded[f"{name}_labels"].any()
        close(found.scores, decoded[f"{name}_scores"])
        close(found.boxes, decoded[f"{name}_boxes"])


def test_candidates_before_suppression(forward, decoded):
    sizes, scales = scales_and_sizes(decoded, rescale=1)
    everything = Rules(iou=1.0, keep=10_000)
    found = decode(published.raw(forward), sizes=sizes, scales=scales, rules=everything)
    for image, ours in enumerate(found):
        scores = decoded[f"prenms_rescale1_img{image}_scores"]
        order = np.argsort(-scores, kind="stable")  # theirs come by the refine score
        close(ours.scores, scores[order])
        close(ours.boxes, decoded[f"prenms_rescale1_img{image}_boxes"][order])


def test_a_batch_decodes_as_its_images_do(forward, decoded, network):
    sizes, scales = scales_and_sizes(decoded, rescale=1)
    images = published.images(forward)
    together = network.detect(images, sizes=sizes, scales=scales)
    for image, found in enumerate(together):
        close(found.scores, decoded[f"var0_rescale1_img{image}_scores"])
        close(found.boxes, decoded[f"var0_rescale1_img{image}_boxes"], 1e-3)
