"""darknet, a library of plain C (`apt-get install darknet`): its own loop over batches, on one core.

Its fully connected layers are `[connected]`, its cross-entropy is the `[softmax]` layer's. It takes no short last
batch, and rows of floats by their addresses: an epoch's order is an order of addresses. On a processor it has no Adam.
"""

import ctypes
import struct
import tempfile
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from workloads import MOMENTUM, N_CLASSES, Layers

from contenders import Contender

LIBRARY = "/usr/lib/darknet/libdarknet.so"
HEADER = struct.pack("<3iQ", 0, 2, 0, 0)  # of a file of weights: version 0.2.0, and how many images were seen


class Matrix(ctypes.Structure):
    """darknet.h's matrix: the address of each row."""

    _fields_ = (("rows", ctypes.c_int), ("cols", ctypes.c_int), ("vals", ctypes.c_void_p))


class Data(ctypes.Structure):
    """darknet.h's data."""

    _fields_ = (
        ("w", ctypes.c_int),
        ("h", ctypes.c_int),
        ("X", Matrix),
        ("y", Matrix),
        ("shallow", ctypes.c_int),
        ("num_boxes", ctypes.c_void_p),
        ("boxes", ctypes.c_void_p),
    )


class Darknet(Contender):
    """A network that darknet made of a configuration and a file of weights."""

    def prepare(self, images: NDArray[np.uint8], classes: NDArray[np.int64]) -> None:
        self.X, self.y = images / np.float32(255.0), np.eye(N_CLASSES, dtype=np.float32)[classes]
        self.darknet = ctypes.CDLL(LIBRARY)
        self.darknet.load_network.restype = ctypes.c_void_p
        self.darknet.train_network.restype = ctypes.c_float
        self.darknet.train_network.argtypes = (ctypes.c_void_p, Data)
        with tempfile.TemporaryDirectory() as folder:
            cfg, weights = Path(folder, "network.cfg"), Path(folder, "network.weights")
            cfg.write_text(self.configuration(), encoding="utf-8")
            weights.write_bytes(HEADER + b"".join(b.tobytes() + W.T.tobytes() for W, b in self.workload.start()))
            self.network = ctypes.c_void_p(self.darknet.load_network(bytes(cfg), bytes(weights), 1))

    def configuration(self) -> str:
        """The network and its training, as darknet's files say it."""
        work = self.workload
        momentum = MOMENTUM if work.optimizer == "momentum" else 0.0
        lines = ["[net]", f"batch={work.batch_size}", f"inputs={work.layer_sizes[0]}", "decay=0", "policy=constant"]
        lines += [f"learning_rate={work.learning_rate}", f"momentum={momentum}", "max_batches=1000000000"]
        activation = {"relu": "relu", "sigmoid": "logistic"}[work.activation]
        for size in work.layer_sizes[1:-1]:
            lines += ["[connected]", f"output={size}", f"activation={activation}"]
        return "\n".join([*lines, "[connected]", f"output={N_CLASSES}", "activation=linear", "[softmax]", ""])

    def train(self) -> None:
        order = self.rng.permutation(len(self.X))[: len(self.X) // self.workload.batch_size * self.workload.batch_size]
        self.darknet.train_network(self.network, Data(X=rows(self.X, order), y=rows(self.y, order)))

    def layers(self) -> Layers:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "network.weights")
            self.darknet.save_weights(self.network, bytes(file))
            numbers = np.fromfile(file, np.float32, offset=len(HEADER))
        layers = []
        for fan_in, fan_out in pairwise(self.workload.layer_sizes):
            b, W, numbers = np.split(numbers, [fan_out, fan_out * (fan_in + 1)])
            layers.append((W.reshape(fan_out, fan_in).T, b))
        return layers


def rows(array: NDArray[np.float32], order: NDArray[np.intp]) -> Matrix:
    """The array's rows in that order, which the matrix keeps alive."""
    addresses = np.ascontiguousarray(array.ctypes.data + order * array.strides[0])
    matrix = Matrix(len(order), array.shape[1], addresses.ctypes.data)
    matrix.kept = addresses
    return matrix
