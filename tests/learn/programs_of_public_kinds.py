"""Programs of the kinds in which public ones are written, in our own words: all of them right as they stand here."""

OUTPUTS = """\
import numpy as np

def squash(x):
    return 1 / (1 + np.exp(-x))

def squash_slope(a):
    return a * (1 - a)

inputs = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
outputs = np.array([[0], [1], [1], [0]])
first_weights = np.random.uniform(size=(2, 3))
first_bias = np.random.uniform(size=(1, 3))
last_weights = np.random.uniform(size=(3, 1))
last_bias = np.random.uniform(size=(1, 1))
for step in range(5000):
    hidden = squash(inputs @ first_weights + first_bias)
    predicted_output = squash(hidden @ last_weights + last_bias)
    error = outputs - predicted_output
    print(np.mean(np.abs(error)))
    d_last = error * squash_slope(predicted_output)
    d_first = (d_last @ last_weights.T) * squash_slope(hidden)
    last_weights += 0.5 * hidden.T @ d_last
    last_bias += 0.5 * d_last.sum(axis=0, keepdims=True)
    first_weights += 0.5 * inputs.T @ d_first
    first_bias += 0.5 * d_first.sum(axis=0, keepdims=True)
"""

TWO_STARTS = """\
import numpy as np

def init_shallow(n_x, n_h, n_y):
    params = {"W1": np.random.randn(n_h, n_x), "b1": np.zeros((n_h, 1))}
    params["W2"], params["b2"] = np.random.randn(n_y, n_h), np.zeros((n_y, 1))
    return params

def init_deep(layer_dims):
    params = {}
    for l in range(1, len(layer_dims)):
        params["W" + str(l)] = np.random.randn(layer_dims[l], layer_dims[l - 1])
        params["b" + str(l)] = np.zeros((layer_dims[l], 1))
    return params

def forward(X, params):
    A, cache = X, [X]
    n_layers = len(params) // 2
    for l in range(1, n_layers + 1):
        Z = params["W" + str(l)] @ A + params["b" + str(l)]
        A = 1 / (1 + np.exp(-Z)) if l == n_layers else np.tanh(Z)
        cache.append(A)
    return A, cache

def backward(params, cache, Y):
    grads, m = {}, Y.shape[1]
    dZ = cache[-1] - Y
    for l in range(len(params) // 2, 0, -1):
        grads["dW" + str(l)] = dZ @ cache[l - 1].T / m
        grads["db" + str(l)] = dZ.sum(axis=1, keepdims=True) / m
        dZ = (params["W" + str(l)].T @ dZ) * (1 - cache[l - 1] ** 2)
    return grads

def update(params, grads, learning_rate):
    for l in range(1, len(params) // 2 + 1):
        params["W" + str(l)] = params["W" + str(l)] - learning_rate * grads["dW" + str(l)]
        params["b" + str(l)] = params["b" + str(l)] - learning_rate * grads["db" + str(l)]
    return params
"""

BIPOLAR = """\
import numpy as np
import pandas as pd

table = pd.read_csv("xor.csv", header=None)
X = table.iloc[:, 0:2].values
yd = table.iloc[:, 2].values
W1, b1 = np.random.uniform(-1, 1, (2, 4)), np.random.uniform(-1, 1, 4)
W2, b2 = np.random.uniform(-1, 1, (4, 1)), np.random.uniform(-1, 1, 1)

def sigmoid(v):
    return 2 / (1 + np.exp(-v)) - 1

def sigmoid_derivative(y):
    return 0.5 * (1 - y ** 2)

for epoch in range(500):
    for i in range(len(X)):
        row = X[i]
        a1 = sigmoid(row @ W1 + b1)
        y = sigmoid(a1 @ W2 + b2)[0]
        delta2 = (yd[i] - y) * sigmoid_derivative(y)
        delta1 = W2.flatten() * delta2 * sigmoid_derivative(a1)
        W2 = W2 + 0.1 * np.outer(a1, delta2)
        b2 = b2 + 0.1 * delta2
        W1 = W1 + 0.1 * np.outer(row, delta1)
        b1 = b1 + 0.1 * delta1
"""

SIZES_AS_INPUTS = """\
import numpy as np

class Net:
    def __init__(self, inputs, hidden, outputs):
        self.w_in = 2 * np.random.random((inputs, hidden)) - 1
        self.w_out = 2 * np.random.random((hidden, outputs)) - 1
        self.errors = []

    @staticmethod
    def squash(x):
        return 1 / (1 + np.exp(-x))

    def answer(self, data):
        self.hidden_layer = self.squash(data @ self.w_in)
        return self.squash(self.hidden_layer @ self.w_out)

    def train(self, data, labels, rate=1):
        answer = self.answer(data)
        miss = labels - answer
        self.errors.append(np.mean(np.abs(miss)))
        d_out = miss * answer * (1 - answer) * rate
        d_hidden = (d_out @ self.w_out.T) * self.hidden_layer * (1 - self.hidden_layer)
        self.w_in += data.T @ d_hidden
        self.w_out += self.hidden_layer.T @ d_out
"""

PICKS_ONE_ROW = """\
import numpy as np

class Regressor:
    def __init__(self, input_nodes, hidden_nodes, output_nodes, learning_rate):
        self.sizes = input_nodes, hidden_nodes, output_nodes
        self.lr = learning_rate

    def draw(self):
        n_in, n_hidden, n_out = self.sizes
        self.W1, self.b1 = np.random.rand(n_hidden, n_in), np.random.rand(n_hidden, 1)
        self.W2, self.b2 = np.random.rand(n_out, n_hidden), np.random.rand(n_out, 1)

    def iterate(self, X, y, n_steps):
        for step in range(n_steps):
            at = np.random.choice(range(len(X)))
            x, t = X[at].reshape(-1, 1), y[at].reshape(-1, 1)
            h = 1 / (1 + np.exp(-(self.W1.dot(x) + self.b1)))
            out = self.W2.dot(h) + self.b2
            d_out = t - out
            d_h = self.W2.T.dot(d_out) * h * (1 - h)
            self.W2 = self.W2 + self.lr * d_out.dot(h.T)
            self.b2 = self.b2 + self.lr * d_out
            self.W1 = self.W1 + self.lr * d_h.dot(x.T)
            self.b1 = self.b1 + self.lr * d_h

    def train(self, X, y, max_steps=1000):
        self.draw()
        self.iterate(X, y, max_steps)
"""

FRENCH = """\
import numpy as np

def sigmoide(x):
    return 1 / (1 + np.exp(-x))

class Reseau:
    def __init__(self, couches, taux=0.1):
        self.couches = couches
        self.taux = taux
        self.poids = [np.random.randn(a, b) for a, b in zip(couches[:-1], couches[1:])]
        self.biais = [np.zeros((1, b)) for b in couches[1:]]

    def propager(self, X):
        self.activations = [X]
        for p, b in zip(self.poids, self.biais):
            self.activations.append(sigmoide(np.dot(self.activations[-1], p) + b))
        return self.activations[-1]

    def apprendre(self, X, Y, nb_iterations):
        for _ in range(nb_iterations):
            sortie = self.propager(X)
            delta = (sortie - Y) * sortie * (1 - sortie)
            for i in range(len(self.poids) - 1, -1, -1):
                a = self.activations[i]
                suivant = np.dot(delta, self.poids[i].T) * a * (1 - a)
                self.poids[i] -= self.taux * np.dot(a.T, delta)
                self.biais[i] -= self.taux * delta.sum(axis=0, keepdims=True)
                delta = suivant
"""

GERMAN = """\
import numpy as np

class Netz:
    def __init__(self, eingaben, versteckt, ausgaben, lernrate):
        self.lernrate = lernrate
        self.gewichte1 = np.random.normal(0, 1, (versteckt, eingaben))
        self.gewichte2 = np.random.normal(0, 1, (ausgaben, versteckt))

    def f(self, x):
        return 1 / (1 + np.exp(-x))

    def trainiere(self, eingabe, ziel):
        x = np.array(eingabe, ndmin=2).T
        t = np.array(ziel, ndmin=2).T
        h = self.f(self.gewichte1 @ x)
        o = self.f(self.gewichte2 @ h)
        fehler = t - o
        d_o = fehler * o * (1 - o)
        d_h = (self.gewichte2.T @ d_o) * h * (1 - h)
        self.gewichte2 += self.lernrate * d_o @ h.T
        self.gewichte1 += self.lernrate * d_h @ x.T
"""

GLOBALS = """\
import numpy as np

step = 0.01

def act(u):
    return np.tanh(u)

def go_forward(x):
    h = act(x.dot(W1) + b1)
    out = h.dot(W2) + b2
    return h, out

def back_prop(x, t):
    global W1, b1, W2, b2
    h, out = go_forward(x)
    d2 = (out - t) / len(x)
    d1 = d2.dot(W2.T) * (1 - h ** 2)
    W2 -= step * h.T.dot(d2)
    b2 -= step * d2.sum(axis=0)
    W1 -= step * x.T.dot(d1)
    b1 -= step * d1.sum(axis=0)
"""

PASSED_FUNCTIONS = """\
import numpy as np

def sig(x):
    return 1 / (1 + np.exp(-x))

def dsig(a):
    return a * (1 - a)

def tanh(x):
    return np.tanh(x)

def dtanh(a):
    return 1 - a ** 2

class TwoLayer:
    def __init__(self, X, y, rate, hidden_f, hidden_df, out_f, out_df):
        self.X, self.y, self.rate = X, y, rate
        self.f, self.df, self.g, self.dg = hidden_f, hidden_df, out_f, out_df
        self.W1 = np.random.rand(X.shape[1], 4)
        self.W2 = np.random.rand(4, y.shape[1])

    def forward(self):
        self.H = self.f(self.X @ self.W1)
        self.O = self.g(self.H @ self.W2)

    def backward(self):
        d2 = (self.y - self.O) * self.dg(self.O)
        d1 = (d2 @ self.W2.T) * self.df(self.H)
        self.W2 += self.rate * self.H.T @ d2
        self.W1 += self.rate * self.X.T @ d1

def run(X, y, f, df, g, dg):
    net = TwoLayer(X, y, 0.5, f, df, g, dg)
    for i in range(1000):
        net.forward()
        net.backward()
    print(net.O)

if __name__ == "__main__":
    X = np.array([[0, 0, 1], [0, 1, 1], [1, 0, 1], [1, 1, 1]])
    y = np.array([[0], [1], [1], [0]])
    run(X, y, sig, dsig, sig, dsig)
    run(X, y, tanh, dtanh, sig, dsig)
"""

DATA_BY_PLACE = """\
import numpy as np
from tensorflow.keras.datasets import fashion_mnist

(tx, ty), (vx, vy) = fashion_mnist.load_data()
tx = tx.reshape(-1, 784) / 255.0
ty_hot = np.eye(10)[ty]

def start(shape):
    return np.random.randn(*shape) * np.sqrt(2 / shape[0])

W1, b1 = start((784, 64)), np.zeros(64)
W2, b2 = start((64, 10)), np.zeros(10)

def relu(x): return np.maximum(0, x)
def softmax(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)

for epoch in range(20):
    order = np.random.permutation(len(tx))
    tx, ty_hot = tx[order], ty_hot[order]
    for i in range(0, len(tx), 100):
        xb, yb = tx[i:i+100], ty_hot[i:i+100]
        z1 = xb @ W1 + b1
        a1 = relu(z1)
        p = softmax(a1 @ W2 + b2)
        d2 = (p - yb) / len(xb)
        d1 = (d2 @ W2.T) * (z1 > 0)
        W2 -= 0.1 * a1.T @ d2
        b2 -= 0.1 * d2.sum(axis=0)
        W1 -= 0.1 * xb.T @ d1
        b1 -= 0.1 * d1.sum(axis=0)
"""

SCALARS = """\
import numpy as np

class Net:
    def __init__(self):
        self.W1 = np.random.randn(2, 3)
        self.W2 = np.random.randn(3, 1)
        self.rate = 0.3

    def sigmoid(self, x):
        return 1 / (1 + np.exp(-x))

    def predict(self, X):
        self.h = self.sigmoid(X @ self.W1)
        return self.sigmoid(self.h @ self.W2)

    def learn(self, X, y, n):
        for _ in range(n):
            for x, t in zip(X, y):
                x = x.reshape(1, -1)
                o = self.predict(x)
                d = (o - t) * o * (1 - o)
                dh = (d @ self.W2.T) * self.h * (1 - self.h)
                self.W2 -= self.rate * self.h.T @ d
                self.W1 -= self.rate * x.T @ dh

X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=float)
y = np.array([0, 1, 1, 0], dtype=float)
net = Net()
net.learn(X, y, 5000)
print(net.predict(X))
"""

PASSED_DERIVATIVE = """\
import random
import numpy as np

class Network:
    def __init__(self, sizes):
        self.sizes = sizes

    def setup(self):
        self.bs = [np.random.randn(n, 1) for n in self.sizes[1:]]
        self.ws = [np.random.randn(n, m) for m, n in zip(self.sizes[:-1], self.sizes[1:])]

    def sigma(self, z):
        return 1 / (1 + np.exp(-z))

    def run(self, x, y, cost_prime):
        acts, zs = [x], []
        for w, b in zip(self.ws, self.bs):
            zs.append(w @ acts[-1] + b)
            acts.append(self.sigma(zs[-1]))
        delta = cost_prime(acts[-1], y) * acts[-1] * (1 - acts[-1])
        grads = [(delta @ acts[-2].T, delta)]
        for l in range(2, len(self.sizes)):
            delta = (self.ws[-l + 1].T @ delta) * acts[-l] * (1 - acts[-l])
            grads.insert(0, (delta @ acts[-l - 1].T, delta))
        return grads

    def SGD(self, epochs, data, batch_size, eta, cost_prime, test_data=None):
        self.setup()
        for e in range(epochs):
            random.shuffle(data)
            for k in range(0, len(data), batch_size):
                batch = data[k:k + batch_size]
                total_w = [np.zeros(w.shape) for w in self.ws]
                total_b = [np.zeros(b.shape) for b in self.bs]
                for x, y in batch:
                    for l, (gw, gb) in enumerate(self.run(x, y, cost_prime)):
                        total_w[l] += gw
                        total_b[l] += gb
                self.ws = [w - eta / len(batch) * g for w, g in zip(self.ws, total_w)]
                self.bs = [b - eta / len(batch) * g for b, g in zip(self.bs, total_b)]

def cost_prime(a, y):
    return a - y
"""

RATE_IN_GRADIENT = PASSED_FUNCTIONS.replace("self.rate * self.H.T @ d2", "self.W2_step").replace(
    "        self.W2 += self.W2_step",
    "        self.W2_step = self.rate * np.dot(self.H.T, d2)\n        self.W2 += self.W2_step",
)

FIXED_BATCH = (
    DATA_BY_PLACE.replace("for epoch", "batch_size = 100\nfor epoch")
    .replace("(p - yb) / len(xb)", "p - yb")
    .replace("a1.T @ d2", "(a1.T @ d2 / batch_size)")
    .replace("xb.T @ d1", "(xb.T @ d1 / batch_size)")
    .replace(".sum(axis=0)\n", ".mean(axis=0)\n")
)

KINDS = {
    "outputs": OUTPUTS,
    "two_starts": TWO_STARTS,
    "bipolar": BIPOLAR,
    "sizes_as_inputs": SIZES_AS_INPUTS,
    "picks_one_row": PICKS_ONE_ROW,
    "french": FRENCH,
    "german": GERMAN,
    "globals": GLOBALS,
    "passed_functions": PASSED_FUNCTIONS,
    "data_by_place": DATA_BY_PLACE,
    "scalars": SCALARS,
    "passed_derivative": PASSED_DERIVATIVE,
    "rate_in_gradient": RATE_IN_GRADIENT,
    "fixed_batch": FIXED_BATCH,
}
