"""The exercises of chapter 03, transpose convolution."""

from tutor.checking.bank.transpose_convolution.backward import conv_transpose2d_backward
from tutor.checking.bank.transpose_convolution.counting import lost_direction, overlap_count, predict_round_trip
from tutor.checking.bank.transpose_convolution.matrices import conv_matrix, conv_transpose2d_matrix
from tutor.checking.bank.transpose_convolution.resizing import resize_convolve
from tutor.checking.bank.transpose_convolution.scattering import conv_transpose2d
from tutor.checking.bank.transpose_convolution.sizes import conv_transpose_output_size, mend_transpose_size
from tutor.checking.bank.transpose_convolution.zeros import conv_transpose2d_zeros

EXERCISES = (
    conv_matrix,
    conv_transpose2d_matrix,
    conv_transpose2d_zeros,
    conv_transpose_output_size,
    conv_transpose2d,
    conv_transpose2d_backward,
    predict_round_trip,
    lost_direction,
    overlap_count,
    resize_convolve,
    mend_transpose_size,
)
