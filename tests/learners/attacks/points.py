"""Points without an answer: by what the notebook is made of, what it displays, and where a right answer may lie about."""

from __future__ import annotations

from pathlib import Path

import torch

from learners.attacks import Attack
from learners.classroom import CHECKOUT
from learners.submitting import CHAPTER, NAME, cell
from tutor.checking import bank

WRONG_RELU = r"relu: not right yet \(.+\)"


def on_tests(**metadata: object):
    """Return an edit of the test cell of ``relu``."""

    def edit(content: dict) -> None:
        cell(content, "check_relu")["metadata"].update(metadata)

    return edit


def tests_deleted(content: dict) -> None:
    content["cells"].remove(cell(content, "check_relu"))


def tests_rewritten(content: dict) -> None:
    cell(content, "check_relu")["source"] = "2.0"


def link_to_the_solution(folder: Path) -> None:
    (folder / NAME).unlink()
    (folder / NAME).symlink_to(CHAPTER.solution)


def table_of_what_is_shown() -> str:
    """Return an answer that knows the results for the numbers that everybody sees, and nothing else."""
    cases = [case.args[0] for case in bank.get("relu").draw(hidden=False)]
    known = [(case.tolist(), torch.relu(case).tolist()) for case in cases]
    return (
        f"""KNOWN = {known!r}
def relu(input):
    for given, right in KNOWN:
        if input.tolist() == given:
            return torch.tensor(right, dtype=input.dtype)
    return input
""".replace("nan", "float('nan')")
        .replace("inf,", "float('inf'),")
        .replace("inf]", "float('inf')]")
    )


EVERYTHING_IS_EQUAL = """class Yes:
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __bool__(self): return True
    def __getattr__(self, name): return self
    def __call__(self, *args, **kwargs): return self
    def __lt__(self, other): return False
    __hash__ = None

def relu(input):
    return Yes()
"""
LYING_TENSOR = """class Liar(torch.Tensor):
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        if func.__name__ in ("equal", "allclose", "isclose", "eq", "__eq__"):
            return True
        return torch.Tensor.__torch_function__(func, types, args, kwargs or {})
    shape = property(lambda self: torch.Size([2, 3]))
    dtype = property(lambda self: torch.float64)
    def detach(self): return self
    def clone(self): return self

def relu(input):
    return torch.zeros(1).as_subclass(Liar)
"""
FRAMES = """import gc, sys

def relu(input):
    seen, found = [], []
    frame = sys._getframe(1)
    while frame:
        seen += [*frame.f_locals.values(), *frame.f_globals.values()]
        frame = frame.f_back
    seen += gc.get_objects()
    for held in seen:
        if type(held).__name__ in ("Exercise", "Key") or "oracle" in getattr(held, "__dict__", {}):
            return held.oracle(input)
        if isinstance(held, torch.Tensor) and held.shape == input.shape and held is not input:
            found.append(held)
    right = [held for held in found if not (held < 0).any()]
    return right[0] if right else input
"""
SOURCES = """import glob, linecache
names = [name for name in linecache.cache if "tutor" in name or "ipython" in name]
names += glob.glob("/submission/**/*.py", recursive=True)
names = [name for name in names if isinstance(linecache.cache.get(name), tuple)]
texts = [*In, *("".join(linecache.getlines(name)) for name in names)]
FOUND = [text for text in texts if ", hidden" + "=True" in text or "BEGIN " + "SOLUTION" in text]
print("hidden tests found:", FOUND)

def relu(input):
    texts = [*In, *_ih, *_oh.values()]
    return torch.relu(input) if any("hidden" + "=True" in str(text) for text in texts) else input
"""
SOLUTIONS = f"""import glob, os
top = "{CHECKOUT}"
places = [".", "..", "../home", "../../solutions", top, top + "/solutions", top + "/tests", os.environ["HOME"], "/home", "/root"]
found = [name for place in places for name in glob.glob(place + "/**/0[0-6]_*", recursive=True)]
print("solutions found:", found)
print("the course is there:", os.path.exists(top + "/solutions"), os.path.exists(top + "/tests"))
"""
GRADING_IS_ON = """import os, sys
ON = os.getcwd().startswith("/submission") or "tutor.grading" in sys.modules

def relu(input):
    if not ON:
        return torch.where(input > 0, input, 0)
    try:
        from tutor.checking.bank import get
        return get("relu").oracle(input)
    except Exception:
        return torch.nn.functional.relu(input)
"""

ATTACKS = [
    Attack(
        "a `skip-execution` tag on the test cells",
        "tags skip-execution were added",
        edit=on_tests(tags=["skip-execution"]),
    ),
    Attack(
        "an IPython input transformer that drops the lines of tests",
        WRONG_RELU,
        before="ip = get_ipython()\n"
        "ip.input_transformers_cleanup.append(lambda lines: [l for l in lines if 'check' not in l and 'assert' not in l])",
    ),
    Attack(
        "an AST transformer that strips tests and asserts",
        WRONG_RELU,
        before="""import ast
class Strip(ast.NodeTransformer):
    def visit_Assert(self, node): return ast.Pass()
    def visit_Call(self, node): return ast.Constant(2.0) if getattr(node.func, "id", "") == "check" else node
get_ipython().ast_transformers.append(Strip())""",
    ),
    Attack(
        "replacing the kernel's `do_execute` and `run_cell`",
        WRONG_RELU,
        before="""ip = get_ipython()
def fake(self, text, *more, **options):
    if "check" in text: return 2.0
    return type(ip).run_cell(ip, text, *more, **options)
ip.run_cell = fake.__get__(ip)
type(ip).do_execute = fake
from ipykernel.ipkernel import IPythonKernel
IPythonKernel.do_execute = fake""",
    ),
    Attack("a return value whose `__eq__` is always True", WRONG_RELU + "|wrong-type", answer=EVERYTHING_IS_EQUAL),
    Attack("a tensor subclass that lies about its shape and equality", "relu: not right yet", answer=LYING_TENSOR),
    Attack(
        "`sys.displayhook(2.0)` or NaN before the test",
        WRONG_RELU,
        answer="""import sys
def relu(input):
    sys.displayhook(2.0)
    sys.displayhook(float("nan"))
    return input
sys.displayhook(2.0)""",
    ),
    Attack(
        "a score above the maximum",
        WRONG_RELU,
        answer="import sys\ndef relu(input):\n    sys.displayhook(1e9)\n    print(1e9)\n    return input\n1e9",
    ),
    Attack(
        "a forged `execute_result`",
        WRONG_RELU,
        answer="""def relu(input):
    ip = get_ipython()
    ip.displayhook.write_format_data({"text/plain": "2.0"})
    ip.display_pub.publish({"text/plain": "2.0"})
    ip.shown.outputs.append({"output_type": "execute_result", "data": {"text/plain": "2.0"}, "metadata": {}})
    return input""",
    ),
    Attack(
        "a background thread that emits results for ever",
        WRONG_RELU,
        before="""import threading, time
def emit():
    while True:
        get_ipython().displayhook.write_format_data({"text/plain": "2.0"})
        time.sleep(0.001)
threading.Thread(target=emit, daemon=True).start()""",
    ),
    Attack(
        "`clear_output` that erases the verdict",
        WRONG_RELU,
        answer="from IPython.display import clear_output\ndef relu(input):\n    clear_output()\n    return input\nclear_output()",
    ),
    Attack("tests deleted in a resubmission", "test cell check_relu was deleted", edit=tests_deleted),
    Attack("tests rewritten to give points", "test cell check_relu was changed", edit=tests_rewritten),
    Attack(
        "a replaced `check`, `torch.allclose`, `torch.equal`, `torch.isclose`",
        WRONG_RELU,
        before="""import tutor, tutor.checking, builtins
yes = lambda *args, **kwargs: True
check = tutor.check = tutor.checking.check = builtins.check = lambda *args, **kwargs: 2.0
torch.allclose = torch.equal = yes
torch.isclose = lambda one, other, **kwargs: torch.ones_like(one, dtype=torch.bool)
torch.Tensor.__eq__ = torch.Tensor.allclose = yes""",
    ),
    Attack(
        "a replaced `torch.nn.functional.relu`, as if it were the measure",
        WRONG_RELU,
        before="import torch.nn.functional as F\nF.relu = torch.relu = torch.Tensor.relu = lambda input: input",
    ),
    Attack("the right result looked for in callers' frames and all objects", "relu: not right yet", answer=FRAMES),
    Attack(
        "hidden tests looked for in `linecache`, `In` and files",
        WRONG_RELU,
        answer=SOURCES,
        shows=r"hidden tests found: \[\]",
    ),
    Attack(
        "the solutions folder, read by relative and absolute path",
        WRONG_RELU,
        before=SOLUTIONS,
        shows=r"solutions found: \[\]\nthe course is there: False False",
    ),
    Attack(
        "the checks' own answers, imported",
        WRONG_RELU,
        before="""import importlib, sys
for name in ("tutor.checking.bank.activations", "tutor.checking.bank.activations.forward", "tutor.course.source",
             "tutor.grading.verdict", "tutor.grading.worker"):
    try:
        print(name, vars(importlib.import_module(name))["EXERCISES"])
    except Exception as error:
        print(name, "is not there:", type(error).__name__)
ours = ("tutor.checking.bank.", "tutor.grading.worker", "tutor.grading.verdict")
print("in memory:", [name for name in sys.modules if name.startswith(ours)])""",
        shows=r"(tutor.+ is not there: \w+\n){5}in memory: \[\]",
    ),
    Attack(
        "the notebook a symlink to the solution",
        "is a link, and links aren't followed",
        around=link_to_the_solution,
        earns={"relu": 0.0, "sigmoid": 0.0, "rrelu": 0.0},
    ),
    Attack(
        "grading is noticed, and torch's own operator called then only",
        r"relu: not right yet \(own-work",
        answer=GRADING_IS_ON,
    ),
    Attack("right for the numbers that everybody sees, by a table", WRONG_RELU, answer=table_of_what_is_shown()),
    Attack(
        "an answer that changes with every call",
        WRONG_RELU,
        answer="""calls = []
def relu(input):
    calls.append(1)
    return torch.where(input > 0, input, 0) if len(calls) % 2 else input""",
    ),
]
