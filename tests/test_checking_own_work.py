"""Torch's ready-made function is recognised in every disguise, and so is autograd where gradients go by hand."""
# ruff: noqa: F811 -- an answer is called what its exercise is called

import warnings

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tutor.checking import bank, run

aten = torch.ops.aten
FORBIDDEN: list = []
BY_HAND: list = []


def disguise(name, how):
    """Collect a lambda or function that gets its work done by torch's own."""

    def collect(function):
        FORBIDDEN.append(pytest.param(name, function, id=f"{name}: {how}"))
        return function

    return collect


class Wrapped(torch.autograd.Function):
    """Torch's own function inside an autograd function of one's own."""

    @staticmethod
    def forward(ctx, x, function):
        ctx.save_for_backward(x)
        ctx.function = function
        return function(x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        with torch.enable_grad():
            leaf = x.detach().requires_grad_()
            return (*torch.autograd.grad((ctx.function(leaf) * grad).sum(), leaf), None)


class Mine(torch.Tensor):
    """A tensor class of one's own."""


def in_place(method):
    def function(input, *args):
        return getattr(input.clone(), method)(*args)

    return function


def written_out(operator):
    """Call an operator with a result to write into, without autograd and within a function of one's own."""

    def forward(x):
        with torch.no_grad():
            return operator(x, out=torch.empty_like(x))

    return lambda input: Wrapped.apply(input, forward)


UNARY = {
    "relu": {
        "torch.relu": torch.relu,
        "functional": F.relu,
        "functional, in place": lambda x: F.relu(x.clone(), inplace=True),
        "module": nn.ReLU(),
        "method": lambda x: x.relu(),
        "method in place": in_place("relu_"),
        "getattr": lambda x: getattr(torch, "re" + "lu")(x),
        "aten": aten.relu.default,
        "aten in place": lambda x: aten.relu_(x.clone()),
        "threshold": lambda x: F.threshold(x, 0, 0),
        "nn.Threshold": nn.Threshold(0, 0),
        "threshold's backward": lambda x: aten.threshold_backward(x, x, 0),
        "hardtanh": lambda x: F.hardtanh(x, 0, 1e30),
        "relu6": lambda x: F.relu6(x) + F.relu6(x - 6) + 0 * x,
        "leaky_relu": lambda x: F.leaky_relu(x, 0.0),
        "prelu": lambda x: F.prelu(x, torch.zeros(1, dtype=x.dtype)),
        "rrelu": lambda x: F.rrelu(x, 0.0, 0.0),
        "elu": lambda x: F.elu(x, alpha=0.0),
        "celu": lambda x: F.celu(x, alpha=1e-9),
        "silu": lambda x: F.silu(x * 1e6) / 1e6,
        "Sequential": nn.Sequential(nn.Identity(), nn.ReLU()),
        "vmap": lambda x: torch.func.vmap(torch.relu)(x),
        "functional_call": lambda x: torch.func.functional_call(nn.ReLU(), {}, (x,)),
        "autograd function": lambda x: Wrapped.apply(x, torch.relu),
        "subclass": lambda x: torch.relu(x.as_subclass(Mine)).as_subclass(torch.Tensor),
        "one by one": lambda x: torch.stack([F.relu(v) for v in x.flatten()]).view_as(x),
        "foreach": lambda x: torch.stack([torch.relu(part) for part in x.unbind()]),
        "only for one case": lambda x: torch.relu(x) if x.dim() == 1 else x.clamp(min=0),
        "computed and thrown away": lambda x: (torch.relu(x), x.clamp(min=0))[1],
    },
    "sigmoid": {
        "torch.sigmoid": torch.sigmoid,
        "functional": F.sigmoid,
        "module": nn.Sigmoid(),
        "method in place": in_place("sigmoid_"),
        "special.expit": torch.special.expit,
        "aten": aten.sigmoid.default,
        "out=": written_out(torch.sigmoid),
        "logsigmoid": lambda x: F.logsigmoid(x).exp(),
        "silu": lambda x: torch.where(x == 0, 0.5, F.silu(x) / x),
        "glu": lambda x: F.glu(torch.cat([torch.ones_like(x), x], dim=-1), dim=-1),
        "autograd function": lambda x: Wrapped.apply(x, torch.sigmoid),
    },
    "tanh": {
        "torch.tanh": torch.tanh,
        "functional": F.tanh,
        "module": nn.Tanh(),
        "method in place": in_place("tanh_"),
        "aten": aten.tanh.default,
        "out=": written_out(torch.tanh),
        "tanhshrink": lambda x: x - F.tanhshrink(x),
        "complex": lambda x: torch.tanh(x.to(torch.complex128)).real.to(x.dtype),
        "autograd function": lambda x: Wrapped.apply(x, torch.tanh),
    },
    "mend_tanh": {"torch.tanh": torch.tanh, "module": nn.Tanh()},
}
for _name, _ways in UNARY.items():
    for _how, _function in _ways.items():
        disguise(_name, _how)(lambda input, _f=_function: _f(input))

for _how, _function in {
    "functional": F.leaky_relu,
    "module": lambda x, a: nn.LeakyReLU(a)(x),
    "in place": lambda x, a: F.leaky_relu_(x.clone(), a),
    "aten": lambda x, a: aten.leaky_relu(x, a),
    "prelu": lambda x, a: F.prelu(x, torch.tensor([a], dtype=x.dtype)),
    "rrelu": lambda x, a: F.rrelu(x, a, a),
    "rrelu in training": lambda x, a: F.rrelu(x, a, a, training=True),
}.items():
    disguise("leaky_relu", _how)(lambda input, negative_slope=0.01, _f=_function: _f(input, negative_slope))


@disguise("prelu", "functional")
def prelu(input, weight):
    return F.prelu(input, weight)


@disguise("prelu", "module")
def prelu(input, weight):
    layer = nn.PReLU(len(weight))
    return torch.func.functional_call(layer, {"weight": weight}, (input,))


@disguise("rrelu", "functional")
def rrelu(input, lower=1 / 8, upper=1 / 3, training=False):
    return F.rrelu(input, lower, upper, training)


@disguise("rrelu", "module")
def rrelu(input, lower=1 / 8, upper=1 / 3, training=False):
    return nn.RReLU(lower, upper).train(training)(input)


for _how, _function in {
    "functional": F.elu,
    "module": lambda x, a: nn.ELU(a)(x),
    "in place": lambda x, a: F.elu_(x.clone(), a),
    "celu": lambda x, a: a * F.celu(x, 1.0) + (1 - a) * x.clamp(min=0),
    "selu": lambda x, a: torch.where(x > 0, x, F.selu(x) / 1.7580993408473766 * a),
}.items():
    disguise("elu", _how)(lambda input, alpha=1.0, _f=_function: _f(input, alpha))


def attention(x, dim):
    """Softmax as the weights that attention gives to the rows of an identity matrix."""
    last = x.movedim(dim, -1)
    eye = torch.eye(last.shape[-1], dtype=x.dtype)
    scores = last.reshape(-1, 1, last.shape[-1])
    keys = eye.expand(len(scores), -1, -1)
    return F.scaled_dot_product_attention(scores, keys, keys, scale=1.0).reshape(last.shape).movedim(-1, dim)


SOFTMAX = {
    "torch.softmax": torch.softmax,
    "functional": F.softmax,
    "module": lambda x, d: nn.Softmax(d)(x),
    "method": lambda x, d: x.softmax(d),
    "special": torch.special.softmax,
    "aten": lambda x, d: aten._softmax(x, d, False),
    "softmin": lambda x, d: F.softmin(-x, d),
    "exp of log_softmax": lambda x, d: F.log_softmax(x, d).exp(),
    "gumbel's backward": lambda x, d: torch.softmax(x + 0, d) * 1.0,
    "distribution": lambda x, d: torch.distributions.Categorical(logits=x.movedim(d, -1)).probs.movedim(-1, d),
    "attention": attention,
    "vmap": lambda x, d: (
        torch.func.vmap(lambda y: torch.softmax(y, 0))(x.movedim(d, -1).flatten(0, -2))
        .reshape(x.movedim(d, -1).shape)
        .movedim(-1, d)
    ),
    "module made of modules": lambda x, d: nn.Sequential(nn.LogSoftmax(d))(x).exp(),
}
for _how, _function in SOFTMAX.items():
    disguise("softmax", _how)(lambda input, dim=None, _f=_function: _f(input, dim))


def by_cross_entropy(x, dim):
    """The log-probability of each class is minus the loss for that class as the target."""
    last = x.movedim(dim, -1)
    rows = last.reshape(-1, last.shape[-1])
    losses = [-F.cross_entropy(rows, torch.full((len(rows),), c), reduction="none") for c in range(rows.shape[1])]
    return torch.stack(losses, dim=-1).reshape(last.shape).movedim(-1, dim)


for _how, _function in {
    "torch.log_softmax": torch.log_softmax,
    "functional": F.log_softmax,
    "module": lambda x, d: nn.LogSoftmax(d)(x),
    "special": torch.special.log_softmax,
    "log of softmax": lambda x, d: torch.log(torch.softmax(x, d)),
    "cross_entropy": by_cross_entropy,
    "aten": lambda x, d: aten._log_softmax(x, d, False),
}.items():
    disguise("log_softmax", _how)(lambda input, dim=None, _f=_function: _f(input, dim))

for _how, _name, _function in (
    ("aten", "relu_backward", lambda g, x: (aten.threshold_backward(g, x, 0),)),
    ("leaky_relu's", "relu_backward", lambda g, x: (aten.leaky_relu_backward(g, x, 0.0, False),)),
    ("aten", "sigmoid_backward", lambda g, x: (aten.sigmoid_backward(g, torch.sigmoid(x)),)),
    ("grad_fn", "sigmoid_backward", lambda g, x: (torch.sigmoid(x.requires_grad_()).grad_fn(g).detach(),)),
    ("aten", "tanh_backward", lambda g, x: (aten.tanh_backward(g, torch.tanh(x)),)),
    ("grad_fn", "tanh_backward", lambda g, x: (torch.tanh(x.requires_grad_()).grad_fn(g).detach(),)),
):
    disguise(_name, _how)(lambda grad_output, input, _f=_function: _f(grad_output, input))


@disguise("softmax_backward", "aten")
def softmax_backward(grad_output, input, dim=None):
    return (aten._softmax_backward_data(grad_output, torch.softmax(input, dim), dim, input.dtype),)


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize(("name", "function"), FORBIDDEN)
def test_torchs_own_is_recognised(name, function):
    report = run(name, function)
    assert report.diagnoses[0].id == "own-work", report.diagnoses
    assert report.score == 0 and report.verdict == "not right yet" and report.example is None
    assert "`_" not in report.diagnoses[0].message  # torch's inner names mean nothing to learners


@pytest.mark.parametrize("name", sorted({param.values[0] for param in FORBIDDEN}))
def test_it_is_called_by_the_name_that_learners_know(name):
    plain = {"prelu": prelu, "rrelu": rrelu, "softmax_backward": softmax_backward}.get(name)
    function = plain or next(p.values[1] for p in FORBIDDEN if p.values[0] == name)
    forward = name.removeprefix("mend_").removesuffix("_backward")
    told = run(name, function).diagnoses[0].message.split("`")[1]
    assert told.startswith(forward) or told == "threshold_backward", told


def test_scripted_and_traced_functions_are_seen_through():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch would rather have its compiler used
        scripted = torch.jit.script(nn.ReLU())
    for _ in range(3):  # the interpreter may change its plan after a while

        def relu(input):
            return scripted(input)

        assert run("relu", relu).diagnoses[0].id == "own-work"


# ---------------------------------------------------------------- by hand


def by_autograd(forward):
    """Every way that torch offers to get the gradient of ``forward`` without writing it down."""

    def grad(g, x):
        x.requires_grad_()
        return torch.autograd.grad(forward(x), x, g)

    def grad_of_a_sum(g, x):
        x.requires_grad_()
        return torch.autograd.grad((forward(x) * g).sum(), x)

    def backward(g, x):
        leaf = x.clone().requires_grad_()
        forward(leaf).backward(g)
        return (leaf.grad,)

    def autograd_backward(g, x):
        leaf = nn.Parameter(x)
        torch.autograd.backward([forward(leaf)], [g])
        return (leaf.grad,)

    def func_grad(g, x):
        return (torch.func.grad(lambda y: (forward(y) * g).sum())(x),)

    def func_vjp(g, x):
        return torch.func.vjp(forward, x)[1](g)

    def func_jvp(g, x):
        columns = [
            torch.func.jvp(forward, (x,), (e,))[1] for e in torch.eye(x.numel(), dtype=x.dtype).view(-1, *x.shape)
        ]
        return (torch.stack([(column * g).sum() for column in columns]).view_as(x),)

    def func_jacrev(g, x):
        return (torch.tensordot(g, torch.func.jacrev(forward)(x), dims=g.dim()),)

    def func_jacfwd(g, x):
        return (torch.tensordot(g, torch.func.jacfwd(forward)(x), dims=g.dim()),)

    def functional_jacobian(g, x):
        return (torch.tensordot(g, torch.autograd.functional.jacobian(forward, x), dims=g.dim()),)

    def functional_vjp(g, x):
        return (torch.autograd.functional.vjp(forward, x, g)[1],)

    def a_hook(g, x):
        caught = []
        x.requires_grad_().register_hook(caught.append)
        (forward(x) * g).sum().backward()
        return (caught[0],)

    def a_layer(g, x):
        class Layer(nn.Module):
            def forward(self, y):
                return forward(y)

        leaf = x.detach().clone().requires_grad_()
        Layer()(leaf).backward(gradient=g)
        return (leaf.grad,)

    def the_engine(g, x):
        leaf = x.detach().clone().requires_grad_()
        out = forward(leaf)
        torch.autograd.Variable._execution_engine.run_backward((out,), (g,), False, False, (), accumulate_grad=True)
        return (leaf.grad,)

    def node_by_node(g, x):
        leaf = x.detach().clone().requires_grad_()
        total = torch.zeros_like(x)
        todo = [(forward(leaf).grad_fn, (g,))]
        while todo:
            node, grads = todo.pop()
            if node.name().endswith("AccumulateGrad"):
                total = total + grads[0]
                continue
            found = node(*grads)
            found = found if isinstance(found, tuple) else (found,)
            todo += [
                (after, (f,))
                for (after, _), f in zip(node.next_functions, found, strict=True)
                if after and f is not None
            ]
        return (total,)

    return [value for value in list(locals().values()) if callable(value) and value is not forward]


def sigmoid(x):
    return 1 / (1 + torch.exp(-x))


def softmax_over(dim):
    def softmax(x):
        return torch.exp(x) / torch.exp(x).sum(dim, keepdim=True)

    return softmax


FORWARD = {
    "relu_backward": lambda x: torch.where(x > 0, x, 0 * x),
    "sigmoid_backward": sigmoid,
    "tanh_backward": lambda x: 2 * sigmoid(2 * x) - 1,
}
WAYS = [way.__name__ for way in by_autograd(sigmoid)]


@pytest.mark.parametrize("name", FORWARD)
@pytest.mark.parametrize("way", WAYS)
def test_autograd_is_recognised_where_a_gradient_is_to_be_written_by_hand(name, way):
    def function(grad_output, input):
        return next(w for w in by_autograd(FORWARD[name]) if w.__name__ == way)(grad_output, input)

    report = run(name, function)
    assert report.diagnoses[0].id == "by-hand", (report.diagnoses, report.example)
    assert report.score == 0 and report.example is None


@pytest.mark.parametrize("way", ["grad", "backward", "func_vjp", "func_jacrev", "functional_vjp"])
def test_autograd_is_recognised_with_options_too(way):
    def softmax_backward(grad_output, input, dim=None):
        return next(w for w in by_autograd(softmax_over(dim)) if w.__name__ == way)(grad_output, input)

    assert run("softmax_backward", softmax_backward).diagnoses[0].id == "by-hand"


def test_only_what_is_differentiated_counts():
    """Reading attributes, making parameters, calling one's own backward function: none of it is autograd's work."""

    class Relu(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.clamp(min=0)

        @staticmethod
        def backward(ctx, grad):
            return grad * (ctx > 0)

    def relu_backward(grad_output, input):
        leaf = nn.Parameter(input)
        assert leaf.grad is None and leaf.grad_fn is None and leaf.requires_grad and "grad" in repr(leaf)
        return (Relu.backward(leaf.detach(), grad_output),)

    assert run("relu_backward", relu_backward).passed


def test_autograd_is_welcome_where_it_is_the_point():
    def gradient_norms(activation, input, weights):
        leaves = [nn.Parameter(weight) for weight in weights]
        hidden = input
        for leaf in leaves:
            hidden = activation(hidden @ leaf.T)
        hidden.sum().backward()
        return [leaf.grad.norm().item() for leaf in leaves]

    assert run("gradient_norms", gradient_norms).passed


def test_every_exercise_that_asks_for_a_torch_function_forbids_it():
    for name in bank.names("01_activations"):
        forward = getattr(F, name, None)
        if forward is None:
            continue
        extra = {"prelu": (torch.full((4,), 0.5, dtype=torch.float64),), "softmax": (1,), "log_softmax": (1,)}.get(
            name, ()
        )
        report = run(name, lambda input, *args, _f=forward, _e=extra, **kwargs: _f(input, *_e) * 1)
        assert report.diagnoses[0].id in ("own-work", "signature", "raised"), name
