"""Programs that lean on a library, and others of kinds that the check once could not run: all right as they stand."""

# Arrays of the old class np.matrix.
MATRICES = """\
import numpy as np

def sigmoid(x, derivate=False):
    if derivate:
        return np.multiply(x, 1 - x)
    return 1 / (1 + np.exp(-x))

class Brain:
    def __init__(self, n_input, n_hidden, n_output, lr=0.1):
        self.lr = lr
        self.weights_ih = np.matrix(np.random.rand(n_hidden, n_input) * 2 - 1)
        self.weights_ho = np.matrix(np.random.rand(n_output, n_hidden) * 2 - 1)
        self.bias_ih = np.matrix(np.random.rand(n_hidden, 1))
        self.bias_ho = np.matrix(np.random.rand(n_output, 1))

    def train(self, value, guess):
        x = np.matrix(value).transpose()
        h = sigmoid(self.weights_ih * x + self.bias_ih)
        o = sigmoid(self.weights_ho * h + self.bias_ho)
        error = np.matrix(guess).transpose() - o
        d_o = np.multiply(error, sigmoid(o, derivate=True))
        error_h = self.weights_ho.transpose() * d_o
        d_h = np.multiply(error_h, sigmoid(h, derivate=True))
        self.weights_ho += self.lr * d_o * h.transpose()
        self.bias_ho += self.lr * d_o
        self.weights_ih += self.lr * d_h * x.transpose()
        self.bias_ih += self.lr * d_h
"""

# A vector of all parameters, which an optimizer of SciPy moves.
MINIMIZED = """\
import numpy as np
from scipy.optimize import minimize
from scipy.io import loadmat

def sigmoid(z):
    return 1 / (1 + np.exp(-z))

def forward_propagate(X, theta1, theta2):
    m = X.shape[0]
    a1 = np.insert(X, 0, values=np.ones(m), axis=1)
    z2 = a1 * theta1.T
    a2 = np.insert(sigmoid(z2), 0, values=np.ones(m), axis=1)
    z3 = a2 * theta2.T
    h = sigmoid(z3)
    return a1, z2, a2, z3, h

def backprop(params, input_size, hidden_size, num_labels, X, y, learning_rate):
    m = X.shape[0]
    X = np.matrix(X)
    y = np.matrix(y)
    theta1 = np.matrix(np.reshape(params[:hidden_size * (input_size + 1)], (hidden_size, (input_size + 1))))
    theta2 = np.matrix(np.reshape(params[hidden_size * (input_size + 1):], (num_labels, (hidden_size + 1))))
    a1, z2, a2, z3, h = forward_propagate(X, theta1, theta2)
    J = 0
    for i in range(m):
        first = np.multiply(-y[i, :], np.log(h[i, :]))
        second = np.multiply((1 - y[i, :]), np.log(1 - h[i, :]))
        J += np.sum(first - second)
    J = J / m
    J += (float(learning_rate) / (2 * m)) * (np.sum(np.power(theta1[:, 1:], 2)) + np.sum(np.power(theta2[:, 1:], 2)))
    d3 = h - y
    d2 = np.multiply((d3 * theta2)[:, 1:], np.multiply(sigmoid(z2), 1 - sigmoid(z2)))
    delta1 = d2.T * a1 / m
    delta2 = d3.T * a2 / m
    delta1[:, 1:] = delta1[:, 1:] + (theta1[:, 1:] * learning_rate) / m
    delta2[:, 1:] = delta2[:, 1:] + (theta2[:, 1:] * learning_rate) / m
    grad = np.concatenate((np.ravel(delta1), np.ravel(delta2)))
    return J, grad

data = loadmat("digits.mat")
X = data["X"]
y = data["y"]
input_size = 20
hidden_size = 6
num_labels = 4
learning_rate = 1
y_onehot = np.eye(num_labels)[y.ravel() - 1]
n_params = hidden_size * (input_size + 1) + num_labels * (hidden_size + 1)
params = (np.random.random(size=n_params) - 0.5) * 0.25
sizes = (input_size, hidden_size, num_labels)
found = minimize(backprop, params, args=(*sizes, X, y_onehot, learning_rate), jac=True, options={"maxiter": 250})
"""

# Layers, a loss and an optimizer as objects, and images of a fixed size that a library brings.
FRAMEWORK = """\
import numpy as np

class Module:
    def parameters(self): return []

class Linear(Module):
    def __init__(self, in_dim, out_dim):
        limit = np.sqrt(6 / (in_dim + out_dim))
        self.W = np.random.uniform(-limit, limit, (in_dim, out_dim))
        self.b = np.zeros(out_dim)
        self.gW = np.zeros_like(self.W)
        self.gb = np.zeros_like(self.b)
    def forward(self, x):
        self.x = x
        return x @ self.W + self.b
    def backward(self, grad):
        self.gW = self.x.T @ grad
        self.gb = grad.sum(axis=0)
        return grad @ self.W.T
    def parameters(self):
        return [(self.W, self.gW), (self.b, self.gb)]

class ReLU(Module):
    def forward(self, x):
        self.mask = x > 0
        return x * self.mask
    def backward(self, grad):
        return grad * self.mask

class CrossEntropy:
    def forward(self, logits, y):
        e = np.exp(logits - logits.max(axis=1, keepdims=True))
        self.p = e / e.sum(axis=1, keepdims=True)
        self.y = y
        return -np.log(self.p[np.arange(len(y)), y]).mean()
    def backward(self):
        g = self.p.copy()
        g[np.arange(len(self.y)), self.y] -= 1
        return g / len(self.y)

class Sequential:
    def __init__(self, *layers):
        self.layers = layers
    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x
    def backward(self, grad):
        for layer in reversed(self.layers):
            grad = layer.backward(grad)

class Adam:
    def __init__(self, model, lr=1e-3, b1=0.9, b2=0.999):
        self.model, self.lr, self.b1, self.b2, self.t = model, lr, b1, b2, 0
        self.m, self.v = {}, {}
    def step(self):
        self.t += 1
        k = 0
        for layer in self.model.layers:
            for p, g in layer.parameters():
                self.m[k] = self.b1 * self.m.get(k, 0) + (1 - self.b1) * g
                self.v[k] = self.b2 * self.v.get(k, 0) + (1 - self.b2) * g ** 2
                mh = self.m[k] / (1 - self.b1 ** self.t)
                vh = self.v[k] / (1 - self.b2 ** self.t)
                p -= self.lr * mh / (np.sqrt(vh) + 1e-8)
                k += 1

def get_batches(X, y, size):
    order = np.random.permutation(len(X))
    for i in range(0, len(X), size):
        j = order[i:i + size]
        yield X[j], y[j]

def main():
    from tensorflow.keras.datasets import mnist
    (X_train, y_train), (X_test, y_test) = mnist.load_data()
    X_train = X_train.reshape(-1, 784) / 255.0
    model = Sequential(Linear(784, 64), ReLU(), Linear(64, 10))
    criterion = CrossEntropy()
    optimizer = Adam(model)
    for epoch in range(5):
        for xb, yb in get_batches(X_train, y_train, 64):
            loss = criterion.forward(model.forward(xb), yb)
            model.backward(criterion.backward())
            optimizer.step()
        print(epoch, loss)

if __name__ == "__main__":
    main()
"""

# The functions of one layer, which nothing calls.
ONE_LAYER = """\
import numpy as np


def layer_forward(A_prev, W, b):
    Z = np.dot(W, A_prev) + b
    A = np.tanh(Z)
    return Z, A


def layer_backward(dA, A, A_prev, W):
    m = A_prev.shape[1]
    dZ = dA * (1 - A ** 2)
    dW = np.dot(dZ, A_prev.T) / m
    db = np.sum(dZ, axis=1, keepdims=True) / m
    return np.dot(W.T, dZ), dW, db
"""

# Outputs for three classes, and one-hot targets made of a column of a table.
COLUMN = """\
import numpy as np
import pandas as pd
def sigmoid(x): return 1/(1+np.exp(-x))
def dsig(s): return s*(1-s)
table = pd.read_csv("iris.csv")
X = table.iloc[:, :-1].values
y = table["target"].values
n_hidden, n_out = 6, 3
w1 = np.random.rand(X.shape[1], n_hidden)
w2 = np.random.rand(n_hidden, n_out)
for epoch in range(500):
    h = sigmoid(np.dot(X, w1))
    o = sigmoid(np.dot(h, w2))
    error = np.eye(3)[y.astype(int)] - o
    d_o = error * dsig(o)
    d_h = d_o.dot(w2.T) * dsig(h)
    w2 += h.T.dot(d_o) * 0.1
    w1 += X.T.dot(d_h) * 0.1
"""

# A bias that belongs to z.
OUTER_BIAS = """\
import numpy as np
class Net:
    def __init__(self, n_in, n_hidden, n_out, rate):
        self.W1 = np.random.randn(n_hidden, n_in)
        self.B1 = np.random.randn(n_hidden, 1)
        self.W2 = np.random.randn(n_out, n_hidden)
        self.B2 = np.random.randn(n_out, 1)
        self.rate = rate
    def squash(self, z): return 1 / (1 + np.exp(-z))
    def slope(self, z): return self.squash(z) * (1 - self.squash(z))
    def forward(self, X):
        self.Z1 = self.W1.dot(X) + self.B1
        self.A1 = self.squash(self.Z1)
        self.Z2 = self.W2.dot(self.A1) + self.B2
        self.A2 = self.squash(self.Z2)
        return self.A2
    def train(self, X, Y, epochs):
        for i in range(epochs):
            self.forward(X)
            d2 = (self.A2 - Y) * self.slope(self.Z2)
            d1 = self.W2.T.dot(d2) * self.slope(self.Z1)
            self.W2 -= self.rate * d2.dot(self.A1.T)
            self.B2 -= self.rate * d2.sum(axis=1, keepdims=True)
            self.W1 -= self.rate * d1.dot(X.T)
            self.B1 -= self.rate * d1.sum(axis=1, keepdims=True)
"""

KINDS = {
    "matrices": MATRICES,
    "minimized": MINIMIZED,
    "framework": FRAMEWORK,
    "one_layer": ONE_LAYER,
    "column": COLUMN,
    "outer_bias": OUTER_BIAS,
}
