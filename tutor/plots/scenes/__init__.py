"""Layers at work, step by step: each function returns the ``Scene`` of a layer with its arguments.

A scene is drawn with ``.draw(step)``, ``.film(steps)`` and ``.animation()``; its output is what torch computes.
"""

from tutor.plots.scene import Scene
from tutor.plots.scenes.backward import convolution_backward, pooling_backward
from tutor.plots.scenes.convolution import convolution
from tutor.plots.scenes.pooling import pooling
from tutor.plots.scenes.transpose import conv_transpose
from tutor.plots.scenes.unpooling import unpooling

__all__ = [
    "Scene",
    "conv_transpose",
    "convolution",
    "convolution_backward",
    "pooling",
    "pooling_backward",
    "unpooling",
]
