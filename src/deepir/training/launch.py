"""Several processes on this machine, started by torch's own launcher."""

from __future__ import annotations

import logging
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

import torch
import torch.distributed as dist
from torch.distributed.elastic.multiprocessing.api import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from deepir.errors import DeepirError, UsageError

T = TypeVar("T")


@dataclass(frozen=True)
class _Told(Generic[T]):
    """What a process came to: its result, its error, or the loss of its peers."""

    result: T | None = None
    error: DeepirError | None = None


def launch(work: Callable[..., T], *arguments: object, processes: int) -> T:
    """Do ``work(*arguments)`` in so many processes at once; the first one's result.

    One process is this one. More are started by `torch.distributed.launcher`, which sets what
    `deepir.training.processes.joined` reads; ``work`` and all that passes must be picklable.
    Started under ``torchrun``, this is one of its processes and starts no further ones.

    Raises:
        DeepirError: what ``work`` raised, or that a process died.
        KeyboardInterrupt: Ctrl-C; the processes were told, and have ended.
    """
    if processes == 1 or "TORCHELASTIC_RUN_ID" in os.environ:
        return work(*arguments)
    logging.getLogger("torch.distributed.elastic").setLevel(logging.CRITICAL)
    config = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=processes,
        run_id=secrets.token_hex(8),
        rdzv_backend="c10d",
        rdzv_endpoint="localhost:0",
        max_restarts=0,
    )
    try:
        told = cast(dict[int, _Told[T]], elastic_launch(config, _part)(work, processes, arguments))
    except ChildFailedError as error:
        rank, failure = error.get_first_failure()
        raise DeepirError(
            f"process {rank} of {processes} ended with status {failure.exitcode}; what it said"
            " stands above"
        ) from None
    except SignalException:
        raise KeyboardInterrupt from None
    errors = [one.error for one in told.values() if one.error is not None]
    if errors:
        raise errors[0]
    result = told[0].result
    if result is None:
        raise DeepirError(f"the {processes} processes lost each other; run the command again")
    return result


def _part(work: Callable[..., T], processes: int, arguments: tuple[Any, ...]) -> _Told[T]:
    """One process: errors travel back as values, so that the first one's own words are shown."""
    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(max(1, (os.cpu_count() or 1) // processes))
    try:
        return _Told(result=work(*arguments))
    except DeepirError as error:
        kind = UsageError if isinstance(error, UsageError) else DeepirError
        return _Told(error=kind(str(error)))
    except OSError as error:
        place = f": {error.filename}" if error.filename else ""
        return _Told(error=DeepirError(f"{error.strerror or error}{place}"))
    except RuntimeError as error:
        if isinstance(error, dist.DistError) or "gloo" in str(error):  # the peer tells why it left
            return _Told()
        raise
