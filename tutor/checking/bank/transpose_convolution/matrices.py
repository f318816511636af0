"""A convolution written as a matrix, and the transpose convolution as that matrix's transpose."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor

from tutor.checking.bank.sides import Pair
from tutor.checking.bank.transpose_convolution.geometry import (
    CHAPTER,
    CONVOLUTIONS,
    PLACING,
    SCATTERING,
    landing,
    numbers,
)
from tutor.checking.exercise import CONDUCT, CORE, GRADIENT, RIGHT, Case, Draw, Exercise


def _matrix(weight: Tensor, input_size: Pair, *, wrong: frozenset[str] = RIGHT) -> Tensor:
    """Return the convolution's matrix: one row for each place of the kernel, one column for each input number."""
    height, width = input_size
    if "kernel-flipped" in wrong:
        weight = weight.flip(0, 1)
    if "kernel-transposed" in wrong:
        weight = weight.T
    if "ones-for-weights" in wrong:
        weight = torch.ones_like(weight)
    rows, columns = height - weight.shape[0] + 1, width - weight.shape[1] + 1
    if rows < 1 or columns < 1:
        raise RuntimeError("the kernel is larger than the input")
    starts = _starts((rows, columns), (height, width), wrong)
    columns_of_taps = starts.view(-1, 1) + _taps(weight, (height, width), wrong)
    if bool((columns_of_taps >= height * width).any()):
        raise IndexError("the kernel reaches beyond the last input number")
    lands = F.one_hot(columns_of_taps, height * width).to(weight.dtype)
    matrix = torch.einsum("ptc,t->pc", lands, weight.flatten()) + 0.0  # and no -0 from zeros times negative weights
    if "transposed" in wrong:
        matrix = matrix.T
    return matrix.reshape(rows, columns, height, width) if "not-flattened" in wrong else matrix


def _starts(places: Pair, size: Pair, wrong: frozenset[str]) -> Tensor:
    """Return, for each place of the kernel, the input number on which its first tap lies."""
    place = torch.arange(places[0] * places[1])
    if "kernel-not-moved" in wrong:
        return 0 * place
    if "no-jump-at-line-end" in wrong:
        return place
    y, x = place // places[1], place % places[1]
    if "places-column-by-column" in wrong:
        y, x = place % places[0], place // places[0]
    if "input-column-by-column" in wrong:
        return x * size[0] + y
    return y * (size[0] if "height-for-width" in wrong else size[1]) + x


def _taps(weight: Tensor, size: Pair, wrong: frozenset[str]) -> Tensor:
    """Return how far each tap of the kernel lies behind the first one."""
    down, across = torch.arange(weight.shape[0]).view(-1, 1), torch.arange(weight.shape[1])
    if "kernel-rows-adjacent" in wrong:
        return (down * weight.shape[1] + across).flatten()
    if "input-column-by-column" in wrong:
        return (across * size[0] + down).flatten()
    return (down * (size[0] if "height-for-width" in wrong else size[1]) + across).flatten()


conv_matrix = Exercise(
    "conv_matrix",
    CHAPTER,
    lambda weight, input_size: _matrix(weight, input_size),
    forbids=CONVOLUTIONS,
    links=[[(0, 0)], [(0, 1)]],
)


@conv_matrix.cases
def _(draw: Draw) -> Iterable[Case]:
    # Small ones first: the matrix of the first case that fails is shown, and its size can't be cut any further.
    yield Case(CORE, (numbers(draw, 2, 2), (2, 3)))
    yield Case(CORE, (numbers(draw, 2, 2), (3, 3)))
    yield Case(CORE, (numbers(draw, 3, 3), (4, 4)))
    yield Case(CORE, (numbers(draw, 2, 3), (draw.size(3), draw.size(5))))
    yield Case(CORE, (numbers(draw, 3, 2), (draw.size(5), 4)))
    yield Case("other kernels", (numbers(draw, 1, 1), (draw.size(2), 3)))
    yield Case("other kernels", (numbers(draw, 1, 3), (draw.size(2), draw.size(4))))
    yield Case("other kernels", (numbers(draw, 4, 1), (draw.size(4), 2)))
    yield Case("other kernels", (numbers(draw, 3, 2), (3, 2)))
    yield Case(GRADIENT, (numbers(draw, 2, 3), (3, draw.size(4))), gradient=True)
    yield Case(CONDUCT, (numbers(draw, 2, 3).float(), (3, draw.size(4))))


conv_matrix.model(
    "kernel-flipped",
    "kernel-transposed",
    "ones-for-weights",
    "transposed",
    "not-flattened",
    "kernel-not-moved",
    "no-jump-at-line-end",
    "kernel-rows-adjacent",
    "places-column-by-column",
    "input-column-by-column",
    "height-for-width",
)(_matrix)


def _by_matrix(input: Tensor, weight: Tensor, *, wrong: frozenset[str] = RIGHT) -> Tensor:
    """Return the transpose convolution of one plane."""
    height, width = input.shape
    if "kernel-flipped" in wrong:
        weight = weight.flip(0, 1)
    if "kernel-transposed" in wrong:
        weight = weight.T
    size = height + weight.shape[0] - 1, width + weight.shape[1] - 1
    vector = (input.T if "input-column-by-column" in wrong else input).flatten()
    if "not-transposed" in wrong:
        output = _matrix(weight, (height, width)) @ vector
        size = height - weight.shape[0] + 1, width - weight.shape[1] + 1
    elif "inverse-for-transpose" in wrong:
        output = torch.linalg.pinv(_matrix(weight, size)) @ vector
    elif "overlaps-overwritten" in wrong:
        lands = landing((height, weight.shape[0]), (width, weight.shape[1]), wrong & PLACING).to(input.dtype)
        products = torch.outer(vector, weight.flatten())
        output = torch.tensordot(products, lands.reshape(*products.shape, -1))
    else:
        output = _matrix(weight, size).T @ vector
    if "not-reshaped" in wrong:
        return output
    if "output-column-by-column" in wrong:
        return output.reshape(size[1], size[0]).T
    return output.reshape(size[1], size[0]) if "sides-swapped" in wrong else output.reshape(size)


conv_transpose2d_matrix = Exercise(
    "conv_transpose2d_matrix",
    CHAPTER,
    lambda input, weight: F.conv_transpose2d(input[None, None], weight[None, None])[0, 0],
    forbids=CONVOLUTIONS | SCATTERING,
    links=[[(0, 0)], [(0, 1)], [(1, 0)], [(1, 1)]],
)


@conv_transpose2d_matrix.cases
def _(draw: Draw) -> Iterable[Case]:
    yield Case(CORE, (numbers(draw, 2, 2), numbers(draw, 3, 3)))
    yield Case(CORE, (numbers(draw, draw.size(3), 4), numbers(draw, 2, 3)))
    yield Case(CORE, (numbers(draw, 4, draw.size(3)), numbers(draw, 3, 2)))
    yield Case("other kernels", (numbers(draw, 2, draw.size(3)), numbers(draw, 1, 1)))
    yield Case("other kernels", (numbers(draw, 1, draw.size(3)), numbers(draw, 1, 2)))
    yield Case("other kernels", (numbers(draw, draw.size(2), 3), numbers(draw, 4, 5)))
    plain = Case(GRADIENT, (numbers(draw, 2, draw.size(3)), numbers(draw, 3, 2)), gradient=True)
    yield plain
    single = tuple(tensor.float() for tensor in plain.args)
    yield replace(plain, aspect=CONDUCT, args=single, gradient=False)


conv_transpose2d_matrix.model(
    "kernel-flipped",
    "kernel-transposed",
    "not-transposed",
    "inverse-for-transpose",
    "overlaps-overwritten",
    "input-column-by-column",
    "output-column-by-column",
    "sides-swapped",
    "not-reshaped",
)(_by_matrix)
