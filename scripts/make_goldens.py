"""What PyTorch says, for tests/nn/test_against_pytorch.py: losses, gradients and 1,000 steps of every optimizer.

Run it with `python scripts/make_goldens.py` where PyTorch is installed. All numbers are float64, written so that they
read back exactly; the inputs stand beside the results. Parameters are one vector: all weights, layer by layer, each
(fan_in, fan_out) row by row, then all biases.
"""

import json
from itertools import product
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn, optim
from torch.nn import functional

GOLDENS = Path(__file__).parents[1] / "tests" / "goldens"
STEPS = (1, 10, 100, 1000)
N_SAMPLES, N_INPUTS, N_HIDDEN, N_OUTPUTS = 20, 4, 5, 3
N_WEIGHTS, N_BIASES = N_INPUTS * N_HIDDEN + N_HIDDEN * N_OUTPUTS, N_HIDDEN + N_OUTPUTS

ACTIVATIONS: dict[str, nn.Module] = {
    "Identity": nn.Identity(),
    "Sigmoid": nn.Sigmoid(),
    "Tanh": nn.Tanh(),
    "ReLU": nn.ReLU(),
    "LeakyReLU": nn.LeakyReLU(),
    "ELU": nn.ELU(),
    "SiLU": nn.SiLU(),
    "Softmax": nn.Softmax(dim=1),
}
PAIRS = [
    *((output, "Quadratic", "values") for output in ACTIVATIONS),
    ("Softmax", "CrossEntropy", "classes"),
    ("Softmax", "BinaryCrossEntropy", "labels"),
    ("Sigmoid", "BinaryCrossEntropy", "labels"),
]
# Our name, our settings, the rate, PyTorch's class, its settings. Where both are empty, the defaults agree too.
OPTIMIZERS: list[tuple[str, dict[str, float], float, Any, dict[str, Any]]] = [
    ("SGD", {}, 0.1, optim.SGD, {}),
    ("Momentum", {}, 0.02, optim.SGD, {"momentum": 0.9}),
    ("Momentum", {"momentum": 0.5}, 0.1, optim.SGD, {"momentum": 0.5}),
    ("Nesterov", {}, 0.02, optim.SGD, {"momentum": 0.9, "nesterov": True}),
    ("Nesterov", {"momentum": 0.5}, 0.1, optim.SGD, {"momentum": 0.5, "nesterov": True}),
    ("AdaGrad", {}, 0.05, optim.Adagrad, {}),
    ("AdaGrad", {"epsilon": 0.01}, 0.05, optim.Adagrad, {"eps": 0.01}),
    ("RMSProp", {}, 0.001, optim.RMSprop, {}),
    ("RMSProp", {"decay": 0.9, "epsilon": 0.01}, 0.01, optim.RMSprop, {"alpha": 0.9, "eps": 0.01}),
    ("Adam", {}, 0.003, optim.Adam, {}),
    ("Adam", {"beta_1": 0.8, "beta_2": 0.99, "epsilon": 0.01}, 0.01, optim.Adam, {"betas": (0.8, 0.99), "eps": 0.01}),
    ("AdamW", {}, 0.003, optim.AdamW, {}),
    ("AdamW", {"beta_1": 0.8, "weight_decay": 0.5}, 0.01, optim.AdamW, {"betas": (0.8, 0.999), "weight_decay": 0.5}),
]


def loss(hidden: str, output: str, name: str, weights: Tensor, biases: Tensor, X: Tensor, targets: Tensor) -> Tensor:
    first, second = weights.split((N_INPUTS * N_HIDDEN, N_HIDDEN * N_OUTPUTS))
    a = ACTIVATIONS[hidden](X @ first.view(N_INPUTS, N_HIDDEN) + biases[:N_HIDDEN])
    z = a @ second.view(N_HIDDEN, N_OUTPUTS) + biases[N_HIDDEN:]
    if name == "CrossEntropy":
        return functional.cross_entropy(z, targets)
    a = ACTIVATIONS[output](z)
    if name == "BinaryCrossEntropy":
        return functional.binary_cross_entropy(a, targets, reduction="sum") / len(X)
    return functional.mse_loss(a, targets, reduction="sum") / (2 * len(X))


def gradients(vector: Tensor, X: Tensor, targets: dict[str, Tensor]) -> list[dict[str, Any]]:
    cases = []
    for hidden, (output, name, kind) in product(ACTIVATIONS, PAIRS):
        leaf = vector.clone().requires_grad_()
        value = loss(hidden, output, name, leaf[:N_WEIGHTS], leaf[N_WEIGHTS:], X, targets[kind])
        (gradient,) = torch.autograd.grad(value, leaf)
        case = {"hidden": hidden, "output": output, "loss": name, "targets": kind}
        cases.append(case | {"value": value.item(), "gradient": gradient.tolist()})
    return cases


def trajectory(vector: Tensor, X: Tensor, y: Tensor, rate: float, optimizer: Any, settings: dict[str, Any]) -> Any:
    """The parameters after STEPS, Tanh to Identity with the quadratic loss, over batches of 5 in their order."""
    weights, biases = (leaf.clone().requires_grad_() for leaf in vector.split((N_WEIGHTS, N_BIASES)))
    undecayed = {"params": [biases], **({"weight_decay": 0.0} if optimizer is optim.AdamW else {})}
    rule = optimizer([{"params": [weights]}, undecayed], lr=rate, **settings)
    reached = {}
    for step in range(STEPS[-1]):
        rows = slice(5 * step % N_SAMPLES, 5 * step % N_SAMPLES + 5)
        rule.zero_grad()
        loss("Tanh", "Identity", "Quadratic", weights, biases, X[rows], y[rows]).backward()
        rule.step()
        if step + 1 in STEPS:
            reached[step + 1] = torch.cat([weights, biases]).tolist()
    return reached


def main() -> None:
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(0)
    vector, X = 0.7 * torch.randn(N_WEIGHTS + N_BIASES), torch.randn(N_SAMPLES, N_INPUTS)
    targets = {
        "classes": torch.randint(N_OUTPUTS, (N_SAMPLES,)),
        "labels": torch.randint(2, (N_SAMPLES, N_OUTPUTS)).double(),
        "values": torch.randn(N_SAMPLES, N_OUTPUTS),
    }
    runs = []
    for name, ours, rate, rule, theirs in OPTIMIZERS:
        after = trajectory(vector, X, targets["values"], rate, rule, theirs)
        runs.append({"optimizer": name, "settings": ours, "rate": rate, "after": after})
    golden = {
        "torch": torch.__version__,
        "layer_sizes": [N_INPUTS, N_HIDDEN, N_OUTPUTS],
        "vector": vector.tolist(),
        "X": X.tolist(),
        **{kind: target.tolist() for kind, target in targets.items()},
        "gradients": gradients(vector, X, targets),
        "optimizers": runs,
    }
    text = json.dumps(golden).replace("}, {", "},\n{")  # a line for each case, so that a difference can be read
    (GOLDENS / "pytorch.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
