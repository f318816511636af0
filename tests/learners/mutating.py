"""Small changes to right answers, made by a program: one operator, comparison, number, name, index, axis or argument."""

import ast
import copy
import functools
import random
import warnings
from collections.abc import Callable, Iterator

from tutor.checking import bank
from tutor.checking.answering import call
from tutor.checking.comparing import problems

JUDGED_BY_LEARNING = {"challenge_net"}  # many nets are right there, slightly changed ones as well
OPERATORS = {
    ast.Add: (ast.Sub, ast.Mult),
    ast.Sub: (ast.Add, ast.Mult),
    ast.Mult: (ast.Add, ast.Div),
    ast.Div: (ast.Mult, ast.Sub),
    ast.MatMult: (ast.Mult, ast.Add),
    ast.Pow: (ast.Mult, ast.Add),
    ast.FloorDiv: (ast.Div, ast.Mult, ast.Sub),
    ast.Mod: (ast.FloorDiv, ast.Add),
    ast.BitAnd: (ast.BitOr,),
}
COMPARISONS = {
    ast.Gt: (ast.Lt, ast.GtE, ast.Eq),
    ast.GtE: (ast.Gt, ast.Eq),
    ast.Lt: (ast.LtE, ast.Gt, ast.NotEq),
    ast.LtE: (ast.Lt, ast.Eq),
    ast.Eq: (ast.NotEq, ast.Gt, ast.GtE),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
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
    "mean": ("sum",),
    "min": ("max",),
    "abs": ("neg",),
    "ceil": ("floor",),
    "floor": ("ceil",),
    "stack": ("cat",),
    "repeat_interleave": ("repeat",),
    "cumprod": ("cumsum",),
    "zeros": ("ones",),
    "new_zeros": ("new_ones",),
}


def mutants(source: str) -> Iterator[tuple[str, str]]:
    """Yield (what was changed, source) for every small change to a function that is still a different text."""
    seen = {ast.unparse(ast.parse(source))}
    for position, change in places(source):
        text = changed(source, position, change)
        if text not in seen:
            seen.add(text)
            yield difference(source, text), text


def any_mutant(source: str, draw: random.Random) -> str:
    """Return the source after one small change, drawn from all of them; as it was where there is nothing to change."""
    found = places(source)
    return changed(source, *draw.choice(found)) if found else source


def places(source: str) -> list[tuple[int, Callable]]:
    """Return each change with the position in the tree of the node that it changes."""
    nodes = enumerate(ast.walk(ast.parse(source)))
    return [(position, change) for position, node in nodes for change in changes(node, source)]


def changed(source: str, position: int, change: Callable) -> str:
    """Return the source after the change of one node."""
    tree = ast.parse(source)
    change(next(node for index, node in enumerate(ast.walk(tree)) if index == position))
    return ast.unparse(ast.fix_missing_locations(tree))


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
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and "->" in node.value:
        for text in axes_exchanged(node.value):
            yield lambda n, t=text: setattr(n, "value", t)
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        for name in dict.fromkeys(parameters(source) + siblings(source).get(node.id, [])):
            yield lambda n, i=name: setattr(n, "id", i)
    if isinstance(node, ast.AugAssign):  # the sum becomes a difference, or what comes last
        yield lambda n: setattr(n, "op", ast.Sub())
        yield lambda n: become(n, ast.Assign([n.target], n.value))
    if isinstance(node, ast.Slice):
        for end in ("lower", "upper", "step"):
            if getattr(node, end) is not None:
                yield lambda n, e=end: setattr(n, e, None)
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):  # the index is left out
        yield lambda n: become(n, n.value)
    if isinstance(node, ast.IfExp):
        yield lambda n: become(n, n.body)
        yield lambda n: become(n, n.orelse)
    if isinstance(node, ast.If):
        yield lambda n: setattr(n, "test", ast.Constant(True))
        yield lambda n: setattr(n, "test", ast.Constant(False))
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
    if isinstance(node, ast.Name) and node.id == "dim" and isinstance(node.ctx, ast.Load):
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


@functools.cache
def parameters(source: str) -> list[str]:
    function = next(node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef))
    return [argument.arg for argument in function.args.args]


@functools.cache
def siblings(source: str) -> dict[str, list[str]]:
    """Return, for each name that is assigned together with others, the others: height and width, rows and columns."""
    found: dict[str, list[str]] = {}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Tuple) and isinstance(node.ctx, ast.Store):
            names = [part.id for part in node.elts if isinstance(part, ast.Name)]
            for name in names:
                found.setdefault(name, []).extend(other for other in names if other != name)
    return found


def axes_exchanged(equation: str) -> Iterator[str]:
    """Yield an einsum's equation with two neighbouring letters of one operand exchanged, in every way."""
    for place in range(len(equation) - 1):
        first, second = equation[place : place + 2]
        if first.isalpha() and second.isalpha():
            yield equation[:place] + second + first + equation[place + 2 :]


def become(node: ast.AST, other: ast.AST) -> None:
    """Turn a node into another, where it stands."""
    node.__class__, fields = other.__class__, copy.deepcopy(other.__dict__)
    node.__dict__.clear()
    node.__dict__.update(fields)


def become_statements(node: ast.AST) -> None:
    item = node.items[0]
    named = [ast.Assign([item.optional_vars], item.context_expr)] if item.optional_vars else []
    body = [*named, *node.body]
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


def function_of(name: str, text: str):
    """Return the function that an answer's text makes."""
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
        if case.required and problems(exercise, case, call(exercise.oracle, case), got):
            return False
    return True
