"""Chapter 00 asks what a failed check's card says: what it takes for right is what the card really says."""

import re

from tutor.checking import bank, card, run
from tutor.checking.bank.start.reading import ON_THE_CARD


def relu(input):
    return input.abs()


def test_the_answer_stands_on_the_card():
    text = card.as_text(run("relu", relu))
    shown = {
        "input": float(re.search(r"input = \[+(.*?)\]+$", text, re.MULTILINE)[1]),
        "expected": float(re.search(r"expected: +\[+(.*?)\]+$", text, re.MULTILINE)[1]),
        "yours": float(re.search(r"yours: +\[+(.*?)\]+$", text, re.MULTILINE)[1]),
        "read again": re.search(r"Read again: (.*)", text)[1],
    }
    assert shown == ON_THE_CARD


def test_the_answer_is_taken_for_right_and_the_bank_asks_for_it():
    assert bank.get("read_card").oracle() == tuple(ON_THE_CARD.values())
