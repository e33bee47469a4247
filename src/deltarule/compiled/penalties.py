"""What a penalty adds to a gradient, for deltarule's own."""

from typing import Any

import numpy as np

from deltarule.compiled.kernels import kernel, number


@kernel
def penalize(w: Any, g: Any, l1: float, l2: float) -> None:
    """Add to the gradient of the weights what L1 or L2 adds. w, g: (n_weights,)."""
    if l1 > 0.0 or l2 > 0.0:
        linear, square = number(l1, w), number(l2, w)
        for k in range(len(w)):
            g[k] += square * w[k] + linear * np.sign(w[k])
