"""Networks without batch normalisation give what they gave with it."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="networks are PyTorch modules")

from opinionated import opinionated  # noqa: E402
from torch import nn  # noqa: E402

from deepir.models.folding import fold_norms  # noqa: E402
from deepir.models.oscar import Oscar, Widths  # noqa: E402


def small_oscar():
    """Published OSCAR in small widths, with normalisations that matter."""
    torch.manual_seed(0)
    network = Oscar(Widths((8, 8, 16, 16), 16, 16, 4))
    with torch.no_grad():
        for part in network.modules():
            if isinstance(part, nn.BatchNorm2d):
                part.weight.uniform_(0.5, 1.5)
                part.bias.normal_(0.0, 0.1)
                part.running_mean.normal_(0.0, 0.1)
                part.running_var.uniform_(0.5, 1.5)
    return network.eval()


@pytest.mark.parametrize(
    ("network", "channels"), [(opinionated(), 2), (small_oscar(), 3)], ids=["cascade", "published"]
)
@torch.no_grad()
def test_nothing_changes_and_no_batch_normalisation_is_left(network, channels):
    network.eval()
    images = torch.randn(1, channels, 64, 96)
    wanted = network(images)
    folded = fold_norms(network)
    assert not any(isinstance(part, nn.BatchNorm2d) for part in folded.modules())
    assert any(isinstance(part, nn.BatchNorm2d) for part in network.modules())
    for given, expected in zip(folded(images), wanted, strict=True):
        torch.testing.assert_close(given, expected, rtol=1e-4, atol=1e-4)


def test_groups_stay():
    assert any(isinstance(part, nn.GroupNorm) for part in fold_norms(small_oscar()).modules())
