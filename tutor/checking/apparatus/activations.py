"""Chapter 01: the layer whose images are logged."""

from __future__ import annotations

from torch import Tensor


def negative(images: Tensor) -> Tensor:
    """Return the photographic negative of images in [0, 1]: the layer that the check logs."""
    return 1 - images
