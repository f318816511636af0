"""The exercises of chapter 05, linear layers."""

from tutor.checking.bank.linear.counting import count_batches, parameter_counts
from tutor.checking.bank.linear.flattening import flatten, flatten_backward, mend_flatten
from tutor.checking.bank.linear.layer import linear, linear_backward
from tutor.checking.bank.linear.logged import log_weights
from tutor.checking.bank.linear.mixing import mixed_rows
from tutor.checking.bank.linear.stacking import affine_stack

EXERCISES = (
    linear,
    flatten,
    linear_backward,
    flatten_backward,
    affine_stack,
    mixed_rows,
    count_batches,
    parameter_counts,
    log_weights,
    mend_flatten,
)
