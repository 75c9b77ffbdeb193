"""Where to compute, and in which precision."""

from __future__ import annotations

import pytest
import torch

from deepir.errors import UsageError
from deepir.training.device import choose_device, uses_bf16

CPU = torch.device("cpu")
no_card = pytest.mark.skipif(torch.cuda.is_available(), reason="there is a graphics card")


def test_the_processor_can_always_be_had():
    assert choose_device("cpu") == CPU


@no_card
def test_without_a_graphics_card_auto_is_the_processor():
    assert choose_device("auto") == CPU
    with pytest.raises(UsageError, match="finds none: use cpu"):
        choose_device("cuda")


def test_bf16_is_asked_for_or_follows_the_processor():
    assert uses_bf16("on", CPU)
    assert not uses_bf16("off", CPU)
    flags = torch.backends.cpu.get_cpu_capability()
    if flags in {"DEFAULT", "AVX2"}:  # neither computes in bfloat16
        assert not uses_bf16("auto", CPU)
