"""Public names are a checked list, and importing the package costs nothing."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest

import deepir

PUBLIC = {
    "deepir": """
        DeepirError Detections FrameError Sample __version__ load_detector read_image
        simulate_scene
    """,
    "deepir.metrics": """
        BoxHits CENTRENESS DistanceCounts ErrorSplit HybridCounts HybridScores Interval
        LocAP LocHits NocoAP NocoHits PairedDifference PdFaCounts PixelCounts PixelRoc
        PixelScores PointCurve PointScores PointSteps RocCounts SCORE_THRESHOLDS THRESHOLDS
        UNIT_THRESHOLDS box_ap centreness distance_counts error_split fit_platt
        hybrid_counts hybrid_iou hybrid_scores loc_ap match_points mnocoap_interval noco_ap
        noco_hits paired_interval pd_fa pd_fa_curve pixel_counts pixel_roc pixel_scores
        point_hits ratio_interval reliability resample
    """,
    "deepir.simulate": """
        PlantError Planted SimulatedFrames Target place_targets plant simulate_scene
    """,
    "deepir.data": """
        CATALOGUE Coco Conversion Dataset Excluding FORMATS FolderDataset Format MaskFolder
        PascalVoc Simulated SirstV2 SkippedSample Yolo convert_dataset format_named open_dataset
        read_samples recognise_format source_of without_listed write_coco write_mask_folder
        write_sirst_v2 write_voc write_yolo
    """,
    "deepir.audit": "Audit Finding Kind audit_dataset",
    "deepir.contact_sheet": "Sheet draw_png make_sheet render_html",
    "deepir.frames": "BadFrame Frame Source find_sources read_image",
    "deepir.classical": "CATALOGUE fkrw lcm max_mean max_median mpcm rlcm tllcm white_top_hat wldm",
}
ROOMS = (
    *("audit", "boxes", "classical", "contact_sheet", "data", "frames", "metrics", "noco"),
    *("readout", "simulate"),
)


@pytest.mark.parametrize("module", PUBLIC)
def test_public_names_are_the_checked_ones(module):
    assert sorted(import_module(module).__all__) == PUBLIC[module].split()


@pytest.mark.parametrize("module", PUBLIC)
def test_public_names_exist_and_are_listed(module):
    home = import_module(module)
    for name in home.__all__:
        assert getattr(home, name) is not None
    assert set(home.__all__) <= set(dir(home))


@pytest.mark.parametrize("room", ROOMS)
def test_rooms_open_as_attributes(room):
    assert getattr(deepir, room) is import_module(f"deepir.{room}")
    assert room in dir(deepir)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'deepir' has no attribute 'nonsense'"):
        _ = deepir.nonsense


def loaded_after(statement):
    """Modules that a fresh interpreter holds after a statement."""
    script = f"import sys; {statement}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_importing_the_package_loads_nothing_heavy():
    assert not loaded_after("import deepir") & {"numpy", "scipy", "cv2", "torch", "pydantic"}


def test_detecting_loads_no_deep_learning_and_no_plotting():
    detect = "import deepir; deepir.load_detector('mpcm').detect([[1, 2], [3, 4]])"
    assert not loaded_after(detect) & {"torch", "onnxruntime", "matplotlib", "pydantic"}
