"""One process or several that train one network together (torch's DistributedDataParallel)."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from deepir.errors import DeepirError

T = TypeVar("T")


class Processes:
    """This process among its peers; alone where no process group has been set up."""

    def __init__(self) -> None:
        together = dist.is_available() and dist.is_initialized()
        self.rank = dist.get_rank() if together else 0
        self.count = dist.get_world_size() if together else 1

    @property
    def leads(self) -> bool:
        """Whether this process writes files and shows progress."""
        return self.rank == 0

    def wrap(self, network: nn.Module) -> nn.Module:
        """The network whose gradients are averaged over all processes in ``backward``."""
        if self.count == 1:
            return network
        device = next(network.parameters()).device
        ids = [device.index] if device.type == "cuda" else None
        return DistributedDataParallel(network, device_ids=ids)

    def total(self, sums: dict[str, Tensor]) -> dict[str, Tensor]:
        """Add up each number over all processes."""
        return dict(zip(sums, self.added(list(sums.values())), strict=True))

    def added(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """Each tensor added up over all processes: one exchange for each type of number."""
        if self.count == 1:
            return list(tensors)
        result = list(tensors)
        for kind in sorted({tensor.dtype for tensor in tensors}, key=str):
            places = [i for i, tensor in enumerate(tensors) if tensor.dtype == kind]
            flat = torch.cat([tensors[place].reshape(-1) for place in places])
            dist.all_reduce(flat)
            pieces = torch.split(flat, [tensors[place].numel() for place in places])
            for place, piece in zip(places, pieces, strict=True):
                result[place] = piece.reshape(tensors[place].shape)
        return result

    def gather(self, found: list[Any]) -> list[Any]:
        """The lists of all processes joined in their order, in every process."""
        if self.count == 1:
            return found
        parts: list[list[Any]] = [[] for _ in range(self.count)]
        dist.all_gather_object(parts, found)
        return [item for part in parts for item in part]

    def anyone(self, *flags: bool, device: torch.device) -> list[bool]:
        """Which of the flags are set in any process; the same answer in all."""
        raised = torch.tensor(flags, dtype=torch.int32, device=device)
        return [bool(count) for count in self.added([raised])[0]]

    def led(self, work: Callable[[], T]) -> T:
        """Do ``work`` in the leading process alone; its result in all of them.

        Raises:
            DeepirError: what it raised, in all of them; a full disk and the like too.
        """
        told: list[Any] = [None, None]
        if self.leads:
            try:
                told[0] = work()
            except DeepirError as error:
                told[1] = error
            except OSError as error:
                place = f": {error.filename}" if error.filename else ""
                told[1] = DeepirError(f"{(error.strerror or str(error)).lower()}{place}")
        if self.count > 1:
            dist.broadcast_object_list(told)
        if told[1] is not None:
            raise told[1]
        result: T = told[0]
        return result


@contextmanager
def joined(device: torch.device) -> Iterator[Processes]:
    """Join the processes that torch's launcher started; alone where it started none."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield Processes()
        return
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield Processes()
    finally:
        dist.destroy_process_group()
