"""The training loop, on a page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Protocol, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from deepir.errors import DeepirError
from deepir.training.average import WeightAverage
from deepir.training.device import uses_bf16
from deepir.training.mining import Reading, frames_to_mine, mine, own_candidates, refreshed
from deepir.training.processes import Processes
from deepir.training.reader import Part, Reader, shares
from deepir.training.sampler import Channels, Drawn, FalseAlarm, Sampler
from deepir.training.schedule import rate_of
from deepir.training.settings import Settings
from deepir.training.statistics import SharedStatistics


@dataclass(frozen=True)
class Step:
    """What one iteration did: its losses, gradient norm, learning rate.

    ``waited``: seconds that it stood still for want of data.
    """

    iteration: int
    losses: dict[str, float]
    gradient: float
    lr: float
    waited: float


class LossError(DeepirError):
    """A loss or weights that are no finite numbers; ``batch`` is what led to it, where known."""

    def __init__(self, message: str, batch: list[Drawn]) -> None:
        super().__init__(message)
        self.batch = batch


class Learner(Protocol):
    """What a network has beside its forward pass, so that it can be trained."""

    def targets(self, boxes: Sequence[Tensor], images: Tensor, noco: Tensor | None) -> Any:  # noqa: ANN401
        """What its outputs should be, for boxes (N_i, 4) in a batch of images (B, C, H, W)."""

    def normalisers(self, targets: Any) -> dict[str, Tensor]:  # noqa: ANN401
        """What its losses are divided by, of this part of a batch; parts are added up."""

    def losses(
        self,
        raw: Any,  # noqa: ANN401
        targets: Any,  # noqa: ANN401
        normalisers: dict[str, Tensor],
    ) -> dict[str, Tensor]:
        """Losses of a part of a batch, each divided by a normaliser of the whole batch."""


class Trainer:
    """A network, its optimiser, its averaged weights, and where it stands.

    ``network`` is a `Learner` too; ``reading`` gives what finds false alarms in a frame with the
    averaged network. ``state`` and ``restore`` hold all of it: a run that continues from a state
    is the run that was never stopped, bit for bit on a CPU.

    Raises:
        UsageError: a batch that cannot give every part of every process an image.
    """

    def __init__(
        self,
        network: nn.Module,
        sampler: Sampler,
        settings: Settings,
        processes: Processes,
        *,
        reading: Reading = own_candidates,
        readers: int = 1,
    ) -> None:
        settings.check_processes(processes.count)
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.network = network
        self.sampler = sampler
        self.settings = settings
        self.processes = processes
        self.readers = readers
        self.average = WeightAverage(network, settings.average)
        self.candidates = reading(self.average.network)
        groups = _decayed(network, settings.weight_decay, everything=settings.decay_all)
        self.optimiser = torch.optim.AdamW(groups, lr=settings.lr)
        self.iteration = 0
        self.bf16 = uses_bf16(settings.bf16, self.device)
        self._statistics = SharedStatistics(network, processes, parts=settings.parts)
        self._parallel = processes.wrap(network)

    def run(self, until: int) -> Iterator[Step]:
        """Train up to iteration ``until``, one step at a time; batches are drawn one ahead.

        A step is given when all that belongs to it is done: the state may be kept there.
        """
        settings, processes = self.settings, self.processes
        slots = shares(settings.batch, settings.parts, rank=processes.rank, count=processes.count)
        with Reader(self.sampler.draw, slots, workers=self.readers) as reader:
            reader.ask(self.iteration)
            while self.iteration < until:
                before = reader.waited
                batch = reader.take()
                mines = self._mines_after(self.iteration)
                if not mines and self.iteration + 1 < until:
                    reader.ask(self.iteration + 1)
                losses, gradient, rate = self._step(batch)
                if mines:
                    self._mine()
                    reader.ask(self.iteration)
                yield Step(self.iteration, losses, gradient, rate, reader.waited - before)

    def state(self) -> dict[str, Any]:
        """Everything that the rest of the run depends on, as tensors and plain values."""
        return {
            "iteration": self.iteration,
            "network": self.network.state_dict(),
            "average": self.average.network.state_dict(),
            "average_steps": self.average.steps,
            "optimiser": self.optimiser.state_dict(),
            "false_alarms": [tuple(alarm) for alarm in self.sampler.false_alarms],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Stand where the run stood when `state` was called.

        Raises:
            KeyError, TypeError, ValueError, RuntimeError: the state of another run, or none.
        """
        self.network.load_state_dict(state["network"])
        self.average.network.load_state_dict(state["average"])
        self.average.steps = _count("average_steps", state)
        self.optimiser.load_state_dict(state["optimiser"])
        alarms = [FalseAlarm(*alarm) for alarm in state["false_alarms"]]
        if not all(0 <= alarm.frame < len(self.sampler.frames) for alarm in alarms):
            raise ValueError(f"a false alarm beyond the {len(self.sampler.frames)} frames")
        self.sampler.false_alarms = alarms
        self.iteration = _count("iteration", state)

    @property
    def device(self) -> torch.device:
        """Where the network lies."""
        place = next(self.network.parameters()).device
        assert isinstance(place, torch.device)
        return place

    def precision(self) -> AbstractContextManager[Any]:
        """Context in which the network runs forward: bfloat16 where that is wanted."""
        return torch.autocast(self.device.type, torch.bfloat16, self.bf16)

    def _step(self, batch: Sequence[Part]) -> tuple[dict[str, float], float, float]:
        """One step of the optimiser: losses, gradient norm, learning rate."""
        rate = rate_of(self.settings, self.iteration)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        losses, gradient = self._gradients(batch)
        self.optimiser.step()
        self.average.update(self.network)
        self.iteration += 1
        return losses, gradient, rate

    def _gradients(self, batch: Sequence[Part]) -> tuple[dict[str, float], float]:
        """Clipped gradients of the whole batch; its losses over all processes, gradient norm."""
        learner = cast(Learner, self.network)
        parts = [_tensors(part, self.device) for part in batch]
        targets = [learner.targets(boxes, images, noco) for images, boxes, noco in parts]
        normalisers = self.processes.total(
            _added([learner.normalisers(wanted) for wanted in targets])
        )
        self.optimiser.zero_grad(set_to_none=True)
        self._statistics.begin()
        sums: list[dict[str, Tensor]] = []
        for number, ((images, _, _), wanted) in enumerate(zip(parts, targets, strict=True)):
            self._seed(number)
            with self._waits(number):
                with self.precision():
                    raw = self._parallel(images)
                losses = learner.losses(raw, wanted, normalisers)
                # Processes average their gradients; the batch's own is their sum.
                whole = torch.stack(list(losses.values())).sum() * self.processes.count
                torch.autograd.backward(whole)
            self._statistics.part_done()
            sums.append({name: loss.detach() for name, loss in losses.items()})
        self._statistics.end()
        total = {k: float(v) for k, v in self.processes.total(_added(sums)).items()}
        norm = float(
            nn.utils.clip_grad_norm_(self.network.parameters(), self.settings.clip or np.inf)
        )
        self._check(total, norm, batch)
        return total, norm

    def _check(self, losses: dict[str, float], gradient: float, batch: Sequence[Part]) -> None:
        if not np.isfinite([*losses.values(), gradient]).all():
            told = ", ".join(f"{name} {value:g}" for name, value in losses.items())
            images = [drawn for part in batch for drawn in part]
            raise LossError(
                f"iteration {self.iteration + 1}: losses {told}, gradient norm {gradient:g}: no"
                f" finite number; {_advice(images)}",
                images,
            )

    def check_weights(self) -> None:
        """Make sure that the averaged weights, which are what a run leaves behind, are numbers.

        Raises:
            LossError: the first tensor that holds NaN or infinite values.
        """
        for name, tensor in self.average.network.state_dict().items():
            if not torch.isfinite(tensor).all():
                raise LossError(
                    f"iteration {self.iteration}: {name!r} holds NaN or infinite values; try a"
                    " lower learning rate (lr)",
                    [],
                )

    def _seed(self, part: int) -> None:
        """Whatever a network draws, such as dropout, follows from the place in the run alone."""
        hand = part * self.processes.count + self.processes.rank
        numbers = np.random.SeedSequence([self.settings.seed, self.iteration, hand])
        torch.manual_seed(int(numbers.generate_state(1, np.uint64)[0]))

    def _waits(self, part: int) -> AbstractContextManager[None]:
        """Processes exchange gradients with the last part of a batch only."""
        last = part == self.settings.parts - 1
        if last or not isinstance(self._parallel, DistributedDataParallel):
            return nullcontext()
        return self._parallel.no_sync()

    def _mines_after(self, iteration: int) -> bool:
        done, mining = iteration + 1, self.settings.mining
        return (
            mining.frames > 0 and done >= mining.start and (done - mining.start) % mining.every == 0
        )

    def _mine(self) -> None:
        mining, sampler = self.settings.mining, self.sampler
        chosen = frames_to_mine(
            len(sampler.frames), mining.frames, seed=self.settings.seed, iteration=self.iteration
        )
        with self.precision():
            found = mine(
                self.candidates,
                sampler.frames,
                chosen[self.processes.rank :: self.processes.count],
                score=mining.score,
                apart_px=mining.apart_px,
            )
        everyone = sorted(self.processes.gather(found))
        sampler.false_alarms = refreshed(sampler.false_alarms, chosen, everyone)


def _advice(images: Sequence[Drawn]) -> str:
    """What to do about a loss that is no number."""
    if all(np.isfinite(drawn.channels).all() for drawn in images):
        return "try a lower learning rate (lr), or bf16 off"
    return "images of the batch hold NaN or infinite values: look at the levels of their frames"


def _count(name: str, state: Mapping[str, Any]) -> int:
    """Number of steps in a state."""
    value = state[name]
    if not isinstance(value, int) or value < 0:
        raise ValueError(f"{name} is {value!r}")
    return value


def _tensors(part: Part, device: torch.device) -> tuple[Tensor, list[Tensor], Tensor | None]:
    """Images (B, C, H, W) of a part, zeros beyond the smaller ones; boxes; NoCo (B, H, W)."""
    images = torch.from_numpy(_stacked([drawn.channels for drawn in part])).to(device)
    boxes = [torch.from_numpy(drawn.boxes) for drawn in part]
    known = [drawn.noco for drawn in part if drawn.noco is not None]
    noco = torch.from_numpy(_stacked(known)).to(device) if known else None
    return images.contiguous(memory_format=torch.channels_last), boxes, noco


def _stacked(arrays: Sequence[Channels]) -> Channels:
    """Arrays (..., h, w) in one (B, ..., H, W), filled up with zeros at the right and below."""
    height, width = np.max([array.shape[-2:] for array in arrays], axis=0)
    if all(array.shape[-2:] == (height, width) for array in arrays):
        return np.stack(arrays)
    whole = np.zeros((len(arrays), *arrays[0].shape[:-2], height, width), np.float32)
    for place, array in zip(whole, arrays, strict=True):
        place[..., : array.shape[-2], : array.shape[-1]] = array
    return whole


def _added(parts: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
    return {name: torch.stack([part[name] for part in parts]).sum(dim=0) for name in parts[0]}


def _decayed(
    network: nn.Module, weight_decay: float, *, everything: bool = False
) -> list[dict[str, Any]]:
    """Parameters in two groups: weight decay for matrices and kernels, or for all, and the rest."""
    kernels = [p for p in network.parameters() if p.ndim > 1 or everything]
    others = [p for p in network.parameters() if p.ndim <= 1 and not everything]
    return [
        {"params": kernels, "weight_decay": weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
