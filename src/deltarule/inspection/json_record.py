"""What was found out, as numbers, texts and arrays: the base of the records that `--json` prints."""

from typing import Any

import numpy as np


class JsonRecord:
    """A record of numbers, texts and arrays."""

    def to_json_dict(self) -> dict[str, Any]:
        """The same in numbers, texts and lists."""
        return {name: each.tolist() if isinstance(each, np.ndarray) else each for name, each in vars(self).items()}
