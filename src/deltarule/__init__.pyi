"""The public names and where they live: __init__.py imports each when it is first asked for."""

from deltarule.data.augment import Deformation
from deltarule.data.catalog import load_data
from deltarule.data.columns import Column
from deltarule.data.dataset import Dataset, Splits
from deltarule.data.readers.tables import read_table
from deltarule.errors import DeltaruleError
from deltarule.estimators import MLPClassifier, MLPRegressor
from deltarule.files.checkpoint import Checkpoints, ModelCheckpoint
from deltarule.files.exchange.foreign import load, save_npz
from deltarule.files.exchange.onnx import save_onnx
from deltarule.files.exchange.sklearn import from_sklearn
from deltarule.files.exchange.torch import from_torch, to_torch
from deltarule.files.model_file import save
from deltarule.files.page import show
from deltarule.inspection.diagnosis.diagnose import diagnose
from deltarule.inspection.explain.explain import explain
from deltarule.inspection.explain.walkthrough import Walkthrough
from deltarule.inspection.gradcheck.check import gradcheck
from deltarule.inspection.plots.kinds import plot
from deltarule.learn.check import check
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
from deltarule.training.evaluation import evaluate
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
from deltarule.training.trainer import Trainer, fit

__all__ = [
    "ELU", "L1", "L2", "SGD", "Activation", "AdaGrad", "Adam", "AdamW", "BinaryCrossEntropy", "CSVLog", "Callback",
    "Checkpoints", "Column", "Constant", "Cosine", "CrossEntropy", "Dataset", "Deformation",
    "DeltaruleError", "EarlyStopping", "Exponential", "History", "Identity", "LeakyReLU", "Loss", "MLPClassifier",
    "MLPRegressor", "Model", "ModelCheckpoint", "Momentum", "Nesterov", "Network", "OneCycle",
    "Optimizer", "Parameters", "Penalty", "Progress", "Quadratic", "RMSProp", "ReLU", "ReduceOnPlateau", "SiLU",
    "Sigmoid", "Softmax", "Splits", "Standardization", "StepDecay", "Tanh", "Trainer", "TrainingState", "Walkthrough",
    "WarmUp", "Workspace", "backward", "check", "diagnose", "evaluate", "explain", "fit", "forward", "from_sklearn",
    "from_torch", "glorot_uniform", "gradcheck", "he_normal", "lecun_normal", "load", "load_data", "loss_and_gradient",
    "loss_value", "plot", "read_table", "save", "save_npz", "save_onnx", "show", "standard_normal", "to_torch",
    "uniform", "zeros",
]  # fmt: skip
