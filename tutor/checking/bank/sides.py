"""Arguments that are a number or a pair, (height, width), and what people get wrong about pairs."""

from __future__ import annotations

Pair = tuple[int, int]
Sizes = int | Pair
TOGETHER = "arguments together"  # the aspect of cases in which several arguments are set at once


def pair(value: Sizes) -> Pair:
    """Return an int or a pair as (height, width)."""
    if isinstance(value, int):
        return value, value
    height, width = value
    return height, width


def entries(argument: str, value: Sizes, wrong: frozenset[str]) -> Pair:
    """Return an argument as (height, width), with the misconceptions about pairs that ``wrong`` names."""
    height, width = pair(value)
    if "pairs-cut-short" in wrong:
        return height, height
    return (width, height) if wrong & {f"{argument}-swapped", "pairs-swapped"} else (height, width)
