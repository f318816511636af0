"""Small changes to right answers, made by a program: each is caught, or does the very same as what it was made from."""
# ruff: noqa: E501 -- lines of answers, as they are

import ast
import copy
import random
import warnings
from collections.abc import Iterator

import pytest
from learners.answers import in_style

from tutor.checking import bank, run
from tutor.checking.answering import call
from tutor.checking.comparing import problems, same

CHAPTER = "01_activations"
ANSWERS = in_style(CHAPTER, "vectorised")

OPERATORS = {
    ast.Add: (ast.Sub, ast.Mult),
    ast.Sub: (ast.Add, ast.Mult),
    ast.Mult: (ast.Add, ast.Div),
    ast.Div: (ast.Mult, ast.Sub),
    ast.MatMult: (ast.Mult, ast.Add),
    ast.Pow: (ast.Mult, ast.Add),
}
COMPARISONS = {ast.Gt: (ast.Lt, ast.GtE, ast.Eq), ast.Eq: (ast.NotEq, ast.Gt, ast.GtE)}
NAMES = {
    "amax": ("amin", "sum", "mean"),
    "sum": ("mean", "prod", "amax"),
    "exp": ("expm1", "exp2", "log", "sinh"),
    "log": ("log1p", "log2", "exp"),
    "all": ("any",),
    "where": ("minimum",),
    "zeros_like": ("ones_like",),
    "rand_like": ("randn_like", "ones_like", "zeros_like"),
    "full_like": ("rand_like",),
    "clamp": ("add",),
    "sigmoid": ("tanh", "exp", "sin"),
    "tanh": ("sigmoid", "sinh", "tan", "atan"),
    "norm": ("sum", "max", "mean"),
    "T": ("mT", "data"),
    "add_images": ("add_image",),
    "max": ("min",),
    "clone": ("detach",),
}


def mutants(source: str) -> Iterator[tuple[str, str]]:
    """Yield (what was changed, source) for every small change to a function that is still a different text."""
    seen = {ast.unparse(ast.parse(source))}
    for position, node in enumerate(ast.walk(ast.parse(source))):
        for change in changes(node, source):
            tree = ast.parse(source)
            target = next(n for index, n in enumerate(ast.walk(tree)) if index == position)
            change(target)
            text = ast.unparse(ast.fix_missing_locations(tree))
            if text not in seen:
                seen.add(text)
                yield difference(source, text), text


def changes(node: ast.AST, source: str):
    """Yield functions that each change a node in one way."""
    if isinstance(node, ast.BinOp):
        for operator in OPERATORS.get(type(node.op), ()):
            yield lambda n, o=operator: setattr(n, "op", o())
        for side in ("left", "right"):  # the other operand is left out
            yield lambda n, s=side: become(n, getattr(n, s))
        if not isinstance(node.op, ast.Add | ast.Mult):  # these two don't mind
            yield lambda n: swap(n, "left", "right")
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield lambda n: become(n, n.operand)
    if isinstance(node, ast.Compare):
        for operator in COMPARISONS.get(type(node.ops[0]), ()):
            yield lambda n, o=operator: n.ops.__setitem__(0, o())
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        for value in (node.value + 1, node.value - 1, -node.value, node.value * 2):
            yield lambda n, v=value: setattr(n, "value", v)
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield lambda n: setattr(n, "value", not n.value)
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and "/" in node.value:
        yield lambda n: setattr(n, "value", n.value.swapcase())
    if isinstance(node, ast.Attribute):
        for name in NAMES.get(node.attr, ()):
            yield lambda n, a=name: setattr(n, "attr", a)
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        for name in parameters(source):
            yield lambda n, i=name: setattr(n, "id", i)
    if isinstance(node, ast.Call):
        for index in range(len(node.args)):
            yield lambda n, i=index: n.args.pop(i)
        for index in range(len(node.args) - 1):
            yield lambda n, i=index: n.args.__setitem__(slice(i, i + 2), [n.args[i + 1], n.args[i]])
        for index in range(len(node.keywords)):
            yield lambda n, i=index: n.keywords.pop(i)
        if isinstance(node.func, ast.Attribute):  # the method is left out
            yield lambda n: become(n, n.func.value)
        if len(node.args) == 1:  # the function is left out
            yield lambda n: become(n, n.args[0])
    if isinstance(node, ast.keyword) and node.arg in ("max", "min"):
        yield lambda n: setattr(n, "arg", "min" if n.arg == "max" else "max")
    if isinstance(node, ast.Name) and node.id == "dim":
        for value in (0, 1, -1, -2, None):
            yield lambda n, v=value: become(n, ast.Constant(v))
    if isinstance(node, ast.FunctionDef) and len(node.body) > 1:
        for index in range(len(node.body)):
            yield lambda n, i=index: n.body.pop(i)
    if isinstance(node, ast.Tuple) and isinstance(node.ctx, ast.Load) and len(node.elts) > 1:
        yield lambda n: n.elts.reverse()
    if isinstance(node, ast.Tuple) and isinstance(node.ctx, ast.Load) and len(node.elts) == 1:
        yield lambda n: become(n, n.elts[0])
    if isinstance(node, ast.With):  # nobody closes what is used
        yield lambda n: become_statements(n)


def parameters(source: str) -> list[str]:
    function = next(node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef))
    return [argument.arg for argument in function.args.args]


def become(node: ast.AST, other: ast.AST) -> None:
    """Turn a node into another, where it stands."""
    node.__class__, fields = other.__class__, copy.deepcopy(other.__dict__)
    node.__dict__.clear()
    node.__dict__.update(fields)


def become_statements(node: ast.AST) -> None:
    item = node.items[0]
    assign = ast.Assign([item.optional_vars], item.context_expr)
    body = [assign, *node.body]
    become(node, ast.If(ast.Constant(True), body, []))


def swap(node: ast.AST, one: str, other: str) -> None:
    first, second = getattr(node, one), getattr(node, other)
    setattr(node, one, second)
    setattr(node, other, first)


def difference(source: str, text: str) -> str:
    """Return the changed line, before and after."""
    before, after = (ast.unparse(ast.parse(t)).splitlines() for t in (source, text))
    old = [line.strip() for line in before if line not in after]
    new = [line.strip() for line in after if line not in before]
    return f"{' | '.join(old)}  ->  {' | '.join(new) or '(left out)'}"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """Some changes log into a folder of another name: that shall not be the checkout."""
    monkeypatch.chdir(tmp_path)


def function_of(name: str, text: str):
    scope: dict = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)  # some changes call a number
        exec(text, scope)
    return scope[name]


def survives(name: str, function, *, seed: int = 0, hidden: bool = False) -> bool:
    """Tell whether no case finds anything wrong: what a check does, without the words for it."""
    exercise = bank.get(name)
    for case in exercise.draw(seed=seed, hidden=hidden):
        got = call(function, case, limit=5.0)
        if case.required and problems(exercise, case, call(exercise.oracle, case), got, function):
            return False
    return True


KINK = "differs only in the slope exactly at the bend, which nobody asks for"
ZERO = "0 and -0 are the same number"
EQUIVALENT = {
    "relu": {"return torch.where(input > 0, input, 0)  ->  return torch.where(input >= 0, input, 0)": KINK},
    "leaky_relu": {
        "return torch.where(input > 0, input, negative_slope * input)  ->  return torch.where(input >= 0, input, negative_slope * input)": KINK
    },
    "prelu": {
        "return torch.where(input > 0, input, slopes * input)  ->  return torch.where(input >= 0, input, slopes * input)": KINK,
        "slopes = weight.reshape(1, -1, *[1] * (input.dim() - 2))  ->  slopes = weight.reshape(-1, *[1] * (input.dim() - 2))": "broadcasting puts the batch's axis in front by itself",
    },
    "rrelu": {
        "return torch.where(input > 0, input, slopes * input)  ->  return torch.where(input >= 0, input, slopes * input)": KINK
    },
    "elu": {
        "return torch.where(input > 0, input, alpha * (torch.exp(below) - 1))  ->  return torch.where(input >= 0, input, alpha * (torch.exp(below) - 1))": KINK,
        "below = torch.clamp(input, max=0)  ->  below = torch.clamp(input, max=1)": "what is cut off only has to stay finite: it isn't chosen",
    },
    "relu_backward": {"return (grad_output * (input > 0),)  ->  return (grad_output * (input >= 0),)": KINK},
    "count_dead_units": {
        "return int((activations == 0).all(dim=0).sum())  ->  return (activations == 0).all(dim=0).sum()": "a tensor of one whole number is taken for it"
    },
    "gradient_norms": {
        "return [gradient.norm().item() for gradient in gradients]  ->  return [gradient.norm() for gradient in gradients]": "a tensor of one number is taken for it",
        "leaves = [weight.clone().requires_grad_() for weight in weights]  ->  leaves = [weight.requires_grad_() for weight in weights]": "the weights keep their numbers, and they are the answer's own",
        "leaves = [weight.clone().requires_grad_() for weight in weights]  ->  leaves = [weight.detach().requires_grad_() for weight in weights]": "the weights keep their numbers",
        "hidden = activation(hidden @ leaf.T)  ->  hidden = activation(hidden @ leaf.mT)": "another word for the same transpose",
    },
    "predict_inplace": {
        "return ([0.0, 2.0], [0.0, 2.0], [0.0, 4.0])  ->  return ([-0.0, 2.0], [0.0, 2.0], [0.0, 4.0])": ZERO,
        "return ([0.0, 2.0], [0.0, 2.0], [0.0, 4.0])  ->  return ([0.0, 2.0], [-0.0, 2.0], [0.0, 4.0])": ZERO,
        "return ([0.0, 2.0], [0.0, 2.0], [0.0, 4.0])  ->  return ([0.0, 2.0], [0.0, 2.0], [-0.0, 4.0])": ZERO,
    },
}


@pytest.mark.parametrize("name", ANSWERS)
def test_every_small_change_is_caught_unless_it_changes_nothing(name):
    found = {what for what, text in mutants(ANSWERS[name]) if survives(name, function_of(name, text))}
    assert found == set(EQUIVALENT.get(name, {}))


def test_there_are_many_changes():
    assert sum(1 for name in ANSWERS for _ in mutants(ANSWERS[name])) > 850
    assert all(sum(1 for _ in mutants(ANSWERS[name])) >= 10 for name in ANSWERS)


@pytest.mark.parametrize("name", [name for name in ANSWERS if name != "log_layer_images"])
def test_two_random_changes_at_once_are_caught_unless_they_cancel_out(name):
    draw = random.Random(name)
    once = [text for _, text in mutants(ANSWERS[name])]
    caught = 0
    for _ in range(25):
        what, text = draw.choice(list(mutants(draw.choice(once))))
        function = function_of(name, text)
        if not survives(name, function):
            caught += 1
        else:  # then it is right for any other numbers as well
            assert all(survives(name, function, seed=seed, hidden=True) for seed in range(2, 8)), what
    assert caught >= 15


@pytest.mark.parametrize("name", ANSWERS)
def test_what_is_named_is_what_was_done(name):
    """A name is given to a changed answer only where it does the same as the twin of that name, with fresh numbers too."""
    exercise = bank.get(name)
    twins = {frozenset([identity]): twin for identity, twin in exercise.twins.items()}
    twins |= {frozenset(pair): function for pair, function in exercise.pairs()}
    for _, text in list(mutants(ANSWERS[name]))[::4]:
        function = function_of(name, text)
        named = frozenset(d.id for d in run(name, function).diagnoses) & set(exercise.twins)
        for case in exercise.draw(seed=9, hidden=True) if named else ():
            one, other = call(function, case, limit=5.0), call(twins[named], case)
            assert not case.required or same(exercise, case, one, other), (named, text)
