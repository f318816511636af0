"""What stands beside an answer while it runs is all in one package, has a name there, and can do without the bank."""

import json
import subprocess
import sys
from functools import partial
from importlib import import_module

import pytest
import torch
import torch.nn.functional as F
from test_house_imports import TOP, imports, modules

from tutor import training
from tutor.checking import bank
from tutor.checking.answering import perform
from tutor.checking.apparatus import challenge
from tutor.checking.exercise import Folder
from tutor.grading import values

APPARATUS, BANK = "tutor.checking.apparatus", "tutor.checking.bank"
PLAIN = (torch.Tensor, int, float, str, bool, type(None), Folder)
ALONE = """
import importlib, pkgutil, sys

class NoBank:
    def find_spec(self, name, path=None, target=None):
        if name == "tutor.checking.bank" or name.startswith("tutor.checking.bank."):
            raise ModuleNotFoundError(f"{name} is not here")

sys.meta_path.insert(0, NoBank())
import tutor.checking.answer, tutor.checking.answering, tutor.checking.apparatus as apparatus
for module in pkgutil.iter_modules(apparatus.__path__):
    importlib.import_module(f"{apparatus.__name__}.{module.name}")
from tutor.checking.results import STANDING
assert STANDING == [], STANDING
print("all there")
"""


def amiss(value: object) -> list[str]:
    """Return what in a case could not be handed on in plain words."""
    if isinstance(value, partial):
        return amiss(value.func) + amiss(value.args) + amiss(value.keywords)
    if type(value) in PLAIN:
        return []
    if type(value) in (tuple, list):
        return [found for part in value for found in amiss(part)]
    if type(value) is dict:
        return [found for pair in value.items() for found in amiss(pair)]
    name = getattr(value, "__name__", "")
    if any(not name.startswith("_") and getattr(home, name, None) is value for home in (torch, F)):
        return []
    module = getattr(value, "__module__", None) or ""
    public = module.startswith(f"{APPARATUS}.") and not name.startswith("_")
    return [] if public and getattr(import_module(module), name, None) is value else [f"{module}: {value!r}"]


@pytest.mark.parametrize("name", bank.names())
def test_all_that_a_case_needs_beside_an_answer_can_be_named(name: str) -> None:
    for hidden in (False, True):
        for case in bank.get(name).draw(seed=1, hidden=hidden):
            assert not amiss((case.args, case.kwargs, case.observe, case.build)), case.aspect


def test_only_what_does_not_leave_the_sandbox_is_looked_at_there() -> None:
    # Whatever else is found out beside an answer, an answer could replace.
    looked_at = {name for name in bank.names() if any(case.observe for case in bank.get(name).draw())}
    logs = {name for name in bank.names() if any(isinstance(arg, Folder) for arg in bank.get(name).draw()[0].args)}
    assert looked_at == logs | {"build_cnn", "train_one_epoch", "challenge_net"}


def test_what_cannot_be_named_is_noticed() -> None:
    def inner() -> None: ...

    for odd in (
        inner,
        lambda: 0,
        partial(inner),
        [{"a": inner}],
        iter([1]),
        torch.nn.ReLU(),
        {1, 2},
        amiss,
        F._canonical_mask,
    ):
        assert amiss((1, odd)), odd


def test_it_does_without_the_bank() -> None:
    done = subprocess.run([sys.executable, "-c", ALONE], cwd=TOP, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("all there\n", "")


def test_nor_does_it_ask_for_the_bank_later_on() -> None:
    found = {name: set(imports(name, path)) for name, path in modules() if name.startswith(APPARATUS)}
    assert len(found) > 5
    assert not [name for name, known in found.items() if any(target.startswith(BANK) for target in known)]


def net() -> torch.nn.Module:
    return torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 4, 4), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(512, 10)
    )


def flat(value: object) -> object:
    """Return a value in which tensors are lists, so that it can be compared."""
    if isinstance(value, torch.Tensor):
        return str(value.dtype), value.tolist()
    if isinstance(value, tuple | list):
        return [flat(part) for part in value]
    return {key: flat(part) for key, part in value.items()} if isinstance(value, dict) else value


@pytest.mark.parametrize("name", bank.names())
def test_what_is_found_out_about_an_answer_elsewhere_is_what_is_found_out_here(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "small_training", lambda model: model)  # what it can without is enough here
    for memory in ("_learned", "_answers"):
        monkeypatch.setattr(challenge, memory, {})
    answer = net if name == "challenge_net" else bank.get(name).oracle
    for case in bank.get(name).draw(seed=1, hidden=True):
        there: list[bytes] = []
        back: list[bytes] = []
        sent = values.decode_case(json.loads(json.dumps(values.encode_case(case, there))), there)
        told = json.loads(json.dumps(values.encode_outcome(perform(answer, sent), back)))
        found, own = values.decode_outcome(told, back), perform(answer, case)
        assert (found.error, flat(found.grads), found.changed) == (None, flat(own.grads), own.changed)
        assert flat(found.value) == flat(own.value)
