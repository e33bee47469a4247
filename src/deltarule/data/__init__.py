"""Where examples come from. The readers, a module for each format, are not imported before someone asks for them."""

from deltarule.data.augment import Deformation, deform
from deltarule.data.dataset import Dataset, Splits
from deltarule.public import answer_names
from deltarule.settings import Task

__getattr__ = answer_names(__name__)
__all__ = ["Dataset", "Deformation", "Splits", "Task", "deform"]
