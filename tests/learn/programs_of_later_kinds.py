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

KINDS = {
    "named_numbers": NAMED_NUMBERS,
    "tables": TABLES,
    "passed_by_place": PASSED_BY_PLACE,
    "given_gradient": GIVEN_GRADIENT,
}
