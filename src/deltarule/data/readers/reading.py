"""What is asked of a file, and what comes out of it: the same for files of every kind."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from numpy.typing import NDArray

from deltarule.data.columns import Column
from deltarule.data.dataset import Splits
from deltarule.data.reporting import Announce, print_to_stderr
from deltarule.errors import DataError

Goal = Literal["classes", "values"]
Missing = Literal["error", "drop", "mean"]


@dataclass(frozen=True, kw_only=True)
class How:
    """How to read a file: what the user says of it, or the model that is to answer it.

    rows_only: only inputs are wanted; targets may be there or not.
    target: the column of a table to learn, or, with `rows_only`, to pass over. A CSV without one holds pixels.
    task, missing, without: as for `read_table`.
    columns, class_names: those of a model, to count a table as it was counted there. () reads any columns of numbers.
    image_shape: the (height, width) that a picture must have; None for any.
    size: what pictures of any shape are brought to.
    is_digit: whether a picture of any size becomes a digit as MNIST has them.
    is_unit: whether pixels become value / 255.
    announce: gets a sentence for each guess about a table.
    """

    rows_only: bool = False
    target: str | None = None
    task: Goal | None = None
    missing: Missing = "error"
    without: Sequence[str] = ()
    columns: Sequence[Column] | None = None
    class_names: Sequence[str] = ()
    image_shape: tuple[int, int] | None = None
    size: int | None = None
    is_digit: bool = False
    is_unit: bool = False
    announce: Announce = print_to_stderr

    @property
    def is_table(self) -> bool:
        """Whether a CSV holds columns below a header, and not pixels."""
        return self.target is not None or self.columns is not None


@dataclass(frozen=True, eq=False)
class Reading:
    """What came out of a file.

    rows: what a model is asked about, (n_samples, n_features), as it is stored.
    examples: the same with targets, to learn from; None where the file has no targets, or none were asked for.
    report: what was taken for what, by name, in the order in which to say it; all of it can be JSON.
    """

    rows: NDArray[Any]
    examples: Splits | None = None
    report: dict[str, Any] = field(default_factory=dict)

    @property
    def splits(self) -> Splits:
        """The examples. Raises DataError where there are none."""
        if self.examples is None:
            got = "rows of pixels only; add a column 'label'"
            raise DataError(f"{self.report['file']}: a label for each image was expected: got {got}")
        return self.examples
