"""Grading a class: read what was handed in, run it, judge it, record it."""
