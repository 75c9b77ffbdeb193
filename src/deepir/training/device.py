"""Where a network is trained, and in which precision."""

from __future__ import annotations

import os

import torch

from deepir.errors import UsageError
from deepir.training.request import DeviceChoice
from deepir.training.settings import Precision


def choose_device(wanted: DeviceChoice) -> torch.device:
    """Device of this process; auto takes a graphics card where torch can use one.

    Of several cards, the one with this process's number among those of the machine.

    Raises:
        UsageError: cuda is wanted, and torch finds none.
    """
    if wanted == "cpu" or (wanted == "auto" and not torch.cuda.is_available()):
        return torch.device("cpu")
    if not torch.cuda.is_available():
        raise UsageError("device cuda is wanted, this installation of torch finds none: use cpu")
    number = int(os.environ.get("LOCAL_RANK", "0"))
    if number >= torch.cuda.device_count():
        raise UsageError(
            f"process {number + 1} of this machine needs a card of its own, there are"
            f" {torch.cuda.device_count()}: take fewer processes"
        )
    torch.cuda.set_device(number)
    return torch.device("cuda", number)


def uses_bf16(choice: Precision, device: torch.device) -> bool:
    """Whether the forward pass runs in bfloat16.

    auto: where the device computes in it, that is a processor on which oneDNN does (AVX-512 BF16,
    AMX), or a graphics card since Ampere. Elsewhere it would be emulated and slower.
    """
    if choice != "auto":
        return choice == "on"
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
