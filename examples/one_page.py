"""A neural network on one page of plain NumPy: how it answers, how it learns, and how it comes to read digits.

    python examples/one_page.py [FOLDER]    with MNIST's .gz files: deltarule data fetch mnist, or $DELTARULE_DATA/mnist

A sample is a row of numbers. Layer l takes what the layer before it says, a[l] (the data, for l = 0), weighs it into
z[l] = a[l] W + b, and says a[l + 1] = sigma(z[l]). The loss C tells how wrong the last layer is. delta = dC/dz is the
error of a layer: backpropagation finds it from the last layer to the first, and with it dC/dw and dC/db of all.
"""

import gzip
import os
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np


def new_network(layer_sizes, rng):
    """weights[l] (fan_in, fan_out), random, of a size that lets signals neither fade nor grow; biases[l] (fan_out,)."""
    weights = [rng.normal(0, np.sqrt(2 / fan_in), (fan_in, fan_out)) for fan_in, fan_out in pairwise(layer_sizes)]
    return [W.astype(np.float32) for W in weights], [np.zeros(fan_out, np.float32) for fan_out in layer_sizes[1:]]


def relu(z):
    """sigma of the hidden layers: what is positive passes. So sigma'(z) is 1 where z > 0, and 0 elsewhere."""
    return np.maximum(z, 0)


def softmax(z):
    """sigma of the last layer: numbers that are positive and sum to 1, so a probability for each digit."""
    powers = np.exp(z - z.max(axis=1, keepdims=True))  # minus the largest: the same quotient, and no overflow
    return powers / powers.sum(axis=1, keepdims=True)


def forward(weights, biases, X):
    """What X (batch, inputs) becomes: z[l] and a[l + 1] of every layer l, each (batch, fan_out); a[0] is X."""
    z, a = [], [X]
    for W, b, sigma in zip(weights, biases, [relu] * (len(weights) - 1) + [softmax], strict=True):
        z.append(a[-1] @ W + b)
        a.append(sigma(z[-1]))
    return z, a


def backward(weights, z, a, y):
    """dC/dW and dC/db of every layer: the four equations of backpropagation."""
    weight_gradients, bias_gradients = [None] * len(weights), [None] * len(weights)
    targets = np.eye(a[-1].shape[1], dtype=a[-1].dtype)[y]  # 1 for the right digit, 0 for the others
    delta = (a[-1] - targets) / len(y)  # BP1: dC/da * sigma'(z); for cross-entropy after softmax it comes to this
    for l in reversed(range(len(weights))):
        bias_gradients[l] = delta.sum(axis=0)  # BP3: every sample pulls at a bias with its error
        weight_gradients[l] = a[l].T @ delta  # BP4: and at a weight with its error times what came in
        if l > 0:
            delta = (delta @ weights[l].T) * (z[l - 1] > 0)  # BP2: an error goes back the way it came
    return weight_gradients, bias_gradients


def learn(weights, biases, X, y, learning_rate):
    """One step of descent on a batch: all parameters move against their derivatives. Returns the loss before it."""
    z, a = forward(weights, biases, X)
    weight_gradients, bias_gradients = backward(weights, z, a, y)
    for parameter, gradient in zip(weights + biases, weight_gradients + bias_gradients, strict=True):
        parameter -= learning_rate * gradient
    return -np.log(a[-1][np.arange(len(y)), y]).mean()  # C, the cross-entropy: the surprise at the right digits


def accuracy(weights, biases, X, y):
    """The share of samples whose most probable digit is the right one."""
    return np.mean(forward(weights, biases, X)[1][-1].argmax(axis=1) == y)


def read_mnist(folder, part):
    """X (samples, 784), pixels from 0 to 1, and y (samples,), digits; the files hold bytes behind a short header."""
    images = gzip.decompress((folder / f"{part}-images-idx3-ubyte.gz").read_bytes())[16:]
    labels = gzip.decompress((folder / f"{part}-labels-idx1-ubyte.gz").read_bytes())[8:]
    return np.frombuffer(images, np.uint8).reshape(-1, 784) / np.float32(255), np.frombuffer(labels, np.uint8)


def main(folder, hidden_sizes=(100,), epochs=5, batch_size=32, learning_rate=0.3, seed=0):
    try:
        X, y, X_test, y_test = *read_mnist(folder, "train"), *read_mnist(folder, "t10k")
    except FileNotFoundError:
        bundled = Path(__file__).parents[1] / "src" / "deltarule" / "data" / "digits.npz"
        why = f"MNIST is not in {folder}: run  deltarule data fetch mnist  and give the folder that it names"
        print(f"{why}. Until then, this reads 1,797 digits of 8x8 pixels", file=sys.stderr)
        digits = np.load(bundled) if bundled.exists() else sys.exit(f"They are not there: {bundled}")
        X, y = digits["cells"].reshape(-1, 64) / np.float32(16), digits["labels"]
        X, y, X_test, y_test = X[360:], y[360:], X[:360], y[:360]
    rng = np.random.default_rng(seed)
    weights, biases = new_network((X.shape[1], *hidden_sizes, 10), rng)
    print(f"before training: {accuracy(weights, biases, X_test, y_test):.2%} of the test images read rightly")
    for epoch in range(epochs):
        rate = learning_rate * (1 - epoch / epochs)  # smaller steps towards the end
        batches = np.split(rng.permutation(len(X)), range(batch_size, len(X), batch_size))
        loss = np.mean([learn(weights, biases, X[batch], y[batch], rate) for batch in batches])
        print(f"epoch {epoch + 1}: loss {loss:.4f}, {accuracy(weights, biases, X_test, y_test):.2%}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(os.environ.get("DELTARULE_DATA", "."), "mnist"))
