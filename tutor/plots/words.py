"""How numbers, pairs, grids and sums are written in figures and in their alt text."""

import torch
from torch import Tensor

TERMS = 16  # a longer sum is shortened
TOLD = 150  # a larger grid is told by its size alone


def number(value: float) -> str:
    """Return a number to two decimals, without trailing zeros and without a minus before 0."""
    if value in (torch.inf, -torch.inf):
        return "∞" if value > 0 else "\N{MINUS SIGN}∞"
    return f"{round(value, 2) + 0.0:.10g}"


def factor(value: float) -> str:
    """Return a number as it is written after a multiplication sign."""
    return f"({number(value)})" if value < 0 else number(value)


def pair(sizes: tuple[int, int]) -> str:
    """Return a pair, or one number when both are the same."""
    return str(sizes[0]) if sizes[0] == sizes[1] else f"{sizes[0]} by {sizes[1]}"


def rows_of(grid: Tensor) -> str:
    """Return a grid (rows, columns) row by row; empty cells (NaN) are "_"."""
    if grid.numel() > TOLD:
        return f"{grid.shape[0]} by {grid.shape[1]} numbers"
    return "; ".join(" ".join("_" if value != value else number(value) for value in row) for row in grid.tolist())


def place(name: str, channel: str, cell: tuple[int, int]) -> str:
    """Return how a number is indexed, such as output[0, 1]; channel: its first index, "" when there is only one."""
    index = ", ".join(map(str, cell))
    return f"{name}[{channel}, {index}]" if channel else f"{name}[{index}]"


def span(name: str, first: int, last: int) -> str:
    """Return "rows 2 to 4", or "row 2" alone."""
    return f"{name} {first}" if first == last else f"{name}s {first} to {last}"


def products(pairs: list[list[tuple[float, float]]], result: float) -> str:
    """Return a sum of products written out, such as '1·1 + 2·2 = 5'; a long one by its sum of each channel.

    pairs: for each channel the factors.
    """
    if sum(map(len, pairs)) <= TERMS:
        terms = [f"{factor(value)}·{factor(weight)}" for channel in pairs for value, weight in channel]
    elif 1 < len(pairs) <= TERMS:
        terms = [factor(sum(value * weight for value, weight in channel)) for channel in pairs]
        return f"{len(pairs)} channels of {len(pairs[0])} products: {' + '.join(terms)} = {number(result)}"
    else:
        return f"the sum of {sum(map(len, pairs))} products = {number(result)}"
    return f"{' + '.join(terms)} = {number(result)}"
