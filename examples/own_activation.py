"""Write an activation of your own, and prove its derivative right before you trust it."""

import numpy as np

import deltarule as dr


class Softsign(dr.Activation):
    """sigma(z) = z / (1 + |z|)."""

    def value(self, z):
        return z / (1.0 + np.where(z.real < 0.0, -z, z))

    def derivative(self, z, a):
        return 1.0 / (1.0 + np.where(z.real < 0.0, -z, z)) ** 2


rng = np.random.default_rng(0)
X, y = rng.normal(size=(8, 5)), rng.integers(0, 3, 8)
network = dr.Network((5, 7, 3), hidden=Softsign(), dtype=np.float64, rng=1)

_, by_backpropagation = dr.loss_and_gradient(network, X, y)

# The complex step: C(p + ih) = C(p) + ih C'(p) + ..., so C' is the imaginary part, with nothing subtracted.
complex_network, step = network.astype(np.complex128), 1e-100
numeric = np.empty(network.parameters.size)
for k in range(network.parameters.size):
    complex_network.parameters.vector[k] += 1j * step
    numeric[k] = dr.loss_and_gradient(complex_network, X.astype(np.complex128), y)[0].imag / step
    complex_network.parameters.vector[k] -= 1j * step

error = np.linalg.norm(by_backpropagation.vector - numeric) / np.linalg.norm(numeric)
print(f"{numeric.size} derivatives, relative error {error:.1e}")
assert error < 1e-12
