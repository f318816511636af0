"""What crosses between a check and an answer: tensors of every layout, and nothing that fills the judge's memory."""

import pytest
import torch

from tutor.checking.answering import Outcome
from tutor.grading.values import BadValue, decode, decode_outcome, encode, encode_outcome


@pytest.mark.parametrize(
    "tensor",
    [
        torch.arange(6.0).reshape(2, 3).T,
        torch.arange(5.0).reshape(1, 5)[:, -1],  # one number, with a stride of five
        torch.arange(6).reshape(2, 3)[:, ::2],
        torch.ones(3, dtype=torch.bfloat16).expand(2, 3),
        torch.tensor(7, dtype=torch.int8),
        torch.zeros(0, 3, dtype=torch.bool),
        torch.tensor([1 + 2j, 3]).conj(),
    ],
    ids=["transposed", "column", "stepped", "expanded", "number", "empty", "conjugated"],
)
def test_a_tensor_of_any_layout_crosses_as_it_is(tensor: torch.Tensor) -> None:
    parts: list[bytes] = []
    back = decode(encode(tensor, parts), parts)
    assert back.dtype == tensor.dtype and torch.equal(back, tensor)


def test_a_part_is_one_tensors() -> None:
    parts: list[bytes] = []
    one = encode(torch.ones(10), parts)
    with pytest.raises(BadValue, match="not as many"):
        decode({"list": [one, one]}, parts)


def test_a_gradient_that_is_all_shape_is_none() -> None:
    parts: list[bytes] = []
    coded = encode_outcome(Outcome(value=1.0, grads=(torch.ones(2),)), parts)
    for pair in coded["dict"]:
        if pair[0] == "grads":
            pair[1] = {"tuple": [{"large": ["float64", [10**6, 10**6]]}]}
    with pytest.raises(BadValue, match="gradients"):
        decode_outcome(coded, parts)
