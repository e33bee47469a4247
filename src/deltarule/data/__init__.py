"""Where examples come from. Readers, one module a format, are imported by name: `import deltarule` needs none of them."""

from deltarule.data.augment import Deformation, deform
from deltarule.data.dataset import Dataset, Splits, Task

__all__ = ["Dataset", "Deformation", "Splits", "Task", "deform"]
