"""CIFAR-10 in memory: ``data.cifar10()`` finds it, downloads it, or draws a small sample where neither can be done."""

from tutor.data.images import CLASSES, DataError, Images
from tutor.data.loading import cifar10

__all__ = ["CLASSES", "DataError", "Images", "cifar10"]
