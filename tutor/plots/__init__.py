"""Figures for the course: arrays or tensors in, a matplotlib Figure with alt text out; nothing is shown or kept.

What can't be drawn is a ``PlotError`` with one sentence. Layers at work come in three ways, all with the layer's own
arguments: ``convolution`` draws one step, ``convolution_steps`` several, ``convolution_animation`` plays them.
"""

from tutor.plots import scenes
from tutor.plots.animation import Animation
from tutor.plots.curves import activations, gradient_by_depth, histograms
from tutor.plots.fields import receptive_field
from tutor.plots.figure import Picture, PlotError
from tutor.plots.maps import feature_maps, kernels, owners
from tutor.plots.matrices import matrix, overlaps
from tutor.plots.nets import net, softmax
from tutor.plots.pictures import before_after, images
from tutor.plots.pooling import change_by_shift, pooling
from tutor.plots.training import confusion_matrix, training_curves
from tutor.plots.views import views

convolution, convolution_steps, convolution_animation = views(scenes.convolution, "convolution")
conv_transpose, conv_transpose_steps, conv_transpose_animation = views(scenes.conv_transpose, "conv_transpose")
_, pooling_steps, pooling_animation = views(scenes.pooling, "pooling")
unpooling, unpooling_steps, unpooling_animation = views(scenes.unpooling, "unpooling")
convolution_backward, convolution_backward_steps, convolution_backward_animation = views(
    scenes.convolution_backward, "convolution_backward"
)
pooling_backward, pooling_backward_steps, pooling_backward_animation = views(
    scenes.pooling_backward, "pooling_backward"
)

__all__ = [
    "Animation",
    "Picture",
    "PlotError",
    "activations",
    "before_after",
    "change_by_shift",
    "confusion_matrix",
    "conv_transpose",
    "conv_transpose_animation",
    "conv_transpose_steps",
    "convolution",
    "convolution_animation",
    "convolution_backward",
    "convolution_backward_animation",
    "convolution_backward_steps",
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
    "pooling_animation",
    "pooling_backward",
    "pooling_backward_animation",
    "pooling_backward_steps",
    "pooling_steps",
    "receptive_field",
    "scenes",
    "softmax",
    "training_curves",
    "unpooling",
    "unpooling_animation",
    "unpooling_steps",
]
