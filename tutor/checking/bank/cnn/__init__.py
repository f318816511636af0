"""The exercises of chapter 06, the whole net."""

from tutor.checking.bank.cnn.challenge import challenge_net
from tutor.checking.bank.cnn.epochs import train_one_epoch
from tutor.checking.bank.cnn.logged import log_training
from tutor.checking.bank.cnn.loss import cross_entropy, cross_entropy_backward, loss_of_guessing
from tutor.checking.bank.cnn.mending import mend_softmax_loss
from tutor.checking.bank.cnn.nets import build_cnn
from tutor.checking.bank.cnn.scores import accuracy, confusion
from tutor.checking.bank.cnn.steps import cnn_gradients, sgd_step

EXERCISES = (
    cross_entropy,
    loss_of_guessing,
    cross_entropy_backward,
    sgd_step,
    build_cnn,
    cnn_gradients,
    train_one_epoch,
    accuracy,
    confusion,
    log_training,
    challenge_net,
    mend_softmax_loss,
)
