"""PyTorch, eager and compiled, after its Performance Tuning Guide.

Tensors are in memory as float32, and a batch is one `index_select`: no DataLoader, which is slower for data in memory.
Gradients are set to None, the optimizer is fused (for the CPU since 2.4; measured here, faster than foreach), every
core works, and denormal numbers are flushed. Compiled: gathering, network and loss in one graph, with fixed shapes, so
that a short last batch is a second graph; the optimizer stays fused, which was faster than compiling it.
"""

from collections.abc import Callable
from itertools import chain

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.functional import cross_entropy
from workloads import MOMENTUM, Layers

from contenders import N_CORES, Contender

Loss = Callable[[torch.Tensor], torch.Tensor]


class Eager(Contender):
    """One kernel after the other."""

    def prepare(self, images: NDArray[np.uint8], classes: NDArray[np.int64]) -> None:
        torch.set_num_threads(N_CORES)
        torch.set_flush_denormal(True)
        torch.manual_seed(0)
        work = self.workload
        self.X, self.y = torch.from_numpy(images).float().div_(255.0), torch.from_numpy(classes)
        self.linear = [linear(W, b) for W, b in work.start()]
        activation = {"relu": nn.ReLU, "sigmoid": nn.Sigmoid}[work.activation]
        self.network = nn.Sequential(*chain.from_iterable((layer, activation()) for layer in self.linear))[:-1]
        parameters, rate = self.network.parameters(), work.learning_rate
        if work.optimizer == "adam":
            self.optimizer: torch.optim.Optimizer = torch.optim.Adam(parameters, rate, fused=True)
        else:
            momentum = MOMENTUM if work.optimizer == "momentum" else 0.0
            self.optimizer = torch.optim.SGD(parameters, rate, momentum, fused=True)
        self.loss = self.made_fast(self.batch_loss)

    def made_fast(self, loss: Loss) -> Loss:
        """The function that the loop calls for a batch's loss."""
        return loss

    def batch_loss(self, batch: torch.Tensor) -> torch.Tensor:
        """The loss of the images that `batch` names."""
        return cross_entropy(self.network(self.X.index_select(0, batch)), self.y.index_select(0, batch))

    def train(self) -> None:
        for batch in torch.randperm(len(self.X)).split(self.workload.batch_size):
            self.optimizer.zero_grad(set_to_none=True)
            self.loss(batch).backward()
            self.optimizer.step()

    def layers(self) -> Layers:
        return [(layer.weight.detach().numpy().T, layer.bias.detach().numpy()) for layer in self.linear]


class Bfloat16(Eager):
    """Matrix products may round their factors to bfloat16, whose 8 bits of precision make another training."""

    def prepare(self, images: NDArray[np.uint8], classes: NDArray[np.int64]) -> None:
        torch.set_float32_matmul_precision("medium")
        super().prepare(images, classes)


class Compiled(Eager):
    """Kernels fused by torch.compile."""

    def made_fast(self, loss: Loss) -> Loss:
        return torch.compile(loss, dynamic=False)


def linear(W: NDArray[np.float32], b: NDArray[np.float32]) -> nn.Linear:
    """A layer with these weights (fan_in, fan_out)."""
    layer = nn.Linear(*W.shape)
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(W.T))
        layer.bias.copy_(torch.from_numpy(b))
    return layer
