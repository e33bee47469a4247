"""Programs in the styles that learners write, for the tests of the check: all of them right as they stand here."""

COLUMNS = """\
import numpy as np
import pandas as pd

table = np.array(pd.read_csv("digits.csv"))
m, width = table.shape
X_train = table[:, 1:].T / 255.0

def init_params():
    W1 = np.random.rand(12, 784) - 0.5
    b1 = np.random.rand(12, 1) - 0.5
    W2 = np.random.rand(10, 12) - 0.5
    b2 = np.random.rand(10, 1) - 0.5
    return W1, b1, W2, b2

def relu(Z):
    return np.maximum(Z, 0)

def softmax(Z):
    powers = np.exp(Z - Z.max(axis=0))
    return powers / powers.sum(axis=0)

def relu_deriv(Z):
    return Z > 0

def one_hot(labels):
    wanted = np.zeros((labels.size, labels.max() + 1))
    wanted[np.arange(labels.size), labels] = 1
    return wanted.T

def forward_prop(W1, b1, W2, b2, X):
    Z1 = W1.dot(X) + b1
    A1 = relu(Z1)
    Z2 = W2.dot(A1) + b2
    A2 = softmax(Z2)
    return Z1, A1, Z2, A2

def back_prop(Z1, A1, Z2, A2, W1, W2, X, Y):
    dZ2 = A2 - one_hot(Y)
    dW2 = dZ2.dot(A1.T) / m
    db2 = np.sum(dZ2, axis=1, keepdims=True) / m
    dZ1 = W2.T.dot(dZ2) * relu_deriv(Z1)
    dW1 = dZ1.dot(X.T) / m
    db1 = np.sum(dZ1, axis=1, keepdims=True) / m
    return dW1, db1, dW2, db2

def gradient_descent(X, Y, alpha, iterations):
    W1, b1, W2, b2 = init_params()
    for step in range(iterations):
        Z1, A1, Z2, A2 = forward_prop(W1, b1, W2, b2, X)
        dW1, db1, dW2, db2 = back_prop(Z1, A1, Z2, A2, W1, W2, X, Y)
        W1 = W1 - alpha * dW1
        b1 = b1 - alpha * db1
        W2 = W2 - alpha * dW2
        b2 = b2 - alpha * db2
    return W1, b1, W2, b2

W1, b1, W2, b2 = gradient_descent(X_train, table[:, 0], 0.1, 500)
"""

ROWS = """\
import numpy as np

class Net:
    def __init__(self, n_input, n_hidden, n_output, rate=0.1):
        self.rate = rate
        self.W1 = np.random.randn(n_input, n_hidden) * 0.1
        self.b1 = np.zeros(n_hidden)
        self.W2 = np.random.randn(n_hidden, n_hidden) * 0.1
        self.b2 = np.zeros(n_hidden)
        self.W3 = np.random.randn(n_hidden, n_output) * 0.1
        self.b3 = np.zeros(n_output)

    def sigmoid(self, z):
        return 1 / (1 + np.exp(-z))

    def sigmoid_prime(self, z):
        s = self.sigmoid(z)
        return s * (1 - s)

    def forward(self, X):
        self.z1 = X @ self.W1 + self.b1
        self.a1 = self.sigmoid(self.z1)
        self.z2 = self.a1 @ self.W2 + self.b2
        self.a2 = self.sigmoid(self.z2)
        self.z3 = self.a2 @ self.W3 + self.b3
        self.a3 = self.sigmoid(self.z3)
        return self.a3

    def loss(self, y):
        return np.mean(np.sum((self.a3 - y) ** 2, axis=1)) / 2

    def backward(self, X, y):
        n = len(X)
        d3 = (self.a3 - y) * self.sigmoid_prime(self.z3) / n
        d2 = (d3 @ self.W3.T) * self.sigmoid_prime(self.z2)
        d1 = (d2 @ self.W2.T) * self.sigmoid_prime(self.z1)
        gW3 = self.a2.T @ d3
        gb3 = d3.sum(axis=0)
        gW2 = self.a1.T @ d2
        gb2 = d2.sum(axis=0)
        gW1 = X.T @ d1
        gb1 = d1.sum(axis=0)
        self.W3 -= self.rate * gW3
        self.b3 -= self.rate * gb3
        self.W2 -= self.rate * gW2
        self.b2 -= self.rate * gb2
        self.W1 -= self.rate * gW1
        self.b1 -= self.rate * gb1

    def train(self, X, y, epochs=100):
        for epoch in range(epochs):
            self.forward(X)
            print(epoch, self.loss(y))
            self.backward(X, y)
"""

ONE_BY_ONE = """\
import random
import numpy as np

def squash(z):
    return np.tanh(z)

class Network:
    def __init__(self, sizes):
        self.biases = [np.random.randn(n, 1) for n in sizes[1:]]
        self.weights = [np.random.randn(n, k) for k, n in zip(sizes, sizes[1:])]

    def backprop(self, x, y):
        grad_b = [np.zeros(b.shape) for b in self.biases]
        grad_w = [np.zeros(w.shape) for w in self.weights]
        a, outputs, sums = x, [x], []
        for b, w in zip(self.biases, self.weights):
            z = np.dot(w, a) + b
            sums.append(z)
            a = squash(z)
            outputs.append(a)
        delta = (outputs[-1] - y) * (1 - outputs[-1] ** 2)
        grad_b[-1] = delta
        grad_w[-1] = np.dot(delta, outputs[-2].T)
        for l in range(2, len(self.weights) + 1):
            delta = np.dot(self.weights[-l + 1].T, delta) * (1 - outputs[-l] ** 2)
            grad_b[-l] = delta
            grad_w[-l] = np.dot(delta, outputs[-l - 1].T)
        return grad_b, grad_w

    def update_mini_batch(self, mini_batch, eta):
        sum_b = [np.zeros(b.shape) for b in self.biases]
        sum_w = [np.zeros(w.shape) for w in self.weights]
        for x, y in mini_batch:
            grad_b, grad_w = self.backprop(x, y)
            sum_b = [s + g for s, g in zip(sum_b, grad_b)]
            sum_w = [s + g for s, g in zip(sum_w, grad_w)]
        self.weights = [w - eta / len(mini_batch) * g for w, g in zip(self.weights, sum_w)]
        self.biases = [b - eta / len(mini_batch) * g for b, g in zip(self.biases, sum_b)]

    def SGD(self, training_data, epochs, mini_batch_size, eta):
        for epoch in range(epochs):
            random.shuffle(training_data)
            for k in range(0, len(training_data), mini_batch_size):
                self.update_mini_batch(training_data[k:k + mini_batch_size], eta)
"""

SCRIPT = """\
import numpy as np

X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
y = np.array([[0], [1], [1], [0]])
w_hidden = np.random.random((2, 3))
w_output = np.random.random((3, 1))
for step in range(20000):
    hidden = 1 / (1 + np.exp(-np.dot(X, w_hidden)))
    guess = 1 / (1 + np.exp(-np.dot(hidden, w_output)))
    error = y - guess
    d_output = error * guess * (1 - guess)
    d_hidden = d_output.dot(w_output.T) * hidden * (1 - hidden)
    w_output += hidden.T.dot(d_output)
    w_hidden += X.T.dot(d_hidden)
"""

DICTS = """\
import numpy as np

def initialize_parameters(layer_dims):
    parameters = {}
    for l in range(1, len(layer_dims)):
        parameters["W" + str(l)] = np.random.randn(layer_dims[l], layer_dims[l - 1]) * 0.01
        parameters["b" + str(l)] = np.zeros((layer_dims[l], 1))
    return parameters

def forwardPropagation(X, parameters):
    cache, A = {"A0": X}, X
    for l in range(1, len(parameters) // 2 + 1):
        Z = np.dot(parameters["W" + str(l)], A) + parameters["b" + str(l)]
        A = np.maximum(0, Z) if l < len(parameters) // 2 else 1 / (1 + np.exp(-Z))
        cache["Z" + str(l)] = Z
        cache["A" + str(l)] = A
    return A, cache

def compute_cost(AL, Y):
    m = Y.shape[1]
    return -np.sum(Y * np.log(AL) + (1 - Y) * np.log(1 - AL)) / m

def backward_propagation(AL, Y, cache, parameters):
    m, grads = Y.shape[1], {}
    dZ = AL - Y
    for l in range(len(parameters) // 2, 0, -1):
        grads["dW" + str(l)] = np.dot(dZ, cache["A" + str(l - 1)].T) / m
        grads["db" + str(l)] = np.sum(dZ, axis=1, keepdims=True) / m
        if l > 1:
            dZ = np.dot(parameters["W" + str(l)].T, dZ) * (cache["Z" + str(l - 1)] > 0)
    return grads

def model(X, Y, layers_dims, learning_rate=0.0075, num_iterations=3000, print_cost=False):
    parameters = initialize_parameters(layers_dims)
    for i in range(num_iterations):
        AL, cache = forwardPropagation(X, parameters)
        cost = compute_cost(AL, Y)
        grads = backward_propagation(AL, Y, cache, parameters)
        for key in parameters:
            parameters[key] = parameters[key] - learning_rate * grads["d" + key]
    return parameters
"""

LAYERS = """\
import numpy as np

class Dense:
    def __init__(self, n_in, n_out):
        self.weights = np.random.randn(n_in, n_out) * 0.1
        self.bias = np.zeros((1, n_out))

    def forward(self, x):
        self.x = x
        return x @ self.weights + self.bias

    def backward(self, output_gradient, learning_rate):
        input_gradient = output_gradient @ self.weights.T
        self.weights -= learning_rate * (self.x.T @ output_gradient)
        self.bias -= learning_rate * output_gradient.sum(axis=0, keepdims=True)
        return input_gradient

class Tanh:
    def forward(self, x):
        self.out = np.tanh(x)
        return self.out

    def backward(self, output_gradient, learning_rate):
        return output_gradient * (1 - self.out ** 2)

def main():
    X = np.random.rand(60, 4)
    y = X.sum(axis=1, keepdims=True) * [[1.0, -1.0]]
    network = [Dense(4, 6), Tanh(), Dense(6, 2)]
    for epoch in range(100):
        out = X
        for layer in network:
            out = layer.forward(out)
        loss = np.mean((out - y) ** 2)
        gradient = 2 * (out - y) / y.size
        for layer in reversed(network):
            gradient = layer.backward(gradient, 0.1)

if __name__ == "__main__":
    main()
"""

ALL = {
    "columns": COLUMNS,
    "rows": ROWS,
    "one_by_one": ONE_BY_ONE,
    "script": SCRIPT,
    "dicts": DICTS,
    "layers": LAYERS,
}
