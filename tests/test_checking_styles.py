"""No right answer is refused, however it is written."""
# ruff: noqa: F811 -- an answer is called what its exercise is called

import ast
import functools

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from learners.answers import ANSWERS, CHAPTERS, STYLES, in_style
from torch.utils.tensorboard import SummaryWriter

from tutor.checking import bank, run


def answer(style: str, name: str):
    """Return an answer as its text alone makes it, the way a notebook cell would."""
    scope: dict = {}
    exec(in_style(bank.get(name).chapter, style)[name], scope)
    return scope[name]


def assert_right(name, function, *, hidden=False, seed=0):
    report = run(name, function, hidden=hidden, seed=seed)
    assert report.verdict == "passed" and report.score == 1.0, (report.diagnoses, report.example)
    assert all(report.aspects.values()) and report.diagnoses == () and report.example is None


@pytest.mark.parametrize("name", bank.names())
@pytest.mark.parametrize("style", STYLES)
def test_right_answers_in_three_styles_pass(style, name):
    function = answer(style, name)
    for seed in (0, 1, 2):
        for hidden in (False, True):
            assert_right(name, function, hidden=hidden, seed=seed)


def test_every_chapter_of_the_bank_has_its_answers():
    assert {bank.get(name).chapter for name in bank.names()} == set(CHAPTERS)


@pytest.mark.parametrize("chapter", CHAPTERS)
@pytest.mark.parametrize("style", STYLES)
def test_each_style_has_every_exercise_and_needs_nothing_but_its_imports(style, chapter):
    assert list(in_style(chapter, style)) == bank.names(chapter)
    body = ast.parse((ANSWERS / chapter / f"{style}.py").read_text(encoding="utf-8")).body
    assert {type(node) for node in body} <= {ast.Expr, ast.Import, ast.ImportFrom, ast.FunctionDef}
    imported = {alias.name for node in body if isinstance(node, ast.Import | ast.ImportFrom) for alias in node.names}
    assert imported <= {"torch", "torch.nn.functional", "nn", "math", "SummaryWriter"}


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_the_three_styles_are_three_ways_of_writing(chapter):
    texts = [in_style(chapter, style) for style in STYLES]
    alike = [name for name in bank.names(chapter) if len({ast.dump(ast.parse(text[name])) for text in texts}) < 3]
    assert alike == []


UNUSUAL = []


def unusual(function):
    """Collect a right answer that few would write."""
    UNUSUAL.append(function)
    return function


@unusual
def relu(input):
    """Half the sum with the absolute value."""
    return (input + input.abs()) / 2


@unusual
def relu(input):
    """A copy, edited by a mask."""
    result = input.clone()
    result[result < 0] = 0
    return result


@unusual
def relu(input):
    """The larger of two stacked tensors."""
    return torch.stack([input, torch.zeros_like(input)]).max(dim=0).values


@unusual
def relu(input):
    """One element at a time, by vmap."""
    return torch.func.vmap(lambda x: torch.where(x > 0, x, torch.zeros_like(x)))(input.flatten()).view_as(input)


@unusual
def relu(input: torch.Tensor, *, floor: float = 0.0) -> torch.Tensor:
    """With annotations and an option of its own."""
    return torch.fmax(input, torch.tensor(floor, dtype=input.dtype))


def _noted(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)

    return wrapper


@unusual
@_noted
def relu(input):
    """Behind a decorator."""
    return torch.where(input.sign() == 1, input, input.new_zeros(()))


@unusual
def sigmoid(input):
    """Through softplus, which is another function."""
    return torch.exp(-F.softplus(-input))


@unusual
def sigmoid(input):
    """A softmax over two."""
    return torch.stack([input, torch.zeros_like(input)], dim=-1).softmax(dim=-1)[..., 0]


@unusual
def sigmoid(input):
    """From the other end."""
    return 1 - torch.reciprocal(1 + input.exp())


@unusual
def sigmoid(input):
    """Without a warning even where exp overflows: the sign decides between two formulas."""
    small = torch.exp(-input.abs())
    return torch.where(input < 0, small, torch.ones_like(small)) / (1 + small)


@unusual
def tanh(input):
    """Sine over cosine, hyperbolic both, where they are finite."""
    inside = input.clamp(-20, 20)
    return torch.sinh(inside) / torch.cosh(inside)


@unusual
def tanh(input):
    """From the sigmoid of the other side."""
    return 1 - 2 * torch.sigmoid(-2 * input)


@unusual
def leaky_relu(input, negative_slope=0.01):
    """From two plain ReLUs: torch's own relu is another function."""
    return torch.relu(input) - negative_slope * torch.relu(-input)


@unusual
def leaky_relu(input, negative_slope=0.01):
    """Slopes first; plain numbers make them float32."""
    return input * torch.where(input > 0, 1.0, negative_slope)


@unusual
def leaky_relu(input, negative_slope=0.01):
    """By its mean slope and the deviation from it."""
    return (1 + negative_slope) / 2 * input + (1 - negative_slope) / 2 * input.abs()


@unusual
def prelu(input, weight):
    """Channels to the end, where broadcasting finds them."""
    last = input.movedim(1, -1)
    return torch.where(last > 0, last, weight * last).movedim(-1, 1)


@unusual
def prelu(input, weight):
    """A depthwise convolution of the negative part."""
    channels = input.shape[1]
    below = input.clamp(max=0).reshape(input.shape[0], channels, -1, 1)
    scaled = F.conv2d(below, weight.expand(channels).reshape(-1, 1, 1, 1), groups=channels)
    return input.clamp(min=0) + scaled.view_as(input)


@unusual
def rrelu(input, lower=1 / 8, upper=1 / 3, training=False):
    """With a distribution object, and torch's own leaky_relu outside training."""
    if not training:
        return F.leaky_relu(input, (lower + upper) / 2)
    slopes = torch.distributions.Uniform(lower, upper).sample(input.shape).to(input.dtype)
    return torch.where(input >= 0, input, slopes * input)


@unusual
def rrelu(input, lower=1 / 8, upper=1 / 3, training=False):
    """With numpy's random numbers."""
    drawn = np.random.uniform(lower, upper, size=tuple(input.shape))
    slopes = torch.tensor(drawn, dtype=input.dtype) if training else (lower + upper) / 2
    return input.clamp(min=0) + slopes * input.clamp(max=0)


@unusual
def elu(input, alpha=1.0):
    """A copy of which the negative part is overwritten."""
    result = input.clone()
    below = input < 0
    result[below] = alpha * (torch.exp(result[below]) - 1)
    return result


@unusual
def elu(input, alpha=1.0):
    """From plain ReLUs."""
    return torch.relu(input) + alpha * torch.expm1(-torch.relu(-input))


@unusual
def softmax(input, dim=None):
    """Each element against every other."""
    last = input.movedim(dim, -1)
    return (1 / torch.exp(last.unsqueeze(-2) - last.unsqueeze(-1)).sum(dim=-1)).movedim(-1, dim)


@unusual
def softmax(input, dim=None):
    """Through a running sum of exponentials."""
    total = torch.logcumsumexp(input, dim=dim).select(dim, -1).unsqueeze(dim)
    return (input - total).exp()


@unusual
def log_softmax(input, dim=None):
    """Pair by pair, folded by logaddexp."""
    return input - functools.reduce(torch.logaddexp, input.unbind(dim)).unsqueeze(dim)


@unusual
def relu_backward(grad_output, input):
    """The mask from torch's own forward function."""
    return (grad_output * torch.relu(input).sign(),)


@unusual
def relu_backward(grad_output, input):
    """A single tensor in a list, the mask by index."""
    result = torch.zeros_like(grad_output)
    result[input > 0] = grad_output[input > 0]
    return [result]


@unusual
def sigmoid_backward(grad_output, input):
    """By symmetry."""
    return (grad_output * torch.sigmoid(input) * torch.sigmoid(-input),)


@unusual
def tanh_backward(grad_output, input):
    """By plain exponentials, which overflow to the right result."""
    return (4 * grad_output / (torch.exp(input) + torch.exp(-input)) ** 2,)


@unusual
def softmax_backward(grad_output, input, dim=None):
    """The forward part by torch's own softmax, the sum by a running difference."""
    weighted = torch.softmax(input, dim) * grad_output
    return (weighted - torch.softmax(input, dim) * weighted.sum(dim, keepdim=True),)


@unusual
def mend_tanh(input):
    """Another mended form."""
    e = torch.expm1(-2 * input.abs())
    return -input.sign() * e / (e + 2)


@unusual
def collapse_linear(weights, biases):
    """With one more coordinate that is always 1."""
    total = None
    for weight, bias in zip(weights, biases, strict=True):
        layer = torch.zeros(weight.shape[0] + 1, weight.shape[1] + 1, dtype=weight.dtype)
        layer[:-1, :-1], layer[:-1, -1], layer[-1, -1] = weight, bias, 1.0
        total = layer if total is None else layer @ total
    return [total[:-1, :-1], total[:-1, -1]]


@unusual
def collapse_linear(weights, biases):
    """By torch's product of many matrices, the bias by folding."""
    weight = torch.linalg.multi_dot([weights[2], weights[1], weights[0]])
    bias = functools.reduce(
        lambda so_far, layer: layer[0] @ so_far + layer[1], zip(weights[1:], biases[1:], strict=True), biases[0]
    )
    return weight, bias


@unusual
def count_dead_units(activations):
    """With numpy, whose whole numbers are of a type of their own."""
    return (activations.numpy() == 0).all(axis=0).sum()


@unusual
def count_dead_units(activations):
    """By sums: activations are never negative."""
    return float((activations.sum(0) <= 0).sum())


@unusual
def gradient_norms(activation, input, weights):
    """A real network, its gradients picked up by hooks."""
    found = {}
    layers = []
    for index, weight in enumerate(weights):
        layer = torch.nn.Linear(weight.shape[1], weight.shape[0], bias=False)
        layer.weight = torch.nn.Parameter(weight)
        layer.weight.register_hook(lambda gradient, index=index: found.__setitem__(index, gradient.norm()))
        layers.append(layer)
    hidden = input
    for layer in layers:
        hidden = activation(layer(hidden))
    hidden.sum().backward()
    return [found[index] for index in range(len(weights))]


@unusual
def gradient_norms(activation, input, weights):
    """By torch.func, as a generator."""

    def network(weights):
        return functools.reduce(lambda hidden, weight: activation(hidden @ weight.T), weights, input).sum()

    return (gradient.square().sum().sqrt() for gradient in torch.func.grad(network)(tuple(weights)))


@unusual
def predict_inplace():
    """Whole numbers, in tuples."""
    return (0, 2), (0, 2), (0, 4)


@unusual
def log_layer_images(folder, name, layer, batches):
    """A grid by torchvision, closed by with."""
    from torchvision.utils import make_grid

    with SummaryWriter(str(folder)) as writer:
        for step, (images, _) in enumerate(batches):
            writer.add_image(f"{name}/input", make_grid(images), step)
            writer.add_image(f"{name}/output", make_grid(layer(images), nrow=1, padding=5), step)


@unusual
def log_layer_images(folder, name, layer, batches):
    """The course's own board."""
    from tutor import board

    board.log_layer(name, layer, batches, folder=folder)


@unusual
def log_layer_images(folder, name, layer, batches):
    """A new writer for each batch, channels last, and a scalar beside the pictures."""
    for step, (images, _) in enumerate(batches):
        writer = SummaryWriter(folder)
        writer.add_images(f"{name}/input", images.permute(0, 2, 3, 1), step, dataformats="NHWC")
        writer.add_images(f"{name}/output", layer(images).permute(0, 2, 3, 1), step, dataformats="NHWC")
        writer.add_scalar(f"{name}/mean", images.mean(), step)
        writer.close()


@pytest.mark.parametrize("function", UNUSUAL, ids=lambda f: f"{f.__name__}: {f.__doc__.rstrip('.')}")
def test_unusual_right_answers_pass(function):
    for hidden in (False, True):
        assert_right(function.__name__, function, hidden=hidden)
