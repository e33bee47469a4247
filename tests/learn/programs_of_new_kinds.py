"""Programs of kinds that the check once could not run, in our own words: all of them right as they stand."""

# Names that tell nothing: what the program passes shows what they are.
PASSED_ON_CALL = """\
import numpy as np
import pandas as pd


class Netz:
    def __init__(self, breite, mitte, ende):
        masse = [breite] + mitte + [ende]
        self.gewichte = [np.random.randn(a, b) * np.sqrt(2 / a) for a, b in zip(masse, masse[1:])]
        self.bias = [np.zeros((1, b)) for b in masse[1:]]

    def vorwaerts(self, werte):
        self.stufen, self.summen = [werte], []
        for l, (w, b) in enumerate(zip(self.gewichte, self.bias)):
            self.summen.append(self.stufen[-1] @ w + b)
            self.stufen.append(self.summen[-1] if l == len(self.gewichte) - 1 else np.maximum(0, self.summen[-1]))
        return self.stufen[-1]

    def lerne(self, werte, wahrheit, runden, schritt):
        for runde in range(runden):
            fehler = (self.vorwaerts(werte) - wahrheit.reshape(-1, 1)) / len(werte)
            for l in reversed(range(len(self.gewichte))):
                dz = fehler if l == len(self.gewichte) - 1 else fehler * (self.summen[l] > 0)
                fehler = dz @ self.gewichte[l].T
                self.gewichte[l] -= schritt * self.stufen[l].T @ dz
                self.bias[l] -= schritt * dz.sum(axis=0, keepdims=True)


haus = pd.read_csv("haus.csv")
flaeche = haus.iloc[:, :-1].values
preis = haus.iloc[:, -1].values
netz = Netz(flaeche.shape[1], [4, 6], 1)
netz.lerne(flaeche, preis, 100, 0.01)
"""

# An object of a class that is not here; biases in the weights; one output for each sample.
ABSENT_CLASS = """\
import numpy as np
from our_codes import CodeBook


class Steps:
    def __init__(self, n_hidden=6):
        self.W1, self.W2, self.n_hidden, self.eta = None, None, n_hidden, 0.01
        self.codes = CodeBook(width=500, share=0.1)

    def fit(self, X, t):
        X = np.array([self.codes.row_to_code(x) for x in X])
        self.W1 = np.random.normal(0, 1, (self.n_hidden, X.shape[1] + 1))
        self.W2 = np.random.normal(0, 1, (1, self.n_hidden + 1))
        for turn in range(20):
            for i in range(len(X)):
                x = np.r_[1, X[i]]
                sums = np.dot(self.W1, x)
                h = np.r_[1, np.tanh(sums)]
                miss = np.dot(self.W2, h) - t[i]
                back = np.dot(self.W2.T, miss)[1:] * (1 - np.tanh(sums) ** 2)
                self.W2 -= self.eta * np.outer(miss, h)
                self.W1 -= self.eta * np.outer(back, x)
"""

# Weights as lists of lists, one number at a time.
LISTS_OF_LISTS = """\
import random

random.seed(3)
marks = [[1, 0, 1, 1], [0, 1, 1, 0], [1, 1, 0, 1]]
w1 = [[random.uniform(-0.5, 0.5) for _ in range(4)] for _ in range(5)]
b1 = [0 for _ in range(5)]
w2 = [[random.uniform(-0.5, 0.5) for _ in range(5)] for _ in range(3)]
b2 = [0 for _ in range(3)]
alpha = 0.01


def row_sums(values, weights, biases):
    out = []
    for i in range(len(weights)):
        total = 0
        for j in range(len(values)):
            total += values[j] * weights[i][j]
        out.append(total + biases[i])
    return out


for epoch in range(1000):
    for place in range(3):
        x = marks[place]
        goal = [0] * 3
        goal[place] = 1
        h = [max(0, v) for v in row_sums(x, w1, b1)]
        o = row_sums(h, w2, b2)
        errors = []
        for i in range(3):
            errors.append(o[i] - goal[i])
        back = [0] * 5
        for j in range(5):
            for i in range(3):
                back[j] += errors[i] * w2[i][j]
        for j in range(5):
            if h[j] == 0:
                back[j] = 0
        for i in range(3):
            for j in range(5):
                w2[i][j] -= alpha * errors[i] * h[j]
            b2[i] -= alpha * errors[i]
        for j in range(5):
            for k in range(4):
                w1[j][k] -= alpha * back[j] * x[k]
            b1[j] -= alpha * back[j]
"""

# A table that a block reads line by line, and weights whose names are those of biases.
TABLE = """\
import csv
import numpy as np
rows = []
with open('data/iris_numbers.csv') as f:
    for row in csv.reader(f):
        rows.append([float(v) for v in row])
table = np.array(rows)
inputs = table[:, :4] / 10
goals = np.eye(3)[table[:, 4].astype(int)]
def squash(v): return 1 / (1 + np.exp(-v))
A = np.random.randn(4, 6)
B = np.random.randn(6, 3)
for step in range(200):
    h = squash(inputs @ A)
    o = squash(h @ B)
    d2 = (o - goals) * o * (1 - o)
    d1 = d2 @ B.T * h * (1 - h)
    B -= 0.1 * h.T @ d2
    A -= 0.1 * inputs.T @ d1
"""

# Neurons as dicts, rows that end in their class, a file that is not here.
DICTS = """\
from math import exp
from random import random, seed
class Net:
    def __init__(self, n_in, n_hidden, n_out):
        self.hidden = [{"weights": [random() for _ in range(n_in + 1)]} for _ in range(n_hidden)]
        self.out = [{"weights": [random() for _ in range(n_hidden + 1)]} for _ in range(n_out)]
    def fire(self, weights, values):
        total = weights[-1]
        for i in range(len(weights) - 1):
            total += weights[i] * values[i]
        return 1.0 / (1.0 + exp(-total))
    def forward(self, row):
        values = row
        for layer in (self.hidden, self.out):
            new = []
            for neuron in layer:
                neuron["output"] = self.fire(neuron["weights"], values)
                new.append(neuron["output"])
            values = new
        return values
    def backward(self, expected):
        for k, neuron in enumerate(self.out):
            neuron["delta"] = (neuron["output"] - expected[k]) * neuron["output"] * (1 - neuron["output"])
        for j, neuron in enumerate(self.hidden):
            error = 0.0
            for other in self.out:
                error += other["weights"][j] * other["delta"]
            neuron["delta"] = error * neuron["output"] * (1 - neuron["output"])
    def update(self, row, rate):
        values = row[:-1]
        for layer in (self.hidden, self.out):
            for neuron in layer:
                for j in range(len(values)):
                    neuron["weights"][j] -= rate * neuron["delta"] * values[j]
                neuron["weights"][-1] -= rate * neuron["delta"]
            values = [neuron["output"] for neuron in layer]
    def train(self, rows, rate, n_epoch, n_out):
        for epoch in range(n_epoch):
            for row in rows:
                self.forward(row)
                expected = [0] * n_out
                expected[row[-1]] = 1
                self.backward(expected)
                self.update(row, rate)
def load(name):
    with open(name) as file:
        rows = [line.strip().split(";") for line in file]
    for row in rows:
        for i in range(len(row) - 1):
            row[i] = float(row[i]) / 10
        row[-1] = int(row[-1])
    return rows
if __name__ == "__main__":
    seed(1)
    rows = load("wine.csv")
    net = Net(len(rows[0]) - 1, 5, len(set(row[-1] for row in rows)))
    net.train(rows, 0.3, 50, 3)
"""

# Neurons as objects, each with a vector of weights and a number.
CELLS = """\
import numpy as np

class Cell:
    def __init__(self, n):
        self.weights = np.random.uniform(-1, 1, n)
        self.bias = np.random.uniform(-1, 1)
        self.delta = 0.0

    def net(self, values):
        return np.dot(self.weights, values) + self.bias

    def fire(self, values):
        return 1 / (1 + np.exp(-self.net(values)))

    def slope(self, values):
        s = self.fire(values)
        return s * (1 - s)


class Row:
    def __init__(self, n_before, size, rate):
        self.size = size
        self.cells = [Cell(n_before) for _ in range(size)]
        self.rate = rate
        self.inputs = np.zeros(n_before)

    def output(self, values):
        return np.array([cell.fire(values) for cell in self.cells])

    def update_weights(self, values):
        for cell in self.cells:
            cell.weights = cell.weights + self.rate * cell.delta * values
            cell.bias = cell.bias + self.rate * cell.delta


class Net:
    def __init__(self, structure, rate):
        self.structure = structure
        self.rows = [Row(structure[i], structure[i + 1], rate) for i in range(len(structure) - 1)]

    def train(self, train_x, train_y, rounds):
        for r in range(rounds):
            for x, y in zip(train_x, train_y):
                self.forward(x)
                self.backward(y)

    def forward(self, x):
        values = x
        for row in self.rows:
            row.inputs = values
            values = row.output(values)
        self.out = values
        return values

    def backward(self, y):
        last = self.rows[-1]
        for j in range(last.size):
            last.cells[j].delta = (y[j] - self.out[j]) * last.cells[j].slope(last.inputs)
        for l in range(len(self.rows) - 2, -1, -1):
            row, following = self.rows[l], self.rows[l + 1]
            for j in range(row.size):
                total = 0
                for k in range(following.size):
                    total += following.cells[k].weights[j] * following.cells[k].delta
                row.cells[j].delta = total * row.cells[j].slope(row.inputs)
        for row in self.rows:
            row.update_weights(row.inputs)
"""

# Neurons as objects whose bias is one number for the layer, as in a well-known text.
SHARED_BIAS = """\
import random, math

class Neuron:
    def __init__(self, bias):
        self.bias = bias
        self.weights = []

    def calculate_output(self, inputs):
        self.inputs = inputs
        self.output = 1 / (1 + math.exp(-self.total()))
        return self.output

    def total(self):
        total = 0
        for i in range(len(self.inputs)):
            total += self.inputs[i] * self.weights[i]
        return total + self.bias

    def delta_of_output(self, target):
        return -(target - self.output) * self.output * (1 - self.output)


class Layer:
    def __init__(self, n, bias):
        self.bias = bias if bias else random.random()
        self.neurons = []
        for i in range(n):
            self.neurons.append(Neuron(self.bias))

    def feed_forward(self, inputs):
        outputs = []
        for neuron in self.neurons:
            outputs.append(neuron.calculate_output(inputs))
        return outputs


class Network:
    RATE = 0.5

    def __init__(self, n_inputs, n_hidden, n_outputs, hidden_bias=None, output_bias=None):
        self.n_inputs = n_inputs
        self.hidden = Layer(n_hidden, hidden_bias)
        self.output = Layer(n_outputs, output_bias)
        for neuron in self.hidden.neurons:
            for i in range(n_inputs):
                neuron.weights.append(random.random())
        for neuron in self.output.neurons:
            for i in range(n_hidden):
                neuron.weights.append(random.random())

    def feed_forward(self, inputs):
        return self.output.feed_forward(self.hidden.feed_forward(inputs))

    def train(self, inputs, outputs):
        self.feed_forward(inputs)
        d_out = [0] * len(self.output.neurons)
        for o in range(len(self.output.neurons)):
            d_out[o] = self.output.neurons[o].delta_of_output(outputs[o])
        d_hidden = [0] * len(self.hidden.neurons)
        for h in range(len(self.hidden.neurons)):
            d = 0
            for o in range(len(self.output.neurons)):
                d += d_out[o] * self.output.neurons[o].weights[h]
            d_hidden[h] = d * self.hidden.neurons[h].output * (1 - self.hidden.neurons[h].output)
        for o in range(len(self.output.neurons)):
            for w in range(len(self.output.neurons[o].weights)):
                self.output.neurons[o].weights[w] -= self.RATE * d_out[o] * self.output.neurons[o].inputs[w]
        for h in range(len(self.hidden.neurons)):
            for w in range(len(self.hidden.neurons[h].weights)):
                self.hidden.neurons[h].weights[w] -= self.RATE * d_hidden[h] * self.hidden.neurons[h].inputs[w]


nn = Network(2, 5, 1)
sets = [[[0, 0], [0]], [[0, 1], [1]], [[1, 0], [1]], [[1, 1], [0]]]
for i in range(10000):
    inputs, outputs = random.choice(sets)
    nn.train(inputs, outputs)
print(i)
"""

KINDS = {
    "passed_on_call": PASSED_ON_CALL,
    "absent_class": ABSENT_CLASS,
    "lists_of_lists": LISTS_OF_LISTS,
    "table": TABLE,
    "dicts": DICTS,
    "cells": CELLS,
    "shared_bias": SHARED_BIAS,
}
