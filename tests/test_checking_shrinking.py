"""Failing cases become small, stay failing, keep what belongs together, and take neither forever nor chance."""

import time

import pytest
import torch

from tutor.checking import bank, run
from tutor.checking.exercise import CORE, Case, Exercise
from tutor.checking.shrinking import TRIES, shrink

PLAIN = Exercise("plain", "99_test", lambda input: input)


def tensor(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) * 3


def test_the_smallest_case_of_a_known_fault_is_found():
    small = shrink(PLAIN, Case(CORE, (tensor(4, 3, 5, 6),)), lambda case: bool((case.args[0] < 0).any()))
    assert small.args[0].shape == (1, 1, 1, 1) and small.args[0].item() in range(-9, 0)


def test_two_elements_stay_where_two_are_needed():
    def fails(case):
        return case.args[0].numel() >= 2 and bool((case.args[0][..., 0] != case.args[0][..., -1]).any())

    small = shrink(PLAIN, Case(CORE, (tensor(3, 7),)), fails)
    assert small.args[0].shape == (1, 2) and fails(small)
    assert torch.equal(small.args[0], small.args[0].round())


def test_what_is_found_always_fails_and_the_given_case_stays_as_it_was():
    tried = []

    def fails(case):
        tried.append(case)
        return case.args[0].sum().item() > 1

    start = Case(CORE, (tensor(5, 5).abs(),))
    before = start.args[0].clone()
    small = shrink(PLAIN, start, fails)
    assert fails(small) and small.args[0].numel() == 1
    assert torch.equal(start.args[0], before) and len(tried) < TRIES


def test_a_case_that_can_not_be_made_smaller_is_given_back():
    start = Case(CORE, (tensor(2, 3),), {"dim": 1})
    assert shrink(PLAIN, start, lambda case: case is start) is start


def test_numbers_never_become_zero():
    seen = []

    def fails(case):
        seen.append(case.args[0])
        return case.args[0].numel() == 4

    shrink(PLAIN, Case(CORE, (torch.tensor([[0.04, -0.3], [0.5, -0.0001]], dtype=torch.float64),)), fails)
    assert len(seen) > 3 and all((t != 0).all() for t in seen)
    zero = torch.tensor([0.0, 1.5], dtype=torch.float64)
    small = shrink(PLAIN, Case(CORE, (zero,)), lambda case: bool((case.args[0] == 0).any()))
    assert small.args[0].tolist() == [0.0]


def test_options_are_left_out_when_they_do_not_matter():
    start = Case(CORE, (tensor(2),), {"slope": 0.5, "other": True})
    small = shrink(PLAIN, start, lambda case: "slope" in case.kwargs)
    assert small.kwargs == {"slope": 0.5}


def test_linked_dimensions_are_cut_together():
    linked = Exercise("linked", "99_test", lambda input, weight: None, links=[[(0, 1), (1, 0)]])
    shapes = []

    def fails(case):
        shapes.append([tuple(arg.shape) for arg in case.args])
        input, weight = case.args
        return input.shape[1] == len(weight) >= 2

    small = shrink(linked, Case(CORE, (tensor(4, 6, 3), tensor(6))), fails)
    assert [tuple(arg.shape) for arg in small.args] == [(1, 2, 1), (2,)]
    assert all(input[1] == weight[0] for input, weight in shapes)


def test_tensors_of_one_shape_and_dimensions_of_one_size_are_cut_together():
    same = Case(CORE, (tensor(4, 5), tensor(4, 5, seed=1)))
    small = shrink(PLAIN, same, lambda case: case.args[0].shape == case.args[1].shape)
    assert [tuple(arg.shape) for arg in small.args] == [(1, 1), (1, 1)]

    def fits(case):
        input, weights = case.args
        return all(weight.shape == (input.shape[1], input.shape[1]) for weight in weights) and len(weights) == 3

    network = Case(CORE, (tensor(2, 4), [tensor(4, 4, seed=i) for i in range(3)]))
    small = shrink(PLAIN, network, fits)
    assert tuple(small.args[0].shape) == (1, 1) and isinstance(small.args[1], list)


def test_batches_in_a_list_keep_their_kinds():
    start = Case(CORE, ([(tensor(4, 3), torch.arange(4))], "name"))
    small = shrink(PLAIN, start, lambda case: case.args[1] == "name")
    ((images, labels),) = small.args[0]
    assert images.numel() == 1 and isinstance(small.args[0], list) and isinstance(small.args[0][0], tuple)
    assert labels.dtype == torch.int64


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 1e300, 1e-300])
def test_extreme_numbers_end_the_search_like_others(value):
    tries = []

    def fails(case):
        tries.append(case)
        return True

    shrink(PLAIN, Case(CORE, (torch.tensor([[value, value]], dtype=torch.float64),)), fails)
    assert len(tries) < 50


def test_the_search_is_counted():
    tries = []

    def fails(case):
        tries.append(case)
        return True

    small = shrink(PLAIN, Case(CORE, (), {f"option {i}": i for i in range(2 * TRIES)}), fails, seconds=60.0)
    assert len(tries) == TRIES and len(small.kwargs) == TRIES


def test_a_slow_search_is_cut_short():
    tries = []

    def fails(case):
        tries.append(case)
        time.sleep(0.02)
        return True

    shrink(PLAIN, Case(CORE, (tensor(9, 9, 9, 9),)), fails, seconds=0.05)
    assert 1 <= len(tries) <= 4


def test_an_answer_that_hangs_on_small_inputs_still_gets_its_report(monkeypatch):
    monkeypatch.setattr("tutor.checking.examples.PATIENCE", 0.1)

    def relu(input):
        while input.numel() < 6:
            pass
        return input

    monkeypatch.setattr(bank.get("relu"), "time_limit", 0.4)
    cases = [case for case in bank.get("relu").draw() if case.args[0].numel() >= 6]
    monkeypatch.setattr(bank.get("relu"), "_cases", lambda draw: cases)
    report = run("relu", relu)
    assert [diagnosis.id for diagnosis in report.diagnoses] == ["identity"]
    assert report.example is not None and report.example.arguments["input"].numel() >= 6


SMALLEST = {
    ("relu", "absolute-value"): (1, 1),
    ("relu", "whole-maximum"): (1, 2),
    ("sigmoid", "tanh-instead"): (1, 1),
    ("leaky_relu", "leak-upwards"): (1, 1),
    ("softmax", "dim-zero"): (2, 2),
    ("softmax", "whole-tensor"): (2, 1),
    ("log_softmax", "base-two"): (1, 2),
    ("relu_backward", "mask-forgotten"): (1, 1),
    ("softmax_backward", "diagonal-only"): (1, 2),
    ("count_dead_units", "samples-for-units"): (1, 2),
}


@pytest.mark.parametrize(("name", "identity"), SMALLEST, ids=lambda part: part)
def test_known_faults_are_shown_on_paper_sized_inputs(name, identity):
    for seed in (0, 1, 2):
        example = run(name, bank.twin(name, identity), seed=seed).example
        shapes = [tuple(v.shape) for v in example.arguments.values() if torch.is_tensor(v)]
        numel = torch.Size(SMALLEST[name, identity]).numel()
        assert all(torch.Size(shape).numel() <= numel for shape in shapes), (seed, shapes)
        assert all(torch.equal(v, v.round()) for v in example.arguments.values() if torch.is_tensor(v)) or seed
        assert not torch.equal(torch.as_tensor(first(example.expected)), torch.as_tensor(first(example.got)))


def first(value):
    return value[0] if isinstance(value, tuple) else value
