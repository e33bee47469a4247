"""deltarule: a Trainer on the images as they are stored, uint8; and the kinds of training that are more than plain."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from workloads import MOMENTUM, N_CLASSES, Layers

from contenders import Contender
from deltarule.data.dataset import Dataset
from deltarule.nn.activations import Identity, ReLU, Sigmoid
from deltarule.nn.losses import BinaryCrossEntropy, Quadratic
from deltarule.nn.network import Network
from deltarule.nn.optimizers import SGD, Adam, Momentum
from deltarule.training.clip_and_average import ClipNorm
from deltarule.training.engine import engine as engine_named
from deltarule.training.schedules import Constant
from deltarule.training.trainer import Trainer


class Ours(Contender):
    """`engine` is a name that deltarule.training.engine knows."""

    def prepare(self, images: NDArray[np.uint8], classes: NDArray[np.int64], engine: str = "auto") -> None:
        work = self.workload
        self.network = Network(work.layer_sizes, hidden={"relu": ReLU(), "sigmoid": Sigmoid()}[work.activation])
        for l, (W, b) in enumerate(work.start()):
            self.network.weights[l][:] = W
            self.network.biases[l][:] = b
        self.data = Dataset(images, classes, class_names=tuple(map(str, range(N_CLASSES))))
        self.trainer = Trainer(
            network=self.network,
            optimizer={"sgd": SGD(), "momentum": Momentum(momentum=MOMENTUM), "adam": Adam()}[work.optimizer],
            schedule=Constant(work.learning_rate),
            epochs=1,
            batch_size=work.batch_size,
            engine=engine_named(engine),
        )

    def epoch(self) -> float:
        """The epoch's seconds, without those of the evaluation before it, which no peer makes."""
        return self.trainer.fit(self.data)["seconds"][-1]

    def layers(self) -> Layers:
        return list(zip(self.network.weights, self.network.biases, strict=True))

    def report(self) -> dict[str, Any]:
        return super().report() | {"engine": self.trainer.engine.name}


class OfAKind(Ours):
    """`kind`: "classes", as Ours; "labels" or "values", ten of each; "dropout" or "clip", of classes."""

    def prepare(self, images: NDArray[np.uint8], classes: NDArray[np.int64], kind: str = "classes") -> None:
        super().prepare(images, classes)
        if kind in ("labels", "values"):
            output, loss = (Sigmoid(), BinaryCrossEntropy()) if kind == "labels" else (Identity(), Quadratic())
            self.trainer.network = Network(self.workload.layer_sizes, hidden=ReLU(), output=output, loss=loss)
            rows = np.eye(N_CLASSES, dtype=np.uint8 if kind == "labels" else np.float64)[classes]
            self.data = Dataset(images, rows, task=kind)
        elif kind == "dropout":
            self.trainer.network = Network(self.workload.layer_sizes, hidden=ReLU(), dropout=0.2)
        elif kind == "clip":
            self.trainer.clip = ClipNorm(1.0)
