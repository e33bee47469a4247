"""Programs whose names, sizes or biases are not what they are called."""

STEEP = """\
import numpy as np
BETA = 2.0
def sigmoid(z):
    return 1 / (1 + np.exp(-BETA * z))
def sigmoid_prime(a):
    return BETA * a * (1 - a)
def init(n_in, n_hidden, n_out):
    W1 = np.random.randn(n_in, n_hidden) * 0.1
    W2 = np.random.randn(n_hidden, n_out) * 0.1
    b1 = np.zeros((1, n_hidden)); b2 = np.zeros((1, n_out))
    return W1, b1, W2, b2
def train(X, y, epochs=100, lr=0.1):
    W1, b1, W2, b2 = init(X.shape[1], 8, y.shape[1])
    for _ in range(epochs):
        a1 = sigmoid(X @ W1 + b1)
        a2 = sigmoid(a1 @ W2 + b2)
        d2 = (a2 - y) * sigmoid_prime(a2)
        d1 = (d2 @ W2.T) * sigmoid_prime(a1)
        W2 -= lr * a1.T @ d2
        b2 -= lr * d2.sum(axis=0, keepdims=True)
        W1 -= lr * X.T @ d1
        b1 -= lr * d1.sum(axis=0, keepdims=True)
    return W1, b1, W2, b2
"""

SIZES_NAMED_AS_DATA = """\
import numpy as np
class NN:
    def __init__(self, x, h, y):
        self.w1 = np.random.randn(x, h) * np.sqrt(2/x)
        self.b1 = np.zeros((1, h))
        self.w2 = np.random.randn(h, y) * np.sqrt(2/h)
        self.b2 = np.zeros((1, y))
    def relu(self, z):
        return np.maximum(0, z)
    def softmax(self, z):
        e = np.exp(z - np.max(z, axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)
    def forward(self, X):
        self.z1 = X @ self.w1 + self.b1
        self.a1 = self.relu(self.z1)
        self.z2 = self.a1 @ self.w2 + self.b2
        return self.softmax(self.z2)
    def backward(self, X, y, out, lr):
        m = X.shape[0]
        y_one = np.zeros_like(out)
        y_one[np.arange(m), y] = 1
        dz2 = (out - y_one) / m
        dw2 = self.a1.T @ dz2
        db2 = dz2.sum(axis=0, keepdims=True)
        dz1 = dz2 @ self.w2.T * (self.z1 > 0)
        dw1 = X.T @ dz1
        db1 = dz1.sum(axis=0, keepdims=True)
        self.w1 -= lr * dw1
        self.b1 -= lr * db1
        self.w2 -= lr * dw2
        self.b2 -= lr * db2
    def train(self, X, y, epochs, lr):
        for i in range(epochs):
            out = self.forward(X)
            self.backward(X, y, out, lr)
"""

BIAS_OF_SAMPLES = """\
import numpy as np
X = np.array([[0,0],[0,1],[1,0],[1,1]])
y = np.array([[0],[1],[1],[0]])
def sigmoid(z):
    return 1/(1+np.exp(-z))
m = X.shape[0]
W1 = np.random.rand(2, 4)
b1 = np.random.rand(m, 4)
W2 = np.random.rand(4, 1)
b2 = np.random.rand(m, 1)
lr = 0.5
for i in range(1000):
    z1 = X.dot(W1) + b1
    a1 = sigmoid(z1)
    z2 = a1.dot(W2) + b2
    a2 = sigmoid(z2)
    d2 = (a2 - y) * a2 * (1 - a2)
    d1 = d2.dot(W2.T) * a1 * (1 - a1)
    W2 -= lr * a1.T.dot(d2)
    b2 -= lr * d2
    W1 -= lr * X.T.dot(d1)
    b1 -= lr * d1
"""
