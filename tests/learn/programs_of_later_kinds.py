"""Programs of kinds that public ones had later, in our own words: all of them right as they stand here."""

NAMED_NUMBERS = """\
import numpy as np

def squash(x):
    return 1 / (1 + np.exp(-x))

class Tiny:
    def __init__(self):
        self.w1, self.w2 = np.random.normal(), np.random.normal()
        self.w3, self.w4 = np.random.normal(), np.random.normal()
        self.w5, self.w6 = np.random.normal(), np.random.normal()
        self.b1, self.b2, self.b3 = np.random.normal(), np.random.normal(), np.random.normal()

    def learn(self, rows, wanted):
        rate = 0.2
        for row, y in zip(rows, wanted):
            z1 = self.w1 * row[0] + self.w2 * row[1] + self.b1
            h1 = squash(z1)
            z2 = self.w3 * row[0] + self.w4 * row[1] + self.b2
            h2 = squash(z2)
            z3 = self.w5 * h1 + self.w6 * h2 + self.b3
            out = squash(z3)
            d_out = 2 * (out - y) * out * (1 - out)
            d_h1 = d_out * self.w5 * h1 * (1 - h1)
            d_h2 = d_out * self.w6 * h2 * (1 - h2)
            self.w1 -= rate * d_h1 * row[0]
            self.w2 -= rate * d_h1 * row[1]
            self.b1 -= rate * d_h1
            self.w3 -= rate * d_h2 * row[0]
            self.w4 -= rate * d_h2 * row[1]
            self.b2 -= rate * d_h2
            self.w5 -= rate * d_out * h1
            self.w6 -= rate * d_out * h2
            self.b3 -= rate * d_out

rows = np.array([[0.5, -1.0], [2.0, 1.5], [-1.0, 0.5]])
wanted = np.array([1, 0, 1])
tiny = Tiny()
for epoch in range(100):
    tiny.learn(rows, wanted)
"""

TABLES = """\
import numpy as np
import pandas as pd

class Net:
    def __init__(self, sizes):
        self.W1 = np.random.randn(sizes[0], sizes[1])
        self.W2 = np.random.randn(sizes[1], sizes[-1])

    def fit(self, X, y, rate=0.1, epochs=10):
        X, y = X.values, y.to_numpy(dtype=float)
        for epoch in range(epochs):
            h = np.tanh(X @ self.W1)
            out = h @ self.W2
            delta = (out - y) / len(X)
            back = delta @ self.W2.T * (1 - h ** 2)
            self.W2 -= rate * h.T @ delta
            self.W1 -= rate * X.T @ back

frame = pd.read_csv("rows.csv")
net = Net([4, 6, 1])
net.fit(frame.iloc[:, :-1], frame.iloc[:, -1:])
"""

PASSED_BY_PLACE = """\
import numpy as np

def squash(x):
    return 1 / (1 + np.exp(-x))

def train(inputs, outputs, weights_input_hidden, weights_hidden_output, learning_rate, num_epochs):
    for epoch in range(num_epochs):
        hidden = squash(inputs @ weights_input_hidden)
        answer = squash(hidden @ weights_hidden_output)
        error = outputs - answer
        term = error * answer * (1 - answer)
        back = term @ weights_hidden_output.T * hidden * (1 - hidden)
        weights_hidden_output += learning_rate * hidden.T @ term / len(inputs)
        weights_input_hidden += learning_rate * inputs.T @ back / len(inputs)
    return weights_input_hidden, weights_hidden_output
"""

PASSED_IN_A_DICT = """\
import numpy as np
import helpers

def propagate_forward(x, y, parameters):
    w1, b1 = parameters["w1"], parameters["b1"]
    w2, b2 = parameters["w2"], parameters["b2"]
    a1 = helpers.relu(w1 @ x + b1)
    a2 = helpers.sigmoid(w2 @ a1 + b2)
    cost = -np.mean(np.sum(y * np.log(a2) + (1 - y) * np.log(1 - a2), axis=0))
    cache = (a1, w1, b1, a2, w2, b2)
    return cost, cache

def propagate_backward(x, y, cache):
    a1, w1, b1, a2, w2, b2 = cache
    m = x.shape[1]
    dz2 = a2 - y
    dw2, db2 = dz2 @ a1.T / m, dz2.sum(axis=1, keepdims=True) / m
    dz1 = (w2.T @ dz2) * (a1 > 0)
    dw1, db1 = dz1 @ x.T / m, dz1.sum(axis=1, keepdims=True) / m
    return {"dw1": dw1, "db1": db1, "dw2": dw2, "db2": db2}
"""

COST_PRIME = """\
import numpy as np

class Net:
    def __init__(self):
        self.W1 = np.random.randn(2, 3)
        self.W2 = np.random.randn(3, 1)

    def forward(self, X):
        self.h = self.squash(X @ self.W1)
        return self.squash(self.h @ self.W2)

    def squash(self, z):
        return 1 / (1 + np.exp(-z))

    def cost(self, X, y):
        return 0.5 * np.sum((y - self.forward(X)) ** 2)

    def cost_prime(self, X, y):
        out = self.forward(X)
        delta = -(y - out) * out * (1 - out)
        dW2 = self.h.T @ delta
        back = delta @ self.W2.T * self.h * (1 - self.h)
        return X.T @ back, dW2
"""

GIVEN_GRADIENT = """\
import numpy as np

class Act:
    def relu(x):
        return np.maximum(0, x)

class Layer:
    def __init__(self, in_size, out_size, activation="relu"):
        self.W, self.b = np.random.randn(in_size, out_size), np.zeros(out_size)
        self.activation = activation

    def forward(self, x):
        self.x, self.z = x, x @ self.W + self.b
        return Act.relu(self.z) if self.activation == "relu" else self.z

    def backward(self, grad):
        grad = grad * (self.z > 0) if self.activation == "relu" else grad
        self.dW, self.db = self.x.T @ grad, grad.sum(axis=0)
        return grad @ self.W.T

class Net:
    def __init__(self, in_size, hidden_sizes, out_size):
        sizes = [in_size, *hidden_sizes, out_size]
        names = ["relu"] * len(hidden_sizes) + ["linear"]
        self.layers = [Layer(n, m, name) for n, m, name in zip(sizes, sizes[1:], names)]

    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, grad):
        for layer in reversed(self.layers):
            grad = layer.backward(grad)

    def update(self, lr):
        for layer in self.layers:
            layer.W -= lr * layer.dW
            layer.b -= lr * layer.db
"""

WHOLE_NUMBERS = """\
import numpy as np

def squash(z):
    return 1 / (1 + np.exp(-z))

def make_weights():
    return {
        "W1": np.array([[1, -2], [-1, 3], [2, 1]]), "b1": np.array([[1], [0], [-1]]),
        "W2": np.array([[2, -1, 1]]), "b2": np.array([[1]]),
    }

def main():
    weights = make_weights()
    x, y = np.array([[2], [1]]), np.array([[0]])
    a1 = squash(np.dot(weights["W1"], x) + weights["b1"])
    a2 = squash(np.dot(weights["W2"], a1) + weights["b2"])
    dz2 = (a2 - y) * a2 * (1 - a2)
    dW2, db2 = np.dot(dz2, a1.T), dz2.sum(axis=1, keepdims=True)
    dz1 = np.dot(weights["W2"].T, dz2) * a1 * (1 - a1)
    dW1, db1 = np.dot(dz1, x.T), dz1.sum(axis=1, keepdims=True)
    print(dW1, db1, dW2, db2)

if __name__ == "__main__":
    main()
"""

TYPED = """\
import numpy as np

def squash(z):
    return 1 / (1 + np.exp(-z))

rows, wanted = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), np.array([[0], [1], [1], [1]])
first, second = float(input("first: ")), float(input("second: "))
third, last = float(input("third: ")), float(input("last: "))
W1, b1 = np.array([[first, second], [third, last]]), np.array([[float(input("b: ")), 0.5]])
W2, b2 = np.array([[float(input("w: "))], [float(input("v: "))]]), np.array([[0.1]])
rate, rounds = float(input("rate: ")), int(input("rounds: "))

for _ in range(rounds):
    hidden = squash(rows @ W1 + b1)
    answer = squash(hidden @ W2 + b2)
    d2 = (wanted - answer) * answer * (1 - answer)
    d1 = (d2 @ W2.T) * hidden * (1 - hidden)
    W2 += rate * hidden.T @ d2
    b2 += rate * d2.sum(axis=0, keepdims=True)
    W1 += rate * rows.T @ d1
    b1 += rate * d1.sum(axis=0, keepdims=True)
"""

ALL_OF_A_MODULE = """\
from common.layers import *

class Net:
    def __init__(self, n_in, n_hidden, n_out):
        self.params = {"W1": 0.1 * np.random.randn(n_in, n_hidden), "b1": np.zeros(n_hidden)}
        self.params |= {"W2": 0.1 * np.random.randn(n_hidden, n_out), "b2": np.zeros(n_out)}

    def gradient(self, x, t):
        W1, b1, W2, b2 = (self.params[key] for key in ("W1", "b1", "W2", "b2"))
        z1 = x @ W1 + b1
        a1 = sigmoid(z1)
        dz2 = (softmax(a1 @ W2 + b2) - t) / len(x)
        dz1 = sigmoid_grad(z1) * (dz2 @ W2.T)
        return {"W1": x.T @ dz1, "b1": dz1.sum(axis=0), "W2": a1.T @ dz2, "b2": dz2.sum(axis=0)}
"""

WITH_VALIDATION = """\
import numpy as np

class Net:
    def __init__(self, sizes):
        self.W = [np.random.randn(m, n) for n, m in zip(sizes, sizes[1:])]
        self.b = [np.random.randn(m, 1) for m in sizes[1:]]

    def fit(self, training_data, validation_data, epochs, rate):
        kept = list(validation_data)
        for _ in range(epochs):
            for x, y in training_data:
                self.learn(x, y, rate)
            print(len(kept))

    def learn(self, x, y, rate):
        a = [x]
        for W, b in zip(self.W, self.b):
            a.append(1 / (1 + np.exp(-(W @ a[-1] + b))))
        delta = (a[-1] - y) * a[-1] * (1 - a[-1])
        for l in range(len(self.W) - 1, -1, -1):
            back = self.W[l].T @ delta
            self.W[l] = self.W[l] - rate * delta @ a[l].T
            self.b[l] = self.b[l] - rate * delta
            delta = back * a[l] * (1 - a[l])
"""

ONE_BY_ONE = """\
import numpy as np

class Part:
    def __init__(self, n_in, n_out, kind):
        self.weights, self.bias, self.kind = np.random.rand(n_in, n_out), np.random.rand(n_out), kind

    def forward(self, x):
        z = x @ self.weights + self.bias
        self.out = np.where(z > 0, z, 0.01 * z) if self.kind == "leaky" else 1 / (1 + np.exp(-z))
        return self.out

    def slope(self):
        return np.where(self.out > 0, 1, 0.01) if self.kind == "leaky" else self.out * (1 - self.out)

class Net:
    def __init__(self):
        self.parts = [Part(4, 6, "sigmoid"), Part(6, 1, "leaky")]

    def learn(self, x, y, rate):
        out = x
        for part in self.parts:
            out = part.forward(out)
        for n in reversed(range(len(self.parts))):
            part = self.parts[n]
            is_last = part == self.parts[-1]
            error = y - out if is_last else self.parts[n + 1].weights @ self.parts[n + 1].delta
            part.delta = error * part.slope()
        for n, part in enumerate(self.parts):
            before = np.atleast_2d(x if n == 0 else self.parts[n - 1].out)
            part.weights += part.delta * before.T * rate
            part.bias += part.delta * rate

rows = np.random.rand(20, 4)
wanted = rows.sum(axis=1)
net = Net()
for x, y in zip(rows, wanted):
    net.learn(x, y, 0.1)
"""

ONE_OUTPUT = """\
import numpy as np

def init_params(n_x, n_h, n_y):
    return {"W1": np.random.randn(n_h, n_x), "b1": np.zeros((n_h, 1)),
            "W2": np.random.randn(n_y, n_h), "b2": np.zeros((n_y, 1))}

def forward_prop(X, params):
    A1 = np.tanh(params["W1"] @ X + params["b1"])
    A2 = 1 / (1 + np.exp(-(params["W2"] @ A1 + params["b2"])))
    assert A2.shape == (1, X.shape[1])
    return A2, {"A1": A1, "A2": A2}

def backward_prop(params, cache, X, Y):
    m = X.shape[1]
    dZ2 = cache["A2"] - Y
    dW2, dZ1 = dZ2 @ cache["A1"].T / m, params["W2"].T @ dZ2 * (1 - cache["A1"] ** 2)
    db2 = np.sum(dZ2, axis=1, keepdims=True) / m
    return {"dW1": dZ1 @ X.T / m, "db1": np.sum(dZ1, axis=1, keepdims=True) / m, "dW2": dW2, "db2": db2}
"""

LABELS_OF_A_TABLE = """\
import numpy as np

table = np.genfromtxt("rows.csv", delimiter=",")
X_train, y_train = table[:, :-1], table[:, -1]
y = table[:, -1]
W1, W2 = np.random.randn(X_train.shape[1], 6), np.random.randn(6, 3)

for _ in range(100):
    hidden = 1 / (1 + np.exp(-(X_train @ W1)))
    answer = 1 / (1 + np.exp(-(hidden @ W2)))
    error = y - answer
    d2 = error * answer * (1 - answer)
    d1 = d2 @ W2.T * hidden * (1 - hidden)
    W2 += 0.1 * hidden.T @ d2
    W1 += 0.1 * X_train.T @ d1

answer = 1 / (1 + np.exp(-(1 / (1 + np.exp(-(X_train @ W1))) @ W2)))
"""

AUTOENCODER = """\
import numpy as np
from sklearn.metrics import log_loss

def squash(z):
    return 1 / (1 + np.exp(-z))

class Autoencoder:
    def __init__(self, input_dim, hidden_dim, rate=0.1):
        self.W1, self.b1 = np.random.randn(input_dim, hidden_dim), np.zeros((1, hidden_dim))
        self.W2, self.b2 = np.random.randn(hidden_dim, input_dim), np.zeros((1, input_dim))
        self.rate = rate

    def train(self, X, epochs=10, batch_size=32):
        for epoch in range(epochs):
            order = np.random.permutation(len(X))
            X = X[order]
            for i in range(0, len(X), batch_size):
                batch = X[i : i + batch_size]
                hidden = squash(batch @ self.W1 + self.b1)
                output = squash(hidden @ self.W2 + self.b2)
                d_output = (output - batch) * output * (1 - output)
                d_hidden = d_output @ self.W2.T * hidden * (1 - hidden)
                self.W2 -= self.rate * hidden.T @ d_output
                self.b2 -= self.rate * d_output.sum(axis=0, keepdims=True)
                self.W1 -= self.rate * batch.T @ d_hidden
                self.b1 -= self.rate * d_hidden.sum(axis=0, keepdims=True)
            print(f"{epoch}: {log_loss(batch, output):.3f}")
"""

A_THOUSAND_SAMPLES = """\
import numpy as np
from sklearn import datasets

def make_rows(n, d):
    X, Y = datasets.make_classification(n_samples=n, n_features=d)
    return X.T, Y

N, D = 1000, 2
X, Y = make_rows(N, D)
X = np.vstack((X, np.ones((1, N))))
D += 1
W_hidden, W_out = np.random.rand(4, D), np.random.rand(1, 4)
for _ in range(50):
    for j in range(N):
        x = X[:, j].reshape(D, 1)
        hidden = np.tanh(W_hidden @ x)
        out = np.tanh(W_out @ hidden)
        d_out = (out - Y[j]) * (1 - out ** 2)
        d_hidden = W_out.T @ d_out * (1 - hidden ** 2)
        W_out -= 0.01 * d_out @ hidden.T
        W_hidden -= 0.01 * d_hidden @ x.T
"""

FILLED_TARGETS = """\
import numpy as np

X = np.array([[0.1, 0.2, 0.3, 0.9], [0.5, 0.1, 0.8, 0.4], [0.9, 0.6, 0.2, 0.3], [0.3, 0.8, 0.7, 0.5]])
y = np.array([0, 1, 2, 1])
T = np.zeros((4, 3))
T[np.arange(4), y] = 1
W1, W2 = np.random.randn(4, 6), np.random.randn(6, 3)
for _ in range(100):
    a1 = np.tanh(X @ W1)
    e = np.exp(a1 @ W2)
    p = e / e.sum(axis=1, keepdims=True)
    d2 = (p - T) / len(X)
    d1 = d2 @ W2.T * (1 - a1 ** 2)
    W2 -= 0.1 * a1.T @ d2
    W1 -= 0.1 * X.T @ d1
"""

LISTS_OF_NUMBERS = """\
import random
from math import exp

weights_hidden = [random.uniform(-1, 1) for _ in range(4)]
weights_output = [random.uniform(-1, 1) for _ in range(2)]
bias_output = random.uniform(-1, 1)

def squash(z):
    return 1 / (1 + exp(-z))

for _ in range(50):
    for x, y, wanted in [(0.1, 0.9, 1), (0.8, 0.3, 0)]:
        hidden = [squash(x * weights_hidden[2 * i] + y * weights_hidden[2 * i + 1]) for i in range(2)]
        answer = squash(hidden[0] * weights_output[0] + hidden[1] * weights_output[1] + bias_output)
        delta = (answer - wanted) * answer * (1 - answer)
        for i in range(2):
            weights_output[i] -= 0.5 * delta * hidden[i]
        bias_output -= 0.5 * delta
"""

KINDS = {
    "named_numbers": NAMED_NUMBERS,
    "tables": TABLES,
    "passed_by_place": PASSED_BY_PLACE,
    "given_gradient": GIVEN_GRADIENT,
}
