"""The averaged weights are what a plain loop over all steps gives."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from deepir.training.average import WeightAverage


def network():
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))


@pytest.mark.parametrize("weight", [0.0, 0.5, 0.999])
def test_it_is_the_running_mean(weight):
    torch.manual_seed(0)
    trained = network()
    average = WeightAverage(trained, weight)
    mean = {name: p.detach().clone() for name, p in trained.named_parameters()}
    for step in range(15):
        with torch.no_grad():
            for parameter in trained.parameters():
                parameter.add_(torch.randn_like(parameter))
            trained[1].running_mean.add_(1)
        average.update(trained)
        past = min(weight, (1 + step) / (10 + step))
        for name, parameter in trained.named_parameters():
            mean[name] = past * mean[name] + (1 - past) * parameter.detach()
    for name, parameter in average.network.named_parameters():
        torch.testing.assert_close(parameter, mean[name])
        assert not parameter.requires_grad
    assert average.network[1].running_mean.tolist() == [15, 15]
    assert not average.network.training
    assert trained.training


def test_without_weight_it_is_the_network(same_weights):
    trained = network()
    average = WeightAverage(trained, 0.0)
    with torch.no_grad():
        trained[0].weight.mul_(3.7)
    average.update(trained)
    same_weights(average.network, trained)
