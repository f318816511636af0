"""How tensors and numpy's arrays cross between a check and an answer: their types, their shapes and their plain bytes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch

from tutor.checking.results import LARGEST, NUMERIC, ordinary

DTYPES = {
    str(dtype).removeprefix("torch."): dtype
    for dtype in (
        *(torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.complex64, torch.complex128, torch.bool),
        *(torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64, torch.uint16, torch.uint32, torch.uint64),
    )
}
Coded = Any  # what JSON holds
Parts = list[bytes]


def encode_tensor(tensor: torch.Tensor, parts: Parts, *, whole: bool) -> Coded:
    """Return what JSON holds of a tensor, whose bytes join ``parts``; only its shape where it is odd or (not ``whole``) large."""
    name = str(tensor.dtype).removeprefix("torch.")
    if not ordinary(tensor) or name not in DTYPES:
        kind = "nested" if tensor.is_nested else "quantized" if tensor.is_quantized else "meta"
        kind = "sparse" if not tensor.is_nested and tensor.layout != torch.strided else kind
        return {"odd": [kind, [] if tensor.is_nested else list(tensor.shape), name]}
    if tensor.numel() > LARGEST and not whole:
        return {"large": [name, list(tensor.shape)]}
    strides = tensor.stride()
    order = sorted(range(tensor.dim()), key=lambda dim: -strides[dim])  # as it lies in memory, outermost first
    plain = tensor.detach().cpu().resolve_conj().resolve_neg().permute(order)
    # A column of one row counts as contiguous, whatever its stride is: only a copy surely lies in memory number by number.
    plain = plain.clone(memory_format=torch.contiguous_format)
    parts.append(plain.reshape(-1).view(torch.uint8).numpy().tobytes() if plain.numel() else b"")
    return {"tensor": [name, list(plain.shape), len(parts) - 1, order]}


def decode_tensor(name: str, shape: list[int], place: int, order: list[int], parts: Parts) -> torch.Tensor:
    """Return the tensor, its dimensions in memory in the order that they had.

    Raises ValueError, and what else wrong types lead to, as all of these do.
    """
    dtype, size = DTYPES[name], _shape(shape)
    data = _bytes(parts, place, math.prod(size) * dtype.itemsize)
    if sorted(order) != list(range(len(size))):
        raise ValueError("its dimensions have no order")
    if not data:
        plain = torch.empty(size, dtype=dtype)
    elif dtype == torch.bool:  # of which a byte has two
        plain = (torch.frombuffer(bytearray(data), dtype=torch.uint8) != 0).reshape(size)
    else:
        plain = torch.frombuffer(bytearray(data), dtype=dtype).reshape(size)
    return plain.permute([order.index(dim) for dim in range(len(size))])


def _bytes(parts: Parts, place: int, number: int) -> bytes:
    """Return a part, once: named a million times, it would fill this process's memory."""
    if type(place) is not int or place < 0 or len(parts[place]) != number:
        raise ValueError("its bytes are not as many as its shape says")
    data, parts[place] = parts[place], b""
    return data


def decode_large(name: str, shape: list[int]) -> torch.Tensor:
    """Return a tensor of that shape, of which nothing else is looked at."""
    return torch.zeros((), dtype=DTYPES[name]).expand(_shape(shape))


def decode_odd(kind: str, held: list[int]) -> torch.Tensor:
    """Return a tensor of a kind that no right answer has: only the kind is looked at, and of some the shape."""
    shape = _shape(held)
    if kind == "sparse":
        return torch.sparse_coo_tensor(torch.zeros(len(shape), 0), torch.zeros(0), shape)
    if kind == "quantized":
        return torch.quantize_per_tensor(torch.zeros(shape if math.prod(shape) <= LARGEST else ()), 1.0, 0, torch.qint8)
    return torch.empty(shape, device="meta")


def encode_array(array: np.ndarray[Any, Any], parts: Parts) -> Coded:
    """Return what JSON holds of an array of one of the types in ``NUMERIC``, whose bytes join ``parts``."""
    parts.append(array.astype(array.dtype.newbyteorder("="), order="C").tobytes())
    return {"array": [array.dtype.name, list(array.shape), len(parts) - 1]}


def decode_array(name: str, shape: list[int], place: int, parts: Parts) -> np.ndarray[Any, Any]:
    """Return the array, in memory of its own."""
    if name not in NUMERIC:
        raise ValueError(f"{name[:50]} is no type of numbers")
    dtype, size = np.dtype(name), _shape(shape)
    data = _bytes(parts, place, math.prod(size) * dtype.itemsize)
    if dtype == np.bool_:  # of which a byte has two
        return np.not_equal(np.frombuffer(data, dtype=np.uint8), 0).reshape(size)
    return np.frombuffer(data, dtype=dtype).reshape(size).copy()


def _shape(held: list[int]) -> tuple[int, ...]:
    if not all(type(size) is int and 0 <= size < 2**40 for size in held) or len(held) > 20 or math.prod(held) > 2**60:
        raise ValueError("no shape")
    return tuple(held)
