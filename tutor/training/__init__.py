"""Training: one loop for every model of the course, measuring what came of it, and the challenge.

``train`` changes a model's parameters for some epochs or seconds; ``evaluate`` says how often a model is right, ``predict``
what it takes each image for; ``challenge`` scores what a model reaches within a budget. Whatever goes wrong is a
``TrainingError`` with one sentence.
"""

from tutor.training.budget import Score, challenge, small_challenge, small_training
from tutor.training.cost import multiplications
from tutor.training.errors import TrainingError
from tutor.training.history import History, Result
from tutor.training.loop import train
from tutor.training.measuring import evaluate, predict

__all__ = [
    "History",
    "Result",
    "Score",
    "TrainingError",
    "challenge",
    "evaluate",
    "multiplications",
    "predict",
    "small_challenge",
    "small_training",
    "train",
]
