"""``deepir calibrate``: trained weights get their thresholds, and scores their meaning."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from deepir.cli.options import Budget, DataOptions, finite
from deepir.cli.status import PARTIAL
from deepir.cli.terminal import print_table, progress_bar, report_skipped

if TYPE_CHECKING:
    from deepir.calibrating import Calibrated
    from deepir.calibration import Calibration
    from deepir.card import Card
    from deepir.data import Dataset
    from deepir.models.trained import Trained

DATA = DataOptions()
BUDGET, SCENE_FLOOR = 1.0, 0.1

Floor = Annotated[float | None, Parameter(name="--scene-floor", validator=finite)]
Weight = Annotated[float | None, Parameter(name="--clutter-weight", validator=finite)]


def calibrate(
    weights: str,
    /,
    *,
    out: Path,
    data: DataOptions = DATA,
    like: Path | None = None,
    false_alarms_per_frame: Budget = None,
    scene_floor: Floor = None,
    clutter_weight: Weight = None,
) -> int:
    """Choose the thresholds of trained weights on a split, or take those of a twin (needs PyTorch).

    Args:
        weights: .safetensors file that deepir train wrote, or a network that came with deepir.
        out: .safetensors file to write.
        data: frames with truth that the weights were not trained on; name the split.
        like: calibrated weights of a twin, trained without these frames, to take everything from.
        false_alarms_per_frame: budget of the operating threshold (default: 1).
        scene_floor: smallest factor of the scene; 1 switches it off (default: 0.1).
        clutter_weight: how much the frame's own clutter counts in a score, from 0, not at all, to
            1 (default: 0.4; of published OSCAR 0).
    """
    from deepir.errors import UsageError
    from deepir.models.requirements import require_torch
    from deepir.writing import check_output_file

    require_torch("deepir calibrate")
    from deepir.models.trained import SUFFIX, read_trained

    if out.suffix.lower() != SUFFIX:
        raise UsageError(f"weights are a {SUFFIX} file, got {str(out)!r}")
    check_output_file(out)
    if like is not None:
        if data != DATA or {false_alarms_per_frame, scene_floor, clutter_weight} != {None}:
            raise UsageError("--like takes everything from the twin: leave the other options out")
        return _like(read_trained(_path(weights)), read_trained(like), out)
    if data.split is None:
        raise UsageError(
            "name the frames to calibrate on with --split, such as val_full: frames that the"
            " weights were neither trained nor will be tested on"
        )
    budget = BUDGET if false_alarms_per_frame is None else false_alarms_per_frame
    floor = SCENE_FLOOR if scene_floor is None else scene_floor
    return _on_split(
        read_trained(_path(weights)),
        data,
        out,
        budget=budget,
        scene_floor=floor,
        clutter_weight=clutter_weight,
    )


def _path(weights: str) -> Path:
    """The file that is asked for, by its own path or by the name of a packaged network."""
    from deepir.models.trained import SUFFIX
    from deepir.weights import packaged

    return packaged(weights, SUFFIX) or Path(weights)


def _like(trained: Trained, twin: Trained, out: Path) -> int:
    from deepir.calibrating import like_twin, write_calibrated

    card, calibration = like_twin(trained, twin)
    write_calibrated(out, trained, card, calibration)
    _say_card(card, calibration, out)
    return 0


def _on_split(
    trained: Trained,
    data: DataOptions,
    out: Path,
    *,
    budget: float,
    scene_floor: float,
    clutter_weight: float | None,
) -> int:
    from deepir.calibrating import calibrate as on_split
    from deepir.calibrating import write_calibrated

    dataset = data.open()
    _check_unseen(trained, dataset, data)
    with progress_bar(f"calibrate {trained.name}") as progress:
        found = on_split(
            trained,
            dataset,
            budget=budget,
            scene_floor=scene_floor,
            clutter_weight=clutter_weight,
            progress=progress,
        )
    write_calibrated(out, trained, found.card, found.calibration)
    _show(found)
    _say_card(found.card, found.calibration, out)
    report_skipped([(one.id, one.reason) for one in found.skipped])
    return PARTIAL if found.skipped else 0


def _check_unseen(trained: Trained, dataset: Dataset, data: DataOptions) -> None:
    """Look for frames of the split in the one that was trained on, where that one is there."""
    from deepir.calibrating import check_unseen, learnt_split
    from deepir.errors import DeepirError

    name, split = learnt_split(trained) or ("", "")
    if name != data.data:
        return
    try:
        learnt = replace(data, split=split, without=None).open()
    except DeepirError:  # no such split here: nothing more is known than its name
        return
    check_unseen(trained, dataset, learnt.ids)


def _show(found: Calibrated) -> None:
    from dataclasses import asdict

    from deepir.summary import reliability_table
    from deepir.tables import Table

    thresholds = Table(("false alarms a frame", "threshold"), found.calibration.thresholds)
    print_table(thresholds, title="thresholds, without the scene's say")
    print_table(reliability_table(map(asdict, found.calibration.reliability)), title="reliability")
    print(
        f"at the operating threshold Pd {found.pd:.3f},"
        f" {found.false_objects_per_frame:.3g} false objects a frame"
    )


def _say_card(card: Card, calibration: Calibration, out: Path) -> None:
    print(
        f"{card.name}: operating threshold {card.operating_threshold:g}, calibrated on"
        f" {calibration.data} ({calibration.frames} frames): {out}"
    )
