"""Programs of kinds that the check once accused or did not read, in our own words: all of them right as they stand."""

HEAD = """\
import numpy as np

def squash(v):
    return 1 / (1 + np.exp(-v))

def squash_slope(out):
    return out * (1 - out)

"""

# A script whose names tell little: what starts, what is updated, and which array holds the targets.
INITIAL = (
    HEAD
    + """\
initial_rows = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
reference = np.array([[0], [1], [1], [0]])
w_first = np.random.random((2, 4)) - 0.5
w_second = np.random.random((4, 1)) - 0.5
for turn in range(900):
    middle = squash(np.dot(initial_rows, w_first))
    output = squash(np.dot(middle, w_second))
    d_output = (reference - output) * squash_slope(output)
    back = np.dot(d_output, w_second.T)
    d_middle = back * squash_slope(middle)
    w_second += np.dot(middle.T, d_output)
    w_first += np.dot(initial_rows.T, d_middle)
"""
)
SAMPLES = (
    INITIAL.replace("initial_rows", "table")
    .replace("reference", "goal")
    .replace("w_second += np.dot(middle.T, d_output)", "w_second = w_second + np.dot(middle.T, d_output) / n_samples")
    .replace("w_first += np.dot(table.T, d_middle)", "w_first = w_first + np.dot(table.T, d_middle) / n_samples")
    .replace("for turn", "n_samples = len(table)\nfor turn")
)
HIDDEN_OUTPUTS = """\
import numpy as np

def relu(v):
    return v * (v > 0)

rows = np.array([[1, 0, 1], [0, 1, 1], [1, 1, 0], [0, 0, 1], [1, 0, 0]])
goal = np.array([[1], [0], [1], [0], [1]])
W1 = np.random.uniform(size=(3, 4))
W2 = np.random.uniform(size=(4, 1))
for step in range(3000):
    hidden_outputs = relu(rows @ W1)
    final_outputs = relu(hidden_outputs @ W2)
    miss = final_outputs - goal
    d_outputs = miss * (final_outputs > 0)
    d_hidden = (d_outputs @ W2.T) * (hidden_outputs > 0)
    W2 -= 0.05 * hidden_outputs.T @ d_outputs
    W1 -= 0.05 * rows.T @ d_hidden
"""

# One sample at a time, since an outer product of two vectors is dC/dW.
OUTER = (
    HEAD
    + """\
class Net:
    def __init__(self, n_in=6, n_hidden=4, n_out=3, rate=0.1):
        self.rate = rate
        self.W = {"one": np.random.randn(n_hidden, n_in), "two": np.random.randn(n_out, n_hidden)}

    def forward(self, x):
        self.x = x
        self.z1 = self.W["one"] @ x
        self.h = squash(self.z1)
        self.z2 = self.W["two"] @ self.h
        self.out = squash(self.z2)
        return self.out

    def backward(self, target, out):
        delta = (out - target) * squash_slope(self.out)
        grads = {"two": np.outer(delta, self.h)}
        delta = self.W["two"].T @ delta * squash_slope(self.h)
        grads["one"] = np.outer(delta, self.x)
        return grads

    def update(self, grads):
        for key, grad in grads.items():
            self.W[key] -= self.rate * grad

    def train(self, inputs, targets, epochs=5):
        for epoch in range(epochs):
            for x, target in zip(inputs, targets):
                self.update(self.backward(target, self.forward(x)))
"""
)

# Outputs that are shares: of z, of a multiple of z, and of something else.
SHARES = """\
import numpy as np

class Shares:
    def __init__(self, n_in, n_hidden, n_out):
        self.W1, self.b1 = np.random.randn(n_in, n_hidden), np.zeros((1, n_hidden))
        self.W2, self.b2 = np.random.randn(n_hidden, n_out), np.zeros((1, n_out))

    def fit(self, X, y, epochs=50, rate=0.1):
        for epoch in range(epochs):
            h = np.tanh(X @ self.W1 + self.b1)
            z = h @ self.W2 + self.b2
            powers = np.exp(z - z.max(axis=1, keepdims=True))
            p = powers / powers.sum(axis=1, keepdims=True)
            d2 = p.copy()
            d2[np.arange(len(X)), y] -= 1
            d1 = d2 @ self.W2.T * (1 - h ** 2)
            self.W2 -= rate * h.T @ d2
            self.b2 -= rate * d2.sum(axis=0, keepdims=True)
            self.W1 -= rate * X.T @ d1
            self.b1 -= rate * d1.sum(axis=0, keepdims=True)
"""

# Helpers that are missing: in a module beside the program, with a flag, or nowhere.
MODULE_OF_OUTPUTS = """\
import numpy as np
from my_functions import sigmoid, sigmoid_derivative, load_rows

X, goal = load_rows("rows.bin")
W1 = np.random.randn(6, 4)
b1 = np.zeros((1, 4))
W2 = np.random.randn(4, 3)
b2 = np.zeros((1, 3))

for epoch in range(50):
    a1 = sigmoid(X @ W1 + b1)
    a2 = sigmoid(a1 @ W2 + b2)
    d2 = (a2 - goal) * sigmoid_derivative(a2)
    d1 = d2 @ W2.T * sigmoid_derivative(a1)
    W2 -= 0.1 * a1.T @ d2
    b2 -= 0.1 * d2.sum(axis=0, keepdims=True)
    W1 -= 0.1 * X.T @ d1
    b1 -= 0.1 * d1.sum(axis=0, keepdims=True)
"""
MODULE_OF_SUMS = (
    MODULE_OF_OUTPUTS.replace("a1 = sigmoid(X @ W1 + b1)", "z1 = X @ W1 + b1\n    a1 = sigmoid(z1)")
    .replace("a2 = sigmoid(a1 @ W2 + b2)", "z2 = a1 @ W2 + b2\n    a2 = sigmoid(z2)")
    .replace("derivative(a", "derivative(z")
)
MODULE_WITH_FLAG = (
    MODULE_OF_OUTPUTS.replace("sigmoid, sigmoid_derivative, load_rows", "load_rows")
    .replace("import numpy as np\n", "import numpy as np\nimport functions\n")
    .replace("sigmoid_derivative(a2)", "functions.sigmoid(a2, deriv=True)")
    .replace("sigmoid_derivative(a1)", "functions.sigmoid(a1, deriv=True)")
    .replace("= sigmoid(", "= functions.sigmoid(")
)
NOWHERE = """\
import numpy as np

class Small:
    def __init__(self, n_in, n_hidden, n_out):
        self.W1 = np.random.randn(n_in, n_hidden)
        self.W2 = np.random.randn(n_hidden, n_out)

    def train(self, X, y, rate, epochs):
        for epoch in range(epochs):
            hidden = sigmoid(X @ self.W1)
            out = sigmoid(hidden @ self.W2)
            d_out = (out - y) * dsigmoid(out)
            d_hidden = d_out @ self.W2.T * dsigmoid(hidden)
            self.W2 -= rate * hidden.T @ d_out
            self.W1 -= rate * X.T @ d_hidden
"""

# Numbers from the command line, and a batch size above the number of samples.
STARTED_WITH_NUMBERS = (
    HEAD
    + """\
import sys

rate = float(sys.argv[1])
width = int(sys.argv[2])
X = np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 1.0], [1.0, 0.0, 1.0], [1.0, 1.0, 1.0]])
y = np.array([[0.0], [1.0], [1.0], [0.0]])
syn_a = np.random.random((3, width)) - 0.5
syn_b = np.random.random((width, 1)) - 0.5
for n in range(100):
    h = squash(X.dot(syn_a))
    out = squash(h.dot(syn_b))
    d_out = (y - out) * squash_slope(out)
    d_h = d_out.dot(syn_b.T) * squash_slope(h)
    syn_b += rate * h.T.dot(d_out)
    syn_a += rate * X.T.dot(d_h)
"""
)
LARGE_BATCHES = """\
import numpy as np
from keras.datasets import mnist

batch_size = 64
(x_train, y_train), (x_test, y_test) = mnist.load_data()
W1 = np.random.randn(20, 8) * 0.1
W2 = np.random.randn(8, 10) * 0.1
for epoch in range(10):
    for k in range(int(len(x_train) / batch_size)):
        xb = x_train[k * batch_size:(k + 1) * batch_size]
        yb = np.eye(10)[y_train[k * batch_size:(k + 1) * batch_size]]
        h = np.tanh(xb @ W1)
        d_out = (h @ W2 - yb) / batch_size
        d_h = d_out @ W2.T * (1 - h ** 2)
        W2 -= 0.1 * h.T @ d_out
        W1 -= 0.1 * xb.T @ d_h
"""

# Activations that are passed as a list of texts, in three ways.
LIST_OF_ACTIVATIONS = """\
import numpy as np

def initialize(layer_dims):
    params = {}
    for l in range(1, len(layer_dims)):
        params["w" + str(l)] = np.random.randn(layer_dims[l], layer_dims[l - 1]) * 0.1
        params["b" + str(l)] = np.zeros((layer_dims[l], 1))
    return params

def forward_model(X, params, activations):
    a, kept = X, []
    for n, kind in enumerate(activations):
        w, b = params["w" + str(n + 1)], params["b" + str(n + 1)]
        z = np.dot(w, a) + b
        kept.append((a, w, z))
        a = np.maximum(z, 0) if kind == "relu" else 1 / (1 + np.exp(-z))
    return a, kept

def slope(dA, z, kind):
    if kind == "relu":
        return dA * (z > 0)
    s = 1 / (1 + np.exp(-z))
    return dA * s * (1 - s)

def backward_model(AL, Y, kept, activations):
    grads = {}
    L = len(kept)
    dA = -(Y / AL - (1 - Y) / (1 - AL))
    for l in reversed(range(L)):
        before, w, z = kept[l]
        dz = slope(dA, z, activations[l])
        m = before.shape[1]
        grads["dw" + str(l + 1)] = np.dot(dz, before.T) / m
        grads["db" + str(l + 1)] = np.sum(dz, axis=1, keepdims=True) / m
        dA = np.dot(w.T, dz)
    return grads

def update(params, grads, rate):
    for l in range(len(params) // 2):
        params["w" + str(l + 1)] = params["w" + str(l + 1)] - rate * grads["dw" + str(l + 1)]
        params["b" + str(l + 1)] = params["b" + str(l + 1)] - rate * grads["db" + str(l + 1)]
    return params
"""
LIST_OF_ACTS = LIST_OF_ACTIVATIONS.replace("activations", "layer_acts").replace('"relu"', '"tanh"').replace(
    "np.maximum(z, 0)", "np.tanh(z)"
).replace("dA * (z > 0)", "dA * (1 - np.tanh(z) ** 2)")  # fmt: skip
LIST_OF_FUNCTIONS = LIST_OF_ACTIVATIONS.replace("activations", "activation_functions").replace(
    "reversed(range(L))", "range(L - 1, -1, -1)"
)

# Words of other languages, sizes with a name of their own, and a method that trains by backpropagation.
SPANISH = """\
import numpy as np

def calcular_gradientes(X, y, params):
    W1, b1, W2, b2 = params["W1"], params["b1"], params["W2"], params["b2"]
    oculta = np.tanh(X @ W1 + b1)
    salida = oculta @ W2 + b2
    perdida = np.sum((salida - y) ** 2) / len(y)
    d2 = 2 * (salida - y) / len(y)
    d1 = d2 @ W2.T * (1 - oculta ** 2)
    return {"dW1": X.T @ d1, "db1": d1.sum(axis=0), "dW2": oculta.T @ d2, "db2": d2.sum(axis=0)}
"""
GERMAN = SPANISH.replace("calcular_gradientes", "berechne_gradienten").replace("perdida", "kosten")
FRENCH = SPANISH.replace("calcular_gradientes", "calculer_gradient").replace("perdida", "perte")
FEATURE_COUNTS = (
    HEAD
    + """\
class Stack:
    def __init__(self, feature_counts):
        self.feature_counts = feature_counts
        self.Weights = [np.random.rand(n, m) for n, m in zip(feature_counts[:-1], feature_counts[1:])]
        self.depth = len(feature_counts)

    def run(self, inputs):
        kept = [inputs]
        for w in self.Weights:
            kept.append(squash(kept[-1] @ w))
        return kept

    def TrainWithBackPropagation(self, inputs, expectedOutput, numIters):
        for n in range(numIters):
            kept = self.run(inputs)
            delta = (kept[-1] - expectedOutput) * squash_slope(kept[-1])
            for l in range(self.depth - 2, -1, -1):
                step = kept[l].T @ delta
                delta = delta @ self.Weights[l].T * squash_slope(kept[l])
                self.Weights[l] -= 0.1 * step
"""
)
PASSED_ON = (
    HEAD
    + """\
def forward_pass(X, W1, W2):
    h = squash(X @ W1)
    return h, squash(h @ W2)

def backward_pass(X, Y, h, out, W2):
    d2 = out - Y
    d1 = d2 @ W2.T * squash_slope(h)
    return {"W1": X.T @ d1, "W2": h.T @ d2}

def update_weights(weights, grads, rate=0.1):
    return {key: weights[key] - rate * grads[key] for key in weights}

def learn(X, Y, epochs=100):
    W1, W2 = np.random.randn(X.shape[1], 5), np.random.randn(5, Y.shape[1])
    weights = {"W1": W1, "W2": W2}
    for epoch in range(epochs):
        W1, W2 = weights["W1"], weights["W2"]
        h, out = forward_pass(X, W1, W2)
        grads = backward_pass(X, Y, h, out, W2)
        weights = update_weights(weights, grads)
    return weights
"""
)
# The figure that is shown is the mean absolute error; the gradient is that of half the squared error.
SHOWN_FIGURE = (
    HEAD
    + """\
def learn(X, Y, rate=0.2, rounds=400):
    V, W = np.random.randn(X.shape[1], 4), np.random.randn(4, Y.shape[1])
    for turn in range(rounds):
        h = squash(X @ V)
        o = squash(h @ W)
        miss = Y - o
        d2 = miss * squash_slope(o)
        d1 = d2 @ W.T * squash_slope(h)
        W += rate * h.T @ d2
        V += rate * X.T @ d1
        loss = np.mean(np.abs(miss))
        print(turn, loss)
    return V, W
"""
)
# The forward function is shown with one sample, then the weights start again, and other data are used.
STARTED_AGAIN = (
    HEAD
    + """\
def forward(x):
    h = squash(x @ W1)
    return h, squash(h @ W2)

def backward(x, h, o, t):
    global W1, W2
    d2 = (o - t) * squash_slope(o)
    d1 = d2 @ W2.T * squash_slope(h)
    W2 = W2 - 0.3 * h.T @ d2
    W1 = W1 - 0.3 * x.T @ d1

W1 = np.array([[0.2, -0.4], [0.5, 0.3], [0.1, 0.7]])
W2 = np.array([[0.3, 0.1, -0.5], [-0.2, 0.6, 0.4]])
x = np.array([[0.5, 0.1, 0.8]])
h, o = forward(x)
print(o)
W1 = np.array([[0.1, -0.2], [0.5, 0.2], [0.3, 0.7]])
W2 = np.array([[0.2, 0.1, -0.5], [-0.1, 0.6, 0.4]])
x = np.array([[0.9, 0.4, 0.2]])
h, o = forward(x)
t = np.array([[1, 0, 0]])
backward(x, h, o, t)
"""
)
# A table is cut into inputs, D, and targets; each step computes its outputs twice, in a loop over the layers.
CUT_TABLE = (
    HEAD
    + """\
class Web:
    def initialise(self, units, rate):
        self.rate = rate
        self.weights = [np.random.randn(n, m) for n, m in zip(units[:-1], units[1:])]
        self.biases = [np.zeros((1, m)) for m in units[1:]]

    def outputs(self, D):
        kept = [D]
        for w, b in zip(self.weights, self.biases):
            s = kept[-1] @ w + b
            kept.append(squash(s))
        return kept

    def improve(self, D, Y):
        kept = self.outputs(D)
        delta = (kept[-1] - Y) * squash_slope(kept[-1])
        deltas = [delta]
        for l in range(len(self.weights) - 1, 0, -1):
            deltas.append(deltas[-1] @ self.weights[l].T * squash_slope(kept[l]))
        deltas = deltas[::-1]
        for l in range(len(self.weights)):
            self.weights[l] -= self.rate * kept[l].T @ deltas[l] / len(D)
            self.biases[l] -= self.rate * np.sum(deltas[l], axis=0, keepdims=True) / len(D)

    def train(self, D, Y, epochs=50):
        for epoch in range(epochs):
            o = self.outputs(D)[-1]
            loss = np.mean((o - Y) ** 2)
            self.improve(D, Y)

def main():
    d = np.loadtxt("table.txt")
    D = d[:, :-1]
    Y = d[:, -1].reshape(-1, 1)
    web = Web()
    web.initialise([D.shape[1], 6, 4, 1], rate=0.1)
    web.train(D, Y)
"""
)
# Weights into the hidden layer and out of it, and those of their biases; a mean over one output is the mean of all.
IN_AND_OUT = (
    HEAD
    + """\
def train(X, y, speed=0.5):
    Win, Wbin = np.random.randn(X.shape[1], 6), np.zeros((1, 6))
    Wout, Wbout = np.random.randn(6, 1), np.zeros((1, 1))
    for turn in range(300):
        h = squash(X @ Win + Wbin)
        o = squash(h @ Wout + Wbout)
        slope_out = (o - y) * squash_slope(o)
        slope_in = slope_out @ Wout.T * squash_slope(h)
        Wout = Wout - speed * (h.T @ slope_out) / len(X)
        Wbout = Wbout - speed * np.mean(slope_out)
        Win = Win - speed * (X.T @ slope_in) / len(X)
        Wbin = Wbin - speed * slope_in.mean(axis=0, keepdims=True)
    return Win, Wbin, Wout, Wbout
"""
)
# Training takes two more arguments: samples to validate with, and their targets.
VALIDATED = (
    HEAD
    + """\
class Net:
    def __init__(self, n_in, n_hidden, n_out, rate):
        self.rate, self.curve = rate, []
        self.W1, self.W2 = np.random.randn(n_in, n_hidden), np.random.randn(n_hidden, n_out)

    def forward(self, rows):
        self.h = squash(rows @ self.W1)
        self.o = squash(self.h @ self.W2)
        return self.o

    def train(self, data, target, val_set, val_result, epochs):
        for epoch in range(epochs):
            for x, t in zip(data, target):
                x, t = x.reshape(1, -1), t.reshape(1, -1)
                self.forward(x)
                d2 = (self.o - t) * squash_slope(self.o)
                d1 = d2 @ self.W2.T * squash_slope(self.h)
                self.W2 -= self.rate * self.h.T @ d2
                self.W1 -= self.rate * x.T @ d1
            self.curve.append(np.mean((self.forward(val_set) - val_result) ** 2))
"""
)

KINDS = {
    "initial": INITIAL, "samples": SAMPLES, "hidden_outputs": HIDDEN_OUTPUTS, "outer": OUTER, "shares": SHARES,
    "module_of_outputs": MODULE_OF_OUTPUTS, "module_of_sums": MODULE_OF_SUMS, "module_with_flag": MODULE_WITH_FLAG,
    "nowhere": NOWHERE, "started_with_numbers": STARTED_WITH_NUMBERS, "large_batches": LARGE_BATCHES,
    "list_of_activations": LIST_OF_ACTIVATIONS, "list_of_acts": LIST_OF_ACTS, "list_of_functions": LIST_OF_FUNCTIONS,
    "spanish": SPANISH, "german": GERMAN, "french": FRENCH, "feature_counts": FEATURE_COUNTS, "passed_on": PASSED_ON,
    "shown_figure": SHOWN_FIGURE, "started_again": STARTED_AGAIN,
    "cut_table": CUT_TABLE, "in_and_out": IN_AND_OUT, "validated": VALIDATED,
}  # fmt: skip
