"""Agreement with the reference implementations, on cases that they computed themselves."""

from __future__ import annotations

import numpy as np
import pytest

from deepir.metrics import THRESHOLDS, hybrid_iou, match_points, noco_ap, pd_fa
from deepir.noco import noco_map

pytestmark = pytest.mark.data


@pytest.fixture(scope="module")
def maps(golden):
    return golden("noco_maps.npz")


@pytest.mark.filterwarnings("ignore:box .* no pixel inside")
@pytest.mark.parametrize("number", range(12))
def test_noco_map_is_that_of_the_reference(maps, number):
    image, boxes, wanted = (
        maps[f"img{number:02d}_{part}"] for part in ("gray", "boxes", "map_gray")
    )
    np.testing.assert_allclose(noco_map(image, boxes), wanted, rtol=0, atol=1e-6)


@pytest.fixture(scope="module")
def cases(golden):
    return golden("nocoap_cases.npz")


def frames_of(cases, maps, case):
    """Rows of detections (by number), map and boxes of each frame of a case, in slot order."""
    slots = sorted(row for row in cases["slots"].tolist() if row[0] == case)
    for _, slot, number in slots:
        rows = np.flatnonzero((cases["dets"][:, 0] == case) & (cases["dets"][:, 1] == slot))
        yield rows, maps[f"img{number:02d}_map_gray"], maps[f"img{number:02d}_boxes"]


@pytest.mark.filterwarnings("ignore:.* outside the .* count as false alarms")
@pytest.mark.parametrize("case", range(40))
def test_ap_is_that_of_the_reference_on_each_threshold(cases, maps, case):
    frames = list(frames_of(cases, maps, case))
    points = [cases["dets"][rows, 2:] for rows, *_ in frames]
    score = noco_ap(points, [frame[1] for frame in frames], [frame[2] for frame in frames])
    assert cases["thresholds"] == pytest.approx(THRESHOLDS)
    np.testing.assert_allclose(
        list(score.by_threshold.values()), cases["ap_stable"][case], rtol=0, atol=1e-6
    )


@pytest.mark.filterwarnings("ignore:.* outside the .* count as false alarms")
@pytest.mark.parametrize("case", range(40))
def test_hits_are_those_of_the_reference(cases, maps, case):
    for rows, noco, boxes in frames_of(cases, maps, case):
        ranked = rows[np.argsort(-cases["dets"][rows, 4], kind="stable")]
        value, earlier = match_points(cases["dets"][ranked, 2:4], noco, boxes)
        for level, threshold in enumerate(THRESHOLDS):
            hits = (earlier <= threshold) & (threshold < value)
            np.testing.assert_array_equal(hits, cases["tp_stable"][level, ranked])


@pytest.fixture(scope="module")
def targets(golden):
    return golden("target_metrics.npz")


@pytest.mark.parametrize("number", range(24))
def test_target_scores_are_those_of_the_published_package(targets, number):
    chosen = targets["set"] == number
    probability, truth = targets["prob"][chosen], targets["mask"][chosen]
    near, score = pd_fa(probability > 0.5, truth), hybrid_iou(probability, truth)
    ours = {
        "pd_distance": near.pd,
        "fa_distance": near.fa,
        "pd_hybrid": score.pd,
        "fa_hybrid": score.fa,
        "hiou": score.hiou,
        "seg_iou": score.seg_iou,
        "seg_mrg_err": score.seg_merge_error,
        "seg_itf_err": score.seg_interference_error,
        "seg_pcp_err": score.seg_perception_error,
        "loc_iou": score.loc_iou,
        "loc_s2m_err": score.loc_one_to_many_error,
        "loc_m2s_err": score.loc_many_to_one_error,
        "loc_itf_err": score.loc_interference_error,
        "loc_pcp_err": score.loc_perception_error,
    }
    wanted = dict(zip(targets["names"].tolist(), targets["values"][number], strict=True))
    assert ours == pytest.approx(wanted, rel=0, abs=1e-9)
