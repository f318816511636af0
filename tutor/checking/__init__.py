"""Checks that say in words what is wrong with a learner's function.

The way in for programs is :func:`tutor.checking.run`; notebooks use :func:`tutor.check`, which shows a card.
"""

from tutor.checking.engine import run
from tutor.checking.report import Diagnosis, Report

__all__ = ["Diagnosis", "Report", "run"]
