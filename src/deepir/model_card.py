"""The page that travels with trained weights: where they come from, what they can and cannot do."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import PurePath
from typing import Any, NamedTuple

from deepir.calibration import Calibration
from deepir.clutter_level import ClutterLevel
from deepir.summary import (
    Result,
    errors_line,
    figures_table,
    plant_table,
    points_table,
    reliability_table,
    sources_table,
)
from deepir.tables import Cell, Table

WORST_SHOWN = 10


@dataclass(frozen=True)
class Measured:
    """The JSON of runs of one network, and its calibration.

    ``test`` is `deepir eval` on frames that neither training nor calibration saw, ``plant`` its
    plant test on the same frames, ``training`` the ``run.json`` of the weights themselves.
    ``twin`` is that of the twin that the calibration comes from; ``worst`` the list beside the
    pictures of the worst frames; both may be None. ``readings`` are runs on the same frames or
    some of them, read otherwise: with the published read-out, without the scene, without
    near-duplicates of training frames. ``seeds`` are runs of all seeds, these weights' among them.
    ``clutter`` is how scores are measured against the clutter of their frame, None: not at all.
    """

    test: Result
    plant: Result
    training: Result
    calibration: Calibration
    twin: Result | None = None
    worst: Result | None = None
    readings: Sequence[Result] = ()
    seeds: Sequence[Seed] = ()
    clutter: ClutterLevel | None = None


class Seed(NamedTuple):
    """One of several runs that differ in their seed alone."""

    seed: int
    val: Result
    """Of the twin on val."""
    test: Result
    """Of the final weights on test."""


@dataclass(frozen=True)
class Words:
    """What no figure says: one sentence on the network, failures that are known, remarks."""

    about: str = ""
    failures: Sequence[str] = field(default_factory=tuple)


def model_card(name: str, measured: Measured, words: Words | None = None) -> str:
    """Markdown page of one network; every figure in it stands in one of the given results."""
    told = words or Words()
    parts = [
        f"# {name}\n\n{told.about or 'Boxes of small targets in single infrared frames.'}\n",
        _data(measured),
        _training(measured.training),
        _test(measured),
        _plant(measured.plant),
        _scores(measured),
        _failures(measured, told.failures),
    ]
    return "\n".join(parts)


def _data(measured: Measured) -> str:
    stored, test = measured.calibration, measured.test
    lines = [
        f"- trained on {_frames(measured.training['train'])}",
        f"- thresholds and probabilities from {stored.data} ({stored.frames} frames)",
        f"- tested on {test['data']} {test['split']}: {test['frames']} frames,"
        f" {test['targets']} targets",
    ]
    if measured.twin is not None:
        lines.append(
            f"- thresholds, calibration and length of training come from the twin of these weights,"
            f" trained on {_frames(measured.twin['train'])} alone: these weights have seen the"
            " frames that the twin was measured on, so for them the figures below on those frames"
            " are the twin's"
        )
    if measured.clutter is not None:
        level = measured.clutter
        lines.append(
            "- scores are measured against the clutter of their frame: log-odds fall by"
            f" {level.weight:g} times what those of the candidate number {level.rank} of the frame"
            f" exceed those of {level.typical:.3g}, the median of the calibration frames; so the"
            " same target scores higher in a quiet frame, and in a small one, than in a cluttered"
            " one"
        )
    licence = (
        "SIRST-V2 states no licence. Its frames are not part of this package; whether weights"
        " trained on them may be used for a purpose is for the user to judge."
    )
    return "## Data\n\n" + "\n".join(lines) + f"\n\n{licence}\n"


def _frames(facts: Mapping[str, Any]) -> str:
    return (
        f"{facts['name']} {facts['split']} ({facts['frames']} frames, {facts['targets']} targets)"
    )


def _training(run: Result) -> str:
    first, options = run["visits"][0], run["options"]
    hours = sum(visit.get("seconds", 0.0) for visit in run["visits"]) / 3600
    source = first["source"] or {"commit": "unknown", "changed": False}
    commit = f"{source['commit']}{' with changes' if source['changed'] else ''}"
    machine = first["machine"]
    rows = [
        ("recipe", options.get("recipe")),
        ("seed", options.get("seed")),
        ("iterations", run["results"]["iteration"]),
        ("commit", commit),
        ("versions", ", ".join(f"{key} {value}" for key, value in first["versions"].items())),
        ("machine", f"{machine['processor']}, {machine['threads']} threads, {machine['device']}"),
        ("hours", round(hours, 2)),
    ]
    command = " ".join(str(_last(part)) for part in first["command"])
    command = command.replace("__main__.py", "deepir", 1)  # as python -m deepir says it
    everything = json.dumps({key: _last(part) for key, part in options.items()}, indent=1)
    return (
        f"## Training\n\n{Table(('what', 'value'), rows).markdown()}\n"
        f"Command: `{command}`\n\nAll options:\n\n```json\n{everything}\n```\n"
    )


def _last(value: object) -> object:
    """A value of an option; of a whole path its last part, as the rest is of one machine.

    >>> [_last(value) for value in ("/home/me/SIRST_V2", "--root=/data/v2/", "nano", 4000)]
    ['SIRST_V2', '--root=v2', 'nano', 4000]
    """
    if not isinstance(value, str):
        return value
    option, sign, path = value.rpartition("=")
    return f"{option}{sign}{PurePath(path).name}" if PurePath(path).is_absolute() else value


def _test(measured: Measured) -> str:
    test = measured.test
    parts = [
        f"## Test\n\n{_said(test)}\n\n{_figures(test)}",
        "The nine thresholds of NoCo AP:\n\n" + _nine(test),
        points_table(test).markdown(),
        sources_table(test).markdown(),
        f"Errors at the operating threshold: {errors_line(test)}.\n",
    ]
    parts += [f"{_said(reading)}\n\n{_figures(reading)}" for reading in measured.readings]
    if measured.seeds:
        parts.append(f"Of the seeds:\n\n{_seeds(measured.seeds)}")
    return "\n".join(parts)


def _figures(result: Result) -> str:
    """Figures but those of the machine, which may have had other work to do."""
    whole = figures_table(result)
    rows = [row for row in whole.rows if not str(row[0]).startswith(("speed", "peak_memory"))]
    return Table(whole.heads, rows).markdown()


def _seeds(seeds: Sequence[Seed]) -> str:
    rows: list[Sequence[Cell]] = [
        (one.seed, *(_ranged(run, part) for run in (one.val, one.test) for part in _PARTS))
        for one in seeds
    ]
    kinds = ("mNoCoAP", "on frames with targets")
    heads = [f"{kind}, {run}" for run in ("twin on val", "test") for kind in kinds]
    return Table(("seed", *heads), rows).markdown()


_PARTS = ("", "with_targets")


def _ranged(result: Result, part: str) -> str:
    metrics = result["metrics"][part] if part else result["metrics"]
    low, high = metrics["mnocoap_interval"]
    return f"{metrics['mnocoap']:.3f} ({low:.3f} to {high:.3f})"


def _said(result: Result) -> str:
    return (
        f"{result['data']} {result['split']}, read-out {result['read_out']}{_scene(result)},"
        f" {result['frames']} frames, {result['targets']} targets; intervals are 95 % bootstraps"
        f" over frames ({result['bootstrap']['draws']} draws, seed {result['bootstrap']['seed']}):"
    )


def _scene(result: Result) -> str:
    return ", scores without the scene's say" if result.get("scene") == "off" else ""


def _nine(result: Result) -> str:
    by_threshold = result["metrics"]["nocoap"]
    return Table(tuple(by_threshold), [tuple(by_threshold.values())]).markdown()


def _plant(result: Result) -> str:
    return (
        "## Plant test\n\nSimulated targets (Gaussian, sigma 0.7 to 1.6 px, two a frame) of a"
        f" stated local SCR in {result['frames']} frames of {result['data']} {result['split']},"
        f" seed {result['seed']}; found at a score of {result['threshold']:.4g}. A network that"
        " had learnt the camera instead of the target would find fewer in sources without targets"
        f" of their own.\n\n{plant_table(result).markdown()}"
    )


def _scores(measured: Measured) -> str:
    stored, here = measured.calibration, measured.test["calibration"]
    thresholds = Table(("false alarms a frame", "threshold"), stored.thresholds)
    parts = [
        f"## What scores mean\n\nMeasured on {stored.data} ({stored.frames} frames); it holds on"
        " data like that. Thresholds by budget, for scores without the scene's say"
        f" (`--false-alarms-per-frame`):\n\n{thresholds.markdown()}",
        "Reliability of the probabilities there, where they were fitted:\n\n"
        + reliability_table(asdict(one) for one in stored.reliability).markdown(),
    ]
    if here:
        parts.append(
            f"and on {measured.test['data']} {measured.test['split']}:\n\n"
            + reliability_table(here["reliability"]).markdown()
        )
    return "\n".join(parts)


def _failures(measured: Measured, known: Sequence[str]) -> str:
    lines = [f"- {one}" for one in known]
    entries = [] if measured.worst is None else measured.worst["worst"][:WORST_SHOWN]
    lines += [
        f"- {one['id']}: missed {one['missed']}, false {one['false']}, badly placed"
        f" {one['badly_placed']}"
        for one in entries
    ]
    return "## Known failures\n\n" + ("\n".join(lines) or "- none was looked for") + "\n"
