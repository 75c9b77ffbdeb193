"""Batch statistics that do not depend on how a batch was divided."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from deepir.training.processes import Processes


class SharedStatistics:
    """Running statistics (of batch normalisation) in a step of several parts.

    Each part starts from the statistics before the step; after it they are the mean of what the
    parts made of them. So two processes leave the same ones as one process with two parts, and all
    processes the same. With one part in one process nothing happens.
    """

    def __init__(self, network: nn.Module, processes: Processes, *, parts: int) -> None:
        norms = [module for module in network.modules() if hasattr(module, "running_mean")]
        self._buffers = [buffer for norm in norms for buffer in norm.buffers()]
        self._processes = processes
        self._parts = parts
        self._before: list[Tensor] = []
        self._sums: list[Tensor] = []

    @property
    def _alone(self) -> bool:
        return self._parts * self._processes.count == 1

    def begin(self) -> None:
        """Remember the statistics before a step."""
        if not self._alone:
            self._before = [buffer.clone() for buffer in self._buffers]
            self._sums = [torch.zeros_like(buffer) for buffer in self._buffers]

    @torch.no_grad()
    def part_done(self) -> None:
        """Add what a part made of the statistics, and go back to those before the step."""
        if self._alone:
            return
        for buffer, before, added in zip(self._buffers, self._before, self._sums, strict=True):
            added += buffer
            buffer.copy_(before)

    @torch.no_grad()
    def end(self) -> None:
        """Take the mean over all parts of all processes."""
        if self._alone:
            return
        hands = self._parts * self._processes.count
        for number, added in enumerate(self._processes.added(self._sums)):
            buffer = self._buffers[number]
            buffer.copy_(added / hands if buffer.is_floating_point() else added // hands)
