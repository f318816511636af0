"""Figures for the course: arrays or tensors in, a matplotlib Figure with alt text out; nothing is shown or kept.

What can't be drawn is a ``PlotError`` with one sentence.
"""

from tutor.plots.curves import activations, gradient_by_depth, histograms
from tutor.plots.figure import Picture, PlotError
from tutor.plots.layers import convolution, convolution_steps
from tutor.plots.maps import feature_maps, kernels, owners
from tutor.plots.matrices import matrix, overlaps
from tutor.plots.nets import net
from tutor.plots.pictures import before_after, images
from tutor.plots.pooling import change_by_shift, pooling
from tutor.plots.training import confusion_matrix, training_curves

__all__ = [
    "Picture",
    "PlotError",
    "activations",
    "before_after",
    "change_by_shift",
    "confusion_matrix",
    "convolution",
    "convolution_steps",
    "feature_maps",
    "gradient_by_depth",
    "histograms",
    "images",
    "kernels",
    "matrix",
    "net",
    "overlaps",
    "owners",
    "pooling",
    "training_curves",
]
