"""The exercises of chapter 00, the start."""

from tutor.checking.bank.start.neuron import gradient_step, mend_descent, neuron
from tutor.checking.bank.start.pictures import normalize, predict_shapes, to_nchw
from tutor.checking.bank.start.reading import log_first_batch, read_card

EXERCISES = (neuron, read_card, predict_shapes, to_nchw, normalize, gradient_step, log_first_batch, mend_descent)
