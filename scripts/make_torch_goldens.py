"""What PyTorch's own networks answer, for tests/files/exchange/test_torch.py: their state_dicts, inputs and outputs.

And what its `loss.backward()` finds for the dog network of the course, for docs/course/10-to-99-percent.md.

Run it with `python scripts/make_torch_goldens.py` where PyTorch is installed; `--course` writes the second file alone.
All numbers are float32, those of the course float64, written so that they read back exactly.
"""

import json
import sys
from collections import OrderedDict
from pathlib import Path

import torch
from torch import nn

GOLDENS = Path(__file__).parents[1] / "tests" / "goldens"


class Named(nn.Module):
    """Layers with names of their own, the last without a bias."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1, self.fc2, self.out = nn.Linear(4, 6), nn.Linear(6, 5), nn.Linear(5, 2, bias=False)

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return self.out(torch.tanh(self.fc2(nn.functional.leaky_relu(self.fc1(X)))))


def dog_network() -> dict[str, object]:
    """The loss of the course's 2-3-1 network and its gradient, found by automatic differentiation."""
    X = torch.tensor([[0.9, 0.1], [0.8, 0.9], [0.1, 0.8], [0.2, 0.2]], dtype=torch.float64)
    t = torch.tensor([[1.0], [0.0], [1.0], [0.0]], dtype=torch.float64)
    W1 = torch.tensor([[4.0, -3.0, -2.0], [-4.0, 3.0, 1.0]], dtype=torch.float64, requires_grad=True)
    b1 = torch.tensor([-1.0, -1.0, 1.0], dtype=torch.float64, requires_grad=True)
    W2 = torch.tensor([[1.0], [4.0], [-2.0]], dtype=torch.float64, requires_grad=True)
    b2 = torch.tensor([-2.0], dtype=torch.float64, requires_grad=True)
    loss = 0.5 * ((torch.sigmoid(torch.sigmoid(X @ W1 + b1) @ W2 + b2) - t) ** 2).sum() / len(X)
    loss.backward()
    gradient = {name: p.grad.tolist() for name, p in {"W1": W1, "b1": b1, "W2": W2, "b2": b2}.items()}
    return {"torch": torch.__version__, "loss": loss.item(), "gradient": gradient}


def main() -> None:
    (GOLDENS / "pytorch_course.json").write_text(json.dumps(dog_network()) + "\n", encoding="utf-8")
    if sys.argv[1:] == ["--course"]:
        return
    torch.manual_seed(0)
    X = 2.0 * torch.randn(12, 4)
    classifier = nn.Sequential(nn.Linear(4, 7), nn.ReLU(), nn.Dropout(), nn.Linear(7, 3)).eval()
    binary = nn.Sequential(OrderedDict(hidden=nn.Linear(4, 5), silu=nn.SiLU(), answer=nn.Linear(5, 1)))
    cases = {
        "classifier": (classifier, lambda z: z.softmax(dim=1)),
        "binary": (binary, torch.sigmoid),
        "regression": (Named(), lambda z: z),
    }
    golden = {"torch": torch.__version__, "X": X.tolist()}
    for name, (module, answer) in cases.items():
        state = {key: value.tolist() for key, value in module.state_dict().items()}
        with torch.no_grad():
            golden[name] = {"state_dict": state, "outputs": answer(module(X)).tolist()}
    (GOLDENS / "pytorch_networks.json").write_text(json.dumps(golden) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
