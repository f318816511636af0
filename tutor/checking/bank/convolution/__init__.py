"""The exercises of chapter 02, convolution."""

from tutor.checking.bank.convolution.backward import conv2d_backward
from tutor.checking.bank.convolution.fields import receptive_field
from tutor.checking.bank.convolution.forward import conv1d, conv2d
from tutor.checking.bank.convolution.logged import log_feature_maps
from tutor.checking.bank.convolution.maps import edges, mend_reshape, tile_maps
from tutor.checking.bank.convolution.matrix import conv2d_im2col
from tutor.checking.bank.convolution.pads import pad2d
from tutor.checking.bank.convolution.sizes import conv_output_size, same_padding
from tutor.checking.bank.convolution.weights import predict_conv_shapes, separable_parameters

EXERCISES = (
    conv_output_size,
    pad2d,
    same_padding,
    conv1d,
    conv2d,
    conv2d_im2col,
    conv2d_backward,
    predict_conv_shapes,
    separable_parameters,
    receptive_field,
    edges,
    tile_maps,
    log_feature_maps,
    mend_reshape,
)
