"""Explorers: sliders for every argument of a layer, with formula and picture beside them; one for each chapter.

Each function returns something that a notebook shows: in JupyterLab widgets; where a program runs the notebook, the
picture of the first setting.
"""

from tutor.explorers.activation import activation
from tutor.explorers.conv_transpose import conv_transpose
from tutor.explorers.convolution import convolution
from tutor.explorers.linear import linear
from tutor.explorers.net import net
from tutor.explorers.neuron import neuron
from tutor.explorers.pooling import pooling

__all__ = ["activation", "conv_transpose", "convolution", "linear", "net", "neuron", "pooling"]
