"""A neural network on one page, in plain NumPy: how it answers, how it learns, and how it comes to read digits.

    python examples/one_page.py FOLDER      where FOLDER (or $DELTARULE_DATA) holds MNIST's four .gz files

A sample is a row. Layer l turns the activations of the layer before it into its own, a = sigma(z), from its weighted
input z = (activations before) W + b. The loss C says how wrong the last activations are, on average over the samples.
delta = dC/dz is the error of a layer: where it pushes z, and by how much. Learning is finding every layer's delta, from
the last to the first, and moving every weight and bias a little against its derivative.
"""

import gzip
import os
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np


def new_network(layer_sizes, rng):
    """weights[l] (fan_in, fan_out), random and small enough that signals neither fade nor grow; biases[l] (fan_out,)."""
    weights = [rng.normal(0, np.sqrt(2 / fan_in), (fan_in, fan_out)) for fan_in, fan_out in pairwise(layer_sizes)]
    biases = [np.zeros(fan_out) for fan_out in layer_sizes[1:]]
    return [W.astype(np.float32) for W in weights], [b.astype(np.float32) for b in biases]


def relu(z):
    """sigma of the hidden layers: a neuron passes on what is positive. Its derivative, sigma', is 1 there and else 0."""
    return np.maximum(z, 0)


def softmax(z):
    """sigma of the last layer: positive and summing to 1, so one probability for each digit."""
    e = np.exp(z - z.max(axis=1, keepdims=True))  # the same quotient, and no overflow
    return e / e.sum(axis=1, keepdims=True)


def forward(weights, biases, X):
    """z[l] and a[l] of every layer, (batch, fan_out), for X (batch, inputs)."""
    z, a = [], []
    for W, b in zip(weights, biases, strict=True):
        z.append((a[-1] if a else X) @ W + b)
        a.append(relu(z[-1]))
    a[-1] = softmax(z[-1])
    return z, a


def cross_entropy(probabilities, y):
    """C: the surprise at the right answers y (batch,), -ln of the probability that each was given, on average."""
    return -np.log(probabilities[np.arange(len(y)), y]).mean()


def backward(weights, X, y, z, a):
    """dC/dW and dC/db of every layer: the four equations of backpropagation."""
    dW, db = [None] * len(weights), [None] * len(weights)
    t = np.eye(a[-1].shape[1], dtype=X.dtype)[y]  # the answers as probabilities: 1 for the right digit, else 0
    delta = (a[-1] - t) / len(y)  #                              BP1  dC/da * sigma'(z), which comes to this
    for l in reversed(range(len(weights))):
        db[l] = delta.sum(axis=0)  #                             BP3  each sample pulls at the bias with its error,
        dW[l] = (a[l - 1] if l else X).T @ delta  #              BP4  and at a weight in proportion to its input
        if l:
            delta = (delta @ weights[l].T) * (z[l - 1] > 0)  #   BP2  an error goes back the way that it came
    return dW, db


def learn(weights, biases, X, y, learning_rate):
    """One step of gradient descent on one batch; returns the loss before it."""
    z, a = forward(weights, biases, X)
    for parameters, gradients in zip((weights, biases), backward(weights, X, y, z, a), strict=True):
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter -= learning_rate * gradient
    return cross_entropy(a[-1], y)


def accuracy(weights, biases, X, y):
    """The share of samples whose most probable digit is the right one."""
    return (forward(weights, biases, X)[1][-1].argmax(axis=1) == y).mean()


def read_idx(folder, name):
    """An IDX file: 4 bytes of which the last counts the axes, the length of each axis in 4 bytes, then the numbers."""
    raw = gzip.decompress(next(Path(folder).rglob(f"{name}-ubyte.gz")).read_bytes())
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * raw[3]).reshape(np.frombuffer(raw, ">u4", raw[3], offset=4))


def main(folder, layer_sizes=(784, 100, 10), epochs=8, batch_size=32, learning_rate=0.1, seed=0):
    X, X_test = (read_idx(folder, f"{name}-images-idx3").reshape(-1, 784) / np.float32(255) for name in ("train", "t10k"))
    y, y_test = (read_idx(folder, f"{name}-labels-idx1") for name in ("train", "t10k"))
    rng = np.random.default_rng(seed)
    weights, biases = new_network(layer_sizes, rng)
    print(f"before training: {accuracy(weights, biases, X_test, y_test):.2%} of the test images are read")
    for epoch in range(1, epochs + 1):
        batches = np.split(rng.permutation(len(X)), range(batch_size, len(X), batch_size))
        loss = np.mean([learn(weights, biases, X[batch], y[batch], learning_rate) for batch in batches])
        print(f"epoch {epoch}: loss {loss:.4f}, {accuracy(weights, biases, X_test, y_test):.2%}")
    return accuracy(weights, biases, X_test, y_test)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else os.environ["DELTARULE_DATA"])
