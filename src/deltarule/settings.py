"""What settings may be: each is declared once, and read from here wherever it can be given."""

from typing import Literal, get_args

Task = Literal["classes", "labels", "values"]
TASKS: tuple[Task, ...] = get_args(Task)
