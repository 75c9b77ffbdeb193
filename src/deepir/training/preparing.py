"""From a request to a trainer that is ready: frames, network, weights to begin with."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from deepir.data import CATALOGUE as DATASETS
from deepir.data import Dataset, open_dataset
from deepir.errors import UsageError, unknown_name
from deepir.models import CATALOGUE
from deepir.models.cascade import Cascade
from deepir.models.trained import build, load_weights
from deepir.training.frames import Frames, read_frames
from deepir.training.loop import Trainer
from deepir.training.processes import Processes
from deepir.training.recipes import finishing, reading_of, sampler_for
from deepir.training.reporting import Report
from deepir.training.request import Request, Source
from deepir.training.scene import forget_scene
from deepir.training.validation import Validation
from deepir.weights import packaged, read_weights


@dataclass(frozen=True, eq=False)
class Prepared:
    """All that a run needs; ``val`` and ``validation`` are None without validation."""

    trainer: Trainer
    finish: Callable[[], None]
    """Fits, on the averaged network, what is not learnt step by step."""
    frames: Frames
    val: Frames | None
    validation: Validation | None
    init: dict[str, str] | None

    def said(self, model: str) -> str:
        """What is trained on what, and how, in one line."""
        trainer, val = self.trainer, self.val
        parameters = sum(parameter.numel() for parameter in trainer.network.parameters())
        count, threads = trainer.processes.count, torch.get_num_threads()
        return (
            f"{model}, {parameters:,} parameters, on {_said(self.frames)}; validated on"
            f" {_said(val) if val else 'nothing'}; {trainer.device},"
            f" {'bfloat16' if trainer.bf16 else 'float32'},"
            f" {count} process{'es' if count > 1 else ''} of {threads}"
            f" thread{'s' if threads > 1 else ''}"
        )


def check(request: Request) -> None:
    """Find what is wrong with a request before anything is written; frames are not read yet.

    Raises:
        UsageError: an unknown network, dataset or split, splits that share frames.
        DeepirError: weights to begin with that are not there.
    """
    if request.model not in CATALOGUE:
        raise unknown_name("network", request.model, CATALOGUE)
    _check_apart(*_opened(request.source))
    if request.init is not None:
        _init_path(request.init)


def prepare(
    request: Request,
    processes: Processes,
    device: torch.device,
    *,
    readers: int,
    report: Report,
) -> Prepared:
    """Check the request, read all frames, and build the network from the seed.

    Raises:
        UsageError: an unknown network or dataset, a recipe that does not fit.
        DeepirError: unusable frames or weights.
    """
    torch.manual_seed(request.settings.seed)
    network = build(request.model)
    init = _initialised(network, request)
    frames, val = _read(request.source, report)
    sampler = sampler_for(request.recipe, network, frames.samples, request.settings)
    trainer = Trainer(
        network.to(device),
        sampler,
        request.settings,
        processes,
        reading=reading_of(request.recipe, network),
        readers=readers,
    )
    finish = finishing(trainer)
    validation = Validation(val.samples) if val else None
    return Prepared(trainer, finish, frames, val, validation, init)


def _initialised(network: torch.nn.Module, request: Request) -> dict[str, str] | None:
    """Give a network the weights that the request names; where they come from.

    Their scene factor stays behind: it was fitted to other frames, and to features that change.
    """
    if request.init is None:
        return None
    path = _init_path(request.init)
    digest = hashlib.sha256(read_weights(path)).hexdigest()
    load_weights(path, request.model, network)
    if isinstance(network, Cascade):
        forget_scene(network)
    return {"path": str(path), "sha256": digest}


def _init_path(init: str) -> Path:
    """File of the weights that are asked for by a network's name, or by their own path."""
    if init not in CATALOGUE:
        if not Path(init).is_file():
            reason = "it is no file" if Path(init).exists() else "no such file"
            raise UsageError(
                f"no weights at {init!r} ({reason}): --init takes a .safetensors file, or one"
                f" of {', '.join(sorted(CATALOGUE))}"
            )
        return Path(init)
    path = packaged(init, ".safetensors")
    if path is None:
        raise UsageError(
            f"{init} has no weights to train on from in this installation: give a .safetensors"
            " file with --init"
        )
    return path


def _opened(source: Source) -> list[Dataset]:
    """Training split and, where there is one, validation split, no frame of them read."""
    if source.data not in DATASETS:
        raise unknown_name("dataset", source.data, DATASETS)
    train, val = source.splits()
    opened = [_open(source, train, named=source.train_split is not None)]
    if val is not None:
        opened.append(_open(source, val, named=source.val_split is not None))
    return opened


def _open(source: Source, split: str, *, named: bool) -> Dataset:
    """One split; of one that the user did not name errors say how to."""
    try:
        return open_dataset(source.data, root=source.root, split=split)
    except UsageError as error:
        if named or source.root is None:
            raise
        raise UsageError(
            f"{error}; name the splits with --train-split and --val-split (none: no validation)"
        ) from None


def _check_apart(train: Dataset, val: Dataset | None = None) -> None:
    """Make sure that nothing is validated on what it learnt.

    Raises:
        UsageError: ids that both splits have.
    """
    learnt = set(train.ids)
    shared = [one for one in (val.ids if val else ()) if one in learnt]
    if val and shared:
        raise UsageError(
            f"{len(shared)} of the {len(val)} frames of the split {val.split!r} are trained on, the"
            f" first {shared[0]!r}, so they cannot validate: name another --val-split, or none"
        )


def _read(source: Source, report: Report) -> tuple[Frames, Frames | None]:
    """Frames of the training and the validation split."""
    train, *val = [read_frames(dataset) for dataset in _opened(source)]
    for frames in (train, *val):
        for one in frames.skipped:
            report.note(f"skipped {one.id!r}: {one.reason}")
    return train, val[0] if val else None


def _said(frames: Frames) -> str:
    return (
        f"{frames.dataset.name} {frames.dataset.split} ({len(frames.samples)} frames,"
        f" {frames.targets} targets)"
    )
