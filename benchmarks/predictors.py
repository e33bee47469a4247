"""Who answers for one image: deltarule and its peers with the same weights, each with the input it likes best.

An input is made before the clock starts: a row of uint8 for deltarule, of float32 for the others. Everybody returns the
class. One thread: a product of 784 by 128 is too small to be shared.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from workloads import Workload

Images = NDArray[np.uint8]
Predict = Callable[[Any], Any]

SMALL = Workload((784, 128, 10), "relu", 128, "adam", 0.001, 256)


class Predictor:
    """`predict`, and the inputs to call it with, of one of PREDICTORS; images.npy lies in `folder`."""

    def __init__(self, name: str, folder: str, n_calls: int) -> None:
        self.predict, self.inputs = PREDICTORS[name](np.load(Path(folder) / "images.npy"))
        self.n_calls = n_calls

    def latencies(self) -> dict[str, float]:
        """Microseconds of a call: the median, and what 99 % of the calls stay within."""
        nanoseconds = np.empty(self.n_calls)
        for i in range(self.n_calls):
            image = self.inputs[i % len(self.inputs)]
            began = time.perf_counter_ns()
            self.predict(image)
            nanoseconds[i] = time.perf_counter_ns() - began
        p50, p99 = np.percentile(nanoseconds / 1000.0, (50, 99))
        return {"p50": p50, "p99": p99}

    def answers(self) -> list[int]:
        """The class of every image, so that all can be held to the same."""
        return [int(np.ravel(self.predict(image))[0]) for image in self.inputs]


def network_predict(images: Images) -> tuple[Predict, list[Any]]:
    """deltarule's Network.predict."""
    return our_network().predict, rows(images)


def model_predict(images: Images) -> tuple[Predict, list[Any]]:
    """deltarule's Model.predict, which also knows scaling, image shape and task."""
    from deltarule.model import Model

    return Model(our_network(), "classes", image_shape=(28, 28)).predict, rows(images)


def onnx_runtime(images: Images) -> tuple[Predict, list[Any]]:
    """ONNX Runtime on a graph of Gemm, Relu, Gemm and ArgMax."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(onnx_graph(), options, providers=["CPUExecutionProvider"])
    return (lambda image: session.run(["class"], {"image": image})[0]), rows(as_floats(images))


def pytorch(images: Images) -> tuple[Predict, list[Any]]:
    """PyTorch, an eager module in inference mode."""
    import torch
    from contenders.pytorch import linear

    torch.set_num_threads(1)
    hidden, output = (linear(W, b) for W, b in SMALL.start())
    network = torch.nn.Sequential(hidden, torch.nn.ReLU(), output).eval()
    predict = torch.inference_mode()(lambda image: network(image).argmax(1))
    return predict, [torch.from_numpy(row) for row in rows(as_floats(images))]


def scikit_learn(images: Images) -> tuple[Predict, list[Any]]:
    """scikit-learn's MLPClassifier.predict, without its search for NaN."""
    import sklearn
    from sklearn.neural_network import MLPClassifier

    sklearn.set_config(assume_finite=True)
    X = as_floats(images)
    network = MLPClassifier(SMALL.layer_sizes[1:-1])
    network.partial_fit(X[:10], np.arange(10), classes=np.arange(10))
    for (W, b), weights, biases in zip(SMALL.start(), network.coefs_, network.intercepts_, strict=True):
        weights[:], biases[:] = W, b
    return network.predict, rows(X)


PREDICTORS: dict[str, Callable[[Images], tuple[Predict, list[Any]]]] = {
    "Network.predict": network_predict,
    "Model.predict": model_predict,
    "ONNX Runtime": onnx_runtime,
    "PyTorch": pytorch,
    "scikit-learn": scikit_learn,
}


MODULES = {"ONNX Runtime": ("onnxruntime", "onnx"), "PyTorch": ("torch",), "scikit-learn": ("sklearn",)}  # needed


def our_network() -> Any:
    """deltarule's network with the weights that everybody has, and the library compiled."""
    from deltarule.native.loader import library
    from deltarule.nn.network import Network

    library()
    network = Network(SMALL.layer_sizes, pixels=True)
    for l, (W, b) in enumerate(SMALL.start()):
        network.weights[l][:], network.biases[l][:] = W, b
    return network


def onnx_graph() -> bytes:
    """The network as an ONNX model: "image" (1, 784) float32 -> "class" (1,) int64."""
    from onnx import TensorProto, helper, numpy_helper

    names, arrays = ("W1", "b1", "W2", "b2"), [array for layer in SMALL.start() for array in layer]
    graph = helper.make_graph(
        [
            helper.make_node("Gemm", ["image", "W1", "b1"], ["z1"]),
            helper.make_node("Relu", ["z1"], ["a1"]),
            helper.make_node("Gemm", ["a1", "W2", "b2"], ["z2"]),
            helper.make_node("ArgMax", ["z2"], ["class"], axis=1, keepdims=0),
        ],
        "784-128-10",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 784])],
        [helper.make_tensor_value_info("class", TensorProto.INT64, [1])],
        [numpy_helper.from_array(array, name) for name, array in zip(names, arrays, strict=True)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    return model.SerializeToString()


def as_floats(images: Images) -> NDArray[np.float32]:
    """Pixels from 0 to 1."""
    return images / np.float32(255.0)


def rows(images: NDArray[Any]) -> list[Any]:
    """The images one by one, (1, 784) each."""
    return [images[i : i + 1] for i in range(len(images))]
