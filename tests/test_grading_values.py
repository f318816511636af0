"""What crosses between a check and an answer: nothing is lost on the way, and nothing that is no value comes through."""

import json
from typing import Any

import numpy as np
import pytest
import torch

from tutor.checking.answering import Outcome, perform
from tutor.checking.exercise import CORE, Case
from tutor.checking.failures import Failure
from tutor.checking.results import LARGEST, NUMERIC, Opaque, plain, unfolded
from tutor.checking.watching import Seen
from tutor.grading import values
from tutor.grading.values import BadValue


def crossed(value: object, *, whole: bool = False) -> Any:
    parts: list[bytes] = []
    return values.decode(json.loads(json.dumps(values.encode(value, parts, whole=whole))), parts)


@pytest.mark.parametrize("name", sorted(NUMERIC))
@pytest.mark.parametrize("shape", [(), (0, 3), (2, 3)])
def test_arrays_cross_in_every_type_of_numbers(name: str, shape: tuple[int, ...]) -> None:
    array = np.array(np.arange(np.prod(shape, dtype=int)).reshape(shape) % 3, dtype=name)
    found = crossed(np.array(array, dtype=array.dtype.newbyteorder(">")))
    assert found.dtype == array.dtype and np.array_equal(found, array)
    found.fill(1)  # its own memory, that may be written to


def test_what_stands_for_a_value_brings_along_what_it_holds() -> None:
    sent = plain(({np.int16(3)}, iter([range(2), np.float32(0.5)]), np.ones((2, 1), order="F")))
    found = crossed(sent)
    assert found == sent and isinstance(found[0], Opaque)
    assert unfolded(found)[:2] == ([3], [[0, 1], 0.5])
    nested: Any = 1
    for _ in range(25):  # deeper than what is looked into
        nested = iter([nested])
    assert crossed(plain(nested)) == Opaque("list_iterator", "")


@pytest.mark.parametrize(
    "bad",
    [
        ["float64", [2], 0],
        ["float64", [-1], 0],
        ["float64", [1], 7],
        ["object", [1], 0],
        ["O", [1], 0],
        [["float64"], [1], 0],
        ["float64,float64", [1], 0],
        ["float64", [1] * 21, 0],
        None,
    ],
)
def test_what_is_no_array_is_refused(bad: object) -> None:
    with pytest.raises(BadValue):
        values.decode({"array": bad}, [bytes(8)])


def test_very_large_tensors_go_to_an_answer_whole_and_come_back_as_a_shape() -> None:
    large = torch.arange(LARGEST + 1)
    parts: list[bytes] = []
    case = values.decode_case(json.loads(json.dumps(values.encode_case(Case(CORE, (large,)), parts))), parts)
    assert torch.equal(case.args[0], large)
    outcome = perform(lambda input: input + 1, case)
    back: list[bytes] = []
    found: Outcome = values.decode_outcome(json.loads(json.dumps(values.encode_outcome(outcome, back))), back)
    assert found.value.shape == large.shape and sum(map(len, back)) == 0


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
    back = crossed(tensor)
    assert back.dtype == tensor.dtype and torch.equal(back, tensor)
    if tensor.numel() > 1 and 0 not in tensor.stride() and 2 not in tensor.stride():
        assert back.stride() == tensor.clone().stride()  # as the check gives copies of it to an answer here


def test_a_part_is_one_tensors() -> None:
    parts: list[bytes] = []
    one = values.encode(torch.ones(10), parts)
    with pytest.raises(BadValue, match="not as many"):
        values.decode({"list": [one, one]}, parts)


def test_a_gradient_that_is_all_shape_is_none() -> None:
    parts: list[bytes] = []
    coded = values.encode_outcome(Outcome(value=1.0, grads=(torch.ones(2),)), parts)
    coded["grads"] = {"tuple": [{"large": ["float64", [10**6, 10**6]]}]}
    with pytest.raises(BadValue, match="gradients"):
        values.decode_outcome(coded, parts)


def test_an_outcome_crosses_whole_and_as_little_as_there_is_of_it() -> None:
    failure = Failure("ValueError", "no", "line 1", "", signed=True, stub=False)
    for outcome in (
        Outcome(),
        Outcome(value=(1, [2.5, None]), seconds=0.25, grads=(torch.ones(2),), seen=Seen({"mul"}, True, True)),
        Outcome(nothing=True, error=failure, slow=True, grad_error=failure, detached=True, printed="said"),
        Outcome(changed=(1,), named="input", after=("a",)),
    ):
        parts: list[bytes] = []
        coded = json.loads(json.dumps(values.encode_outcome(outcome, parts)))
        assert str(values.decode_outcome(coded, parts)) == str(outcome)
    assert coded.keys() == {"changed", "named", "after", "seen"}


@pytest.mark.parametrize(
    "forged",
    [
        [],
        None,
        {},
        {"seen": []},
        {"seen": [["mul"], True, True], "points": 2.0},
        {"seen": [[3], True, True]},
        {"seen": ["mul", True, True]},
        {"seen": [[], True, True], "seconds": "1"},
        {"seen": [[], True, True], "changed": None},
        {"seen": [[], True, True], "error": {"dict": []}},
        {"seen": [[], True, True], "value": [1]},
    ],
)
def test_what_is_no_outcome_is_refused(forged: object) -> None:
    with pytest.raises(BadValue):
        values.decode_outcome(forged, [])
