"""The exercises of chapter 01, activations."""

from tutor.checking.bank.activations.backward import EXERCISES as BACKWARD
from tutor.checking.bank.activations.experiments import EXERCISES as EXPERIMENTS
from tutor.checking.bank.activations.forward import EXERCISES as FORWARD

EXERCISES = (*FORWARD, *BACKWARD, *EXPERIMENTS)
