"""Loss and accuracy along one weight: why the one can be descended, and the other cannot."""

from dataclasses import dataclass

import numpy as np

from deltarule.data.dataset import Dataset
from deltarule.errors import SettingError
from deltarule.inspection.gradcheck.numeric_gradient import IMAGINARY, derivatives
from deltarule.inspection.presentation import JsonRecord
from deltarule.nn.arrays import Array
from deltarule.nn.network import Network, forward, loss_value
from deltarule.training.evaluation import Score


@dataclass(frozen=True, eq=False)
class WeightSlice(JsonRecord):
    """What happens while one weight moves and everything else stays: arrays of shape (n_offsets,), float64.

    offsets: how far the weight w_jk, `weights[layer][source, neuron]`, is from where it was.
    loss: smooth. slope: its derivative, dC/dw, which is how it gets from one value to the next.
    accuracy: a multiple of 1 / n_samples, so a staircase: flat, slope 0, but for jumps.
    """

    layer: int
    neuron: int
    source: int
    offsets: Array
    loss: Array
    slope: Array
    accuracy: Array


def weight_slice(
    network: Network, dataset: Dataset, *, layer: int, neuron: int, source: int, offsets: Array
) -> WeightSlice:
    """Move the weight of `neuron` in `layer` that leads to it from `source`, and watch. The network stays as it is.

    dataset: classes or labels, as the network reads them.
    offsets: (n_offsets,), what is added to the weight, one after the other.

    Raises SettingError where there is no such weight, or the data hold values, of which none is right or wrong.

    >>> data = Dataset(np.array([[0.0], [1.0]]), np.array([0, 1]))
    >>> along = weight_slice(Network((1, 2)), data, layer=0, neuron=1, source=0, offsets=np.linspace(-3.0, 3.0, 5))
    >>> sorted(set(along.accuracy.tolist()))
    [0.5, 1.0]
    """
    shapes = [W.shape for W in network.weights]
    if not 0 <= layer < len(shapes) or not (0 <= source < shapes[layer][0] and 0 <= neuron < shapes[layer][1]):
        raise SettingError(
            f"a weight has a layer, a source and a neuron, within 0 and the shapes {shapes} of the layers' weights: "
            f"got layer {layer}, source {source}, neuron {neuron}"
        )
    if dataset.task == "values":
        raise SettingError(f"accuracy is of classes or labels: got {dataset.name}, which holds values")
    moved = network.astype(np.complex128)
    before, ws = moved.weights[layer][source, neuron], moved.workspace(dataset.n_samples)
    rows = []
    for offset in offsets:
        moved.weights[layer][source, neuron] = before + offset + IMAGINARY
        score = Score(dataset.task)
        score.add(forward(moved, dataset.inputs, ws).real, dataset.targets)
        value = np.array(loss_value(moved, dataset.targets, ws))
        rows.append((value.real.item(), derivatives(value).item(), score.value))
    loss, slope, accuracy = np.transpose(rows)
    return WeightSlice(layer, neuron, source, np.asarray(offsets), loss, slope, accuracy)
