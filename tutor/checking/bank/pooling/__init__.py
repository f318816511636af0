"""The exercises of chapter 04, pooling."""

from tutor.checking.bank.pooling.adaptive import adaptive_avg_pool2d, global_average_pool
from tutor.checking.bank.pooling.average import avg_pool2d
from tutor.checking.bank.pooling.backward import avg_pool2d_backward, max_pool2d_backward
from tutor.checking.bank.pooling.logged import log_pooling
from tutor.checking.bank.pooling.maximum import max_pool2d
from tutor.checking.bank.pooling.shifts import predict_pooling, shift_change
from tutor.checking.bank.pooling.sizes import mend_pool_stride, pool_output_size
from tutor.checking.bank.pooling.unpooling import max_unpool2d

EXERCISES = (
    predict_pooling,
    pool_output_size,
    max_pool2d,
    avg_pool2d,
    adaptive_avg_pool2d,
    global_average_pool,
    max_pool2d_backward,
    avg_pool2d_backward,
    max_unpool2d,
    shift_change,
    log_pooling,
    mend_pool_stride,
)
