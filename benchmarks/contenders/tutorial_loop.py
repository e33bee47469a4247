"""The loop that tutorials print: one example at a time through backpropagation, in NumPy.

After Nielsen's network.py (neuralnetworksanddeeplearning.com, chapter 1): examples are columns, gradients are added up
in lists, then every array takes its step. It is kinder than the original: float32 like everybody here, not float64.
"""

import numpy as np
from numpy.typing import NDArray
from workloads import MOMENTUM, N_CLASSES, Layers

from contenders import Contender

Arrays = list[NDArray[np.float32]]


class TutorialLoop(Contender):
    """A network as lists of arrays."""

    def prepare(self, images: NDArray[np.uint8], classes: NDArray[np.int64]) -> None:
        self.examples = images[:, :, None] / np.float32(255.0)  # (n_samples, 784, 1)
        self.targets = np.eye(N_CLASSES, dtype=np.float32)[classes][:, :, None]
        self.weights = [W.T.copy() for W, _ in self.workload.start()]
        self.biases = [b[:, None].copy() for _, b in self.workload.start()]
        self.means = [np.zeros_like(array) for array in self.weights + self.biases]
        self.squares = [np.zeros_like(array) for array in self.weights + self.biases]
        self.steps = 0

    def layers(self) -> Layers:
        return [(W.T, b[:, 0]) for W, b in zip(self.weights, self.biases, strict=True)]

    def train(self) -> None:
        for batch in self.workload.batches(self.rng.permutation(len(self.examples))):
            sums = [np.zeros_like(array) for array in self.weights + self.biases]
            for i in batch:
                gradients = self.backpropagate(self.examples[i], self.targets[i])
                sums = [total + gradient for total, gradient in zip(sums, gradients, strict=True)]
            self.step([total / np.float32(len(batch)) for total in sums])

    def backpropagate(self, x: NDArray[np.float32], target: NDArray[np.float32]) -> Arrays:
        """The gradient of one example by every weight matrix, then by every bias."""
        relu, activations = self.workload.activation == "relu", [x]
        for l, (W, b) in enumerate(zip(self.weights, self.biases, strict=True)):
            z = W @ activations[-1] + b
            if l == len(self.weights) - 1:
                powers = np.exp(z - z.max())
                activations.append(powers / powers.sum())
            else:
                activations.append(np.maximum(z, 0.0) if relu else 1.0 / (1.0 + np.exp(-z)))
        deltas = [activations[-1] - target]
        for l in range(len(self.weights) - 1, 0, -1):
            a = activations[l]
            deltas.insert(0, (self.weights[l].T @ deltas[0]) * ((a > 0.0) if relu else a * (1.0 - a)))
        return [delta @ a.T for delta, a in zip(deltas, activations, strict=False)] + deltas

    def step(self, gradients: Arrays) -> None:
        """SGD, momentum or Adam, an array at a time."""
        self.steps += 1
        rate = self.workload.learning_rate
        for i, (array, gradient) in enumerate(zip(self.weights + self.biases, gradients, strict=True)):
            if self.workload.optimizer == "sgd":
                array -= rate * gradient
            elif self.workload.optimizer == "momentum":
                self.means[i] = MOMENTUM * self.means[i] + gradient
                array -= rate * self.means[i]
            else:
                self.means[i] = 0.9 * self.means[i] + 0.1 * gradient
                self.squares[i] = 0.999 * self.squares[i] + 0.001 * gradient**2
                mean = self.means[i] / (1.0 - 0.9**self.steps)
                square = self.squares[i] / (1.0 - 0.999**self.steps)
                array -= rate * mean / (np.sqrt(square) + 1e-8)
