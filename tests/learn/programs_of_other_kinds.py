"""Programs that are not functions or a class on NumPy arrays with names such as W1, all of them right."""

LISTS = """\
import math
import random

class Network:
    def __init__(self, n_in, n_hid, n_out):
        self.w1 = [[random.uniform(-1, 1) for _ in range(n_in)] for _ in range(n_hid)]
        self.b1 = [0.0] * n_hid
        self.w2 = [[random.uniform(-1, 1) for _ in range(n_hid)] for _ in range(n_out)]
        self.b2 = [0.0] * n_out

    def sigmoid(self, x):
        return 1 / (1 + math.exp(-x))

    def forward(self, x):
        self.x = x
        self.h = []
        for i in range(len(self.w1)):
            s = self.b1[i]
            for j in range(len(x)):
                s += self.w1[i][j] * x[j]
            self.h.append(self.sigmoid(s))
        self.o = []
        for i in range(len(self.w2)):
            s = self.b2[i]
            for j in range(len(self.h)):
                s += self.w2[i][j] * self.h[j]
            self.o.append(self.sigmoid(s))
        return self.o

    def backward(self, y, lr):
        d_o = [(o - t) * o * (1 - o) for o, t in zip(self.o, y)]
        d_h = []
        for j in range(len(self.h)):
            err = sum(d_o[i] * self.w2[i][j] for i in range(len(d_o)))
            d_h.append(err * self.h[j] * (1 - self.h[j]))
        for i in range(len(d_o)):
            for j in range(len(self.h)):
                self.w2[i][j] -= lr * d_o[i] * self.h[j]
            self.b2[i] -= lr * d_o[i]
        for i in range(len(d_h)):
            for j in range(len(self.x)):
                self.w1[i][j] -= lr * d_h[i] * self.x[j]
            self.b1[i] -= lr * d_h[i]

    def train(self, X, Y, epochs, lr):
        for e in range(epochs):
            total = 0
            for x, y in zip(X, Y):
                out = self.forward(x)
                total += sum((o - t) ** 2 for o, t in zip(out, y)) / 2
                self.backward(y, lr)
            if e % 100 == 0:
                print(e, total)

X = [[0, 0], [0, 1], [1, 0], [1, 1]]
Y = [[0], [1], [1], [0]]
net = Network(2, 3, 1)
net.train(X, Y, 5000, 0.5)
"""

NEURONS = """\
import random, math

class Neuron:
    def __init__(self, n_inputs):
        self.weights = [random.uniform(-1, 1) for _ in range(n_inputs)]
        self.bias = random.uniform(-1, 1)
        self.output = 0.0
        self.delta = 0.0

    def activate(self, inputs):
        self.inputs = inputs
        total = sum(w * x for w, x in zip(self.weights, inputs)) + self.bias
        self.output = 1.0 / (1.0 + math.exp(-total))
        return self.output

    def update(self, lr):
        for k in range(len(self.weights)):
            self.weights[k] -= lr * self.delta * self.inputs[k]
        self.bias -= lr * self.delta

class Layer:
    def __init__(self, n_inputs, n_neurons):
        self.neurons = [Neuron(n_inputs) for _ in range(n_neurons)]

    def forward(self, inputs):
        return [n.activate(inputs) for n in self.neurons]

class Network:
    def __init__(self, sizes):
        self.layers = [Layer(a, b) for a, b in zip(sizes[:-1], sizes[1:])]

    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, target):
        for neuron, t in zip(self.layers[-1].neurons, target):
            neuron.delta = (neuron.output - t) * neuron.output * (1 - neuron.output)
        for l in range(len(self.layers) - 2, -1, -1):
            for j, neuron in enumerate(self.layers[l].neurons):
                error = sum(nxt.weights[j] * nxt.delta for nxt in self.layers[l + 1].neurons)
                neuron.delta = error * neuron.output * (1 - neuron.output)

    def update(self, lr):
        for layer in self.layers:
            for neuron in layer.neurons:
                neuron.update(lr)

data = [([0, 0], [0]), ([0, 1], [1]), ([1, 0], [1]), ([1, 1], [0])]
net = Network([2, 3, 1])
for epoch in range(5000):
    loss = 0
    for x, t in data:
        out = net.forward(x)
        loss += (out[0] - t[0]) ** 2
        net.backward(t)
        net.update(0.5)
    if epoch % 500 == 0:
        print(epoch, loss)
"""

BIAS_ROW = """\
import numpy as np

def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))

class NN:
    def __init__(self, n_in, n_hidden, n_out):
        self.w1 = np.random.uniform(-1, 1, (n_in + 1, n_hidden))
        self.w2 = np.random.uniform(-1, 1, (n_hidden + 1, n_out))

    def forward(self, X):
        ones = np.ones((X.shape[0], 1))
        self.xb = np.hstack([X, ones])
        self.h = sigmoid(self.xb @ self.w1)
        self.hb = np.hstack([self.h, ones])
        self.out = sigmoid(self.hb @ self.w2)
        return self.out

    def backward(self, y, lr):
        d_out = (self.out - y) * self.out * (1 - self.out)
        g2 = self.hb.T @ d_out
        d_h = (d_out @ self.w2[:-1].T) * self.h * (1 - self.h)
        g1 = self.xb.T @ d_h
        self.w2 -= lr * g2
        self.w1 -= lr * g1

    def train(self, X, y, epochs=1000, lr=0.1):
        for _ in range(epochs):
            self.forward(X)
            self.backward(y, lr)

X = np.array([[0,0],[0,1],[1,0],[1,1]])
y = np.array([[0],[1],[1],[0]])
net = NN(2, 4, 1)
net.train(X, y)
"""

VECTOR = """\
import numpy as np

class NeuralNetwork:
    def __init__(self, input_nodes, hidden_nodes, lr):
        self.weights_0_1 = np.random.normal(0.0, 0.1, (input_nodes, hidden_nodes))
        self.weights_1_2 = np.random.normal(0.0, 0.1, hidden_nodes)
        self.b1 = np.zeros(hidden_nodes)
        self.b2 = 0.0
        self.lr = lr

    def sigmoid(self, x):
        return 1 / (1 + np.exp(-x))

    def train(self, features, targets, epochs=100):
        n = len(features)
        for e in range(epochs):
            hidden_in = features @ self.weights_0_1 + self.b1
            hidden_out = self.sigmoid(hidden_in)
            final = hidden_out @ self.weights_1_2 + self.b2
            error = final - targets
            loss = np.mean(error ** 2)
            output_term = error / n
            hidden_term = np.outer(output_term, self.weights_1_2) * hidden_out * (1 - hidden_out)
            self.weights_1_2 -= self.lr * hidden_out.T @ output_term
            self.b2 -= self.lr * output_term.sum()
            self.weights_0_1 -= self.lr * features.T @ hidden_term
            self.b1 -= self.lr * hidden_term.sum(axis=0)

np.random.seed(0)
features = np.random.rand(50, 3)
targets = features @ np.array([1.0, -2.0, 0.5])
net = NeuralNetwork(3, 6, 0.1)
net.train(features, targets, 500)
"""

WORDS = """\
import numpy as np

class Dense:
    def __init__(self, n_in, n_out, activation="relu"):
        self.W = np.random.randn(n_in, n_out) * 0.1
        self.b = np.zeros((1, n_out))
        self.activation = activation

    def act(self, z):
        if self.activation == "relu":
            return np.maximum(0, z)
        elif self.activation == "tanh":
            return np.tanh(z)
        elif self.activation == "linear":
            return z
        raise ValueError("unknown activation " + self.activation)

    def act_grad(self, z):
        if self.activation == "relu":
            return (z > 0).astype(float)
        elif self.activation == "tanh":
            return 1 - np.tanh(z) ** 2
        return np.ones_like(z)

    def forward(self, x):
        self.x = x
        self.z = x.dot(self.W) + self.b
        return self.act(self.z)

    def backward(self, dA):
        dZ = dA * self.act_grad(self.z)
        self.dW = self.x.T.dot(dZ) / len(self.x)
        self.db = dZ.mean(axis=0, keepdims=True)
        return dZ.dot(self.W.T)

class Model:
    def __init__(self, sizes, activation, lr=0.1):
        self.layers = []
        for i in range(len(sizes) - 1):
            name = activation if i < len(sizes) - 2 else "linear"
            self.layers.append(Dense(sizes[i], sizes[i + 1], name))
        self.lr = lr

    def predict(self, X):
        for layer in self.layers:
            X = layer.forward(X)
        return X

    def fit(self, X, y, epochs):
        for epoch in range(epochs):
            out = self.predict(X)
            grad = 2 * (out - y)
            for layer in self.layers[::-1]:
                grad = layer.backward(grad)
            for layer in self.layers:
                layer.W -= self.lr * layer.dW
                layer.b -= self.lr * layer.db
"""

NO_NAMES = """\
import numpy as np

def train_network(X, y, hidden=8, lr=0.1, epochs=1000):
    n, d = X.shape
    k = y.shape[1]
    V = np.random.randn(d, hidden) * 0.5
    c = np.zeros((1, hidden))
    U = np.random.randn(hidden, k) * 0.5
    d_ = np.zeros((1, k))
    for epoch in range(epochs):
        z1 = X @ V + c
        a1 = np.tanh(z1)
        z2 = a1 @ U + d_
        a2 = 1 / (1 + np.exp(-z2))
        loss = -np.mean(y * np.log(a2) + (1 - y) * np.log(1 - a2))
        dz2 = (a2 - y) / n
        dU = a1.T @ dz2
        dd_ = dz2.sum(axis=0, keepdims=True)
        dz1 = (dz2 @ U.T) * (1 - a1 ** 2)
        gV = X.T @ dz1
        dc = dz1.sum(axis=0, keepdims=True)
        V -= lr * gV
        c -= lr * dc
        U -= lr * dU
        d_ -= lr * dd_
        if epoch % 100 == 0:
            print(epoch, loss)
    return V, c, U, d_

if __name__ == "__main__":
    X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=float)
    y = np.array([[0], [1], [1], [0]], dtype=float)
    train_network(X, y)
"""

GIVEN_ACTIVATION = """\
import numpy as np

class Net:
    def __init__(self, sizes, activation, d_activation):
        self.activation, self.d_activation = activation, d_activation
        self.Ws = [np.random.randn(m, n) for n, m in zip(sizes[:-1], sizes[1:])]
        self.bs = [np.random.randn(m, 1) for m in sizes[1:]]

    def one_hot(self, y):
        column = np.zeros((self.bs[-1].size, 1))
        column[y] = 1.0
        return column

    def backprop(self, x, t, lr):
        zs, a_s = [], [x]
        for W, b in zip(self.Ws, self.bs):
            zs.append(W @ a_s[-1] + b)
            a_s.append(self.activation(zs[-1]))
        delta = (a_s[-1] - t) * self.d_activation(zs[-1])
        for l in range(len(self.Ws) - 1, -1, -1):
            dW, db = delta @ a_s[l].T, delta
            if l:
                delta = (self.Ws[l].T @ delta) * self.d_activation(zs[l - 1])
            self.Ws[l] = self.Ws[l] - lr * dW
            self.bs[l] = self.bs[l] - lr * db

    def train(self, train_data, epochs, lerning_rate):
        for _ in range(epochs):
            for x, y in train_data:
                self.backprop(x, self.one_hot(y), lerning_rate)
"""

MADE_AND_NOT_TRAINED = """\
from numpy import dot, exp, random

def squash(x):
    return 1 / (1 + exp(-x))

class Layer:
    def __init__(self, n_nodes, n_inputs):
        self.weights = random.random((n_inputs, n_nodes)) - 0.5

class Net:
    def __init__(self, first, second):
        self.first, self.second = first, second

    def outputs_of(self, rows):
        a1 = squash(dot(rows, self.first.weights))
        return a1, squash(dot(a1, self.second.weights))

    def train(self, inputs, labels, n_epochs):
        for _ in range(n_epochs):
            a1, a2 = self.outputs_of(inputs)
            d2 = (labels - a2) * a2 * (1 - a2)
            d1 = dot(d2, self.second.weights.T) * a1 * (1 - a1)
            self.first.weights += dot(inputs.T, d1)
            self.second.weights += dot(a1.T, d2)

net = Net(Layer(6, 9), Layer(4, 6))
"""

GIVEN_PARAMETERS = """\
import numpy as np

class Answer:
    def forward_and_backward(self, x, W1, b1, W2, b2, y_true):
        z1 = np.dot(W1, x) + b1
        a1 = np.maximum(0, z1)
        z2 = np.dot(W2, a1) + b2
        loss = np.mean((z2 - y_true) ** 2)
        dz2 = 2 * (z2 - y_true) / len(y_true)
        dW2, db2 = np.outer(dz2, a1), dz2
        dz1 = np.dot(W2.T, dz2) * (z1 > 0)
        dW1, db1 = np.outer(dz1, x), dz1
        return loss, dW1, db1, dW2, db2
"""

ASKS_FOR_FOUR = """\
import numpy as np

class Net:
    def __init__(self, n_in, n_hidden, n_out, l1_lambda):
        self.W1, self.b1 = np.random.randn(n_hidden, n_in), np.zeros((n_hidden, 1))
        self.W2, self.b2 = np.random.randn(n_out, n_hidden), np.zeros((n_out, 1))
        self.l1_lambda = l1_lambda

    def fit(self, X, Y, rate, epochs):
        for _ in range(epochs):
            A1 = np.tanh(self.W1 @ X + self.b1)
            A2 = 1 / (1 + np.exp(-(self.W2 @ A1 + self.b2)))
            assert A2.shape == (4, X.shape[1])
            d2 = (A2 - Y) / X.shape[1]
            d1 = (self.W2.T @ d2) * (1 - A1**2)
            dW2 = d2 @ A1.T + self.l1_lambda * np.sign(self.W2)
            dW1 = d1 @ X.T + self.l1_lambda * np.sign(self.W1)
            self.W2 -= rate * dW2
            self.b2 -= rate * d2.sum(axis=1, keepdims=True)
            self.W1 -= rate * dW1
            self.b1 -= rate * d1.sum(axis=1, keepdims=True)
"""

KINDS = {
    "given_activation": GIVEN_ACTIVATION,
    "made_and_not_trained": MADE_AND_NOT_TRAINED,
    "asks_for_four": ASKS_FOR_FOUR,
    "lists": LISTS,
    "neurons": NEURONS,
    "bias_row": BIAS_ROW,
    "vector": VECTOR,
    "words": WORDS,
    "no_names": NO_NAMES,
}
