"""deltarule: a neural network you can see through."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from deltarule.data.augment import Deformation
    from deltarule.data.catalog import load_data
    from deltarule.data.columns import Column
    from deltarule.data.dataset import Dataset, Splits
    from deltarule.data.readers.tables import read_table
    from deltarule.errors import DeltaruleError
    from deltarule.estimators import MLPClassifier, MLPRegressor
    from deltarule.files.checkpoint import Checkpoints, ModelCheckpoint
    from deltarule.files.exchange import save_npz
    from deltarule.files.exchange.conversion import from_sklearn, from_torch
    from deltarule.files.exchange.onnx import save_onnx
    from deltarule.files.model_file import load, save
    from deltarule.files.page import show
    from deltarule.inspection.diagnosis.diagnose import diagnose
    from deltarule.inspection.explain.explain import explain
    from deltarule.inspection.explain.walkthrough import Walkthrough
    from deltarule.inspection.gradcheck.check import gradcheck
    from deltarule.inspection.plots.kinds import plot
    from deltarule.model import Model, Standardization
    from deltarule.nn.activations import ELU, Activation, Identity, LeakyReLU, ReLU, Sigmoid, SiLU, Softmax, Tanh
    from deltarule.nn.initializers import glorot_uniform, he_normal, lecun_normal, standard_normal, uniform, zeros
    from deltarule.nn.losses import BinaryCrossEntropy, CrossEntropy, Loss, Quadratic
    from deltarule.nn.network import Network, backward, forward, loss_and_gradient, loss_value
    from deltarule.nn.optimizers import SGD, AdaGrad, Adam, AdamW, Momentum, Nesterov, Optimizer, RMSProp
    from deltarule.nn.parameters import Parameters
    from deltarule.nn.penalties import L1, L2, Penalty
    from deltarule.nn.workspace import Workspace
    from deltarule.training.callbacks import Callback, CSVLog, EarlyStopping, Progress, TrainingState
    from deltarule.training.clip_and_average import ClipNorm, MovingAverage
    from deltarule.training.evaluation import evaluate
    from deltarule.training.fit import fit
    from deltarule.training.history import History
    from deltarule.training.schedules import (
        Constant,
        Cosine,
        Exponential,
        OneCycle,
        ReduceOnPlateau,
        StepDecay,
        WarmUp,
    )
    from deltarule.training.trainer import Trainer

# Where the public names live. Each is imported when it is first asked for, so that `import deltarule` costs nothing.
_HOMES = {
    "deltarule.data.augment": "Deformation",
    "deltarule.data.columns": "Column",
    "deltarule.data.catalog": "load_data",
    "deltarule.data.dataset": "Dataset Splits",
    "deltarule.data.readers.tables": "read_table",
    "deltarule.errors": "DeltaruleError",
    "deltarule.estimators": "MLPClassifier MLPRegressor",
    "deltarule.inspection.diagnosis.diagnose": "diagnose",
    "deltarule.inspection.gradcheck.check": "gradcheck",
    "deltarule.inspection.plots.kinds": "plot",
    "deltarule.inspection.explain.explain": "explain",
    "deltarule.inspection.explain.walkthrough": "Walkthrough",
    "deltarule.model": "Model Standardization",
    "deltarule.nn.activations": "ELU Activation Identity LeakyReLU ReLU Sigmoid SiLU Softmax Tanh",
    "deltarule.nn.initializers": "glorot_uniform he_normal lecun_normal standard_normal uniform zeros",
    "deltarule.nn.losses": "BinaryCrossEntropy CrossEntropy Loss Quadratic",
    "deltarule.nn.network": "Network backward forward loss_and_gradient loss_value",
    "deltarule.nn.optimizers": "SGD AdaGrad Adam AdamW Momentum Nesterov Optimizer RMSProp",
    "deltarule.nn.parameters": "Parameters",
    "deltarule.nn.penalties": "L1 L2 Penalty",
    "deltarule.nn.workspace": "Workspace",
    "deltarule.training.callbacks": "Callback CSVLog EarlyStopping Progress TrainingState",
    "deltarule.training.clip_and_average": "ClipNorm MovingAverage",
    "deltarule.training.evaluation": "evaluate",
    "deltarule.training.fit": "fit",
    "deltarule.training.history": "History",
    "deltarule.training.schedules": "Constant Cosine Exponential OneCycle ReduceOnPlateau StepDecay WarmUp",
    "deltarule.training.trainer": "Trainer",
    "deltarule.files.checkpoint": "Checkpoints ModelCheckpoint",
    "deltarule.files.exchange.conversion": "from_sklearn from_torch",
    "deltarule.files.model_file": "load save",
    "deltarule.files.exchange": "save_npz",
    "deltarule.files.exchange.onnx": "save_onnx",
    "deltarule.files.page": "show",
}
_ON_DEMAND = {name: home for home, names in _HOMES.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    if name not in _ON_DEMAND:
        raise import_module("deltarule.public").no_attribute("deltarule", name, __all__, "module 'deltarule'")
    globals()[name] = value = getattr(import_module(_ON_DEMAND[name]), name)
    return value


def __dir__() -> list[str]:
    return __all__


__all__ = [
    "ELU", "L1", "L2", "SGD", "Activation", "AdaGrad", "Adam", "AdamW", "BinaryCrossEntropy", "CSVLog", "Callback",
    "Checkpoints", "ClipNorm", "Column", "Constant", "Cosine", "CrossEntropy", "Dataset", "Deformation",
    "DeltaruleError", "EarlyStopping", "Exponential", "History", "Identity", "LeakyReLU", "Loss", "MLPClassifier",
    "MLPRegressor", "Model", "ModelCheckpoint", "Momentum", "MovingAverage", "Nesterov", "Network", "OneCycle",
    "Optimizer", "Parameters", "Penalty", "Progress", "Quadratic", "RMSProp", "ReLU", "ReduceOnPlateau", "SiLU",
    "Sigmoid", "Softmax", "Splits", "Standardization", "StepDecay", "Tanh", "Trainer", "TrainingState", "Walkthrough",
    "WarmUp", "Workspace", "backward", "diagnose", "evaluate", "explain", "fit", "forward", "from_sklearn",
    "from_torch", "glorot_uniform", "gradcheck", "he_normal", "lecun_normal", "load", "load_data", "loss_and_gradient",
    "loss_value", "plot", "read_table", "save", "save_npz", "save_onnx", "show", "standard_normal", "uniform", "zeros",
]  # fmt: skip
