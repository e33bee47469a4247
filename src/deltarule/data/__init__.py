"""Data sets, and random deformation of images. The readers, one module a format, are imported only when needed."""

from deltarule.data.augment import Deformation, deform
from deltarule.data.dataset import Dataset, Splits
from deltarule.elsewhere import unknown_name
from deltarule.settings import Task

__all__ = ["Dataset", "Deformation", "Splits", "Task", "deform"]


def __getattr__(name: str) -> None:
    raise unknown_name(__name__, name)
