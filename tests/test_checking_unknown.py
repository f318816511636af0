"""Plausible wrong answers that the bank doesn't know: none passes, none gets a name that isn't its own, and the case shown is wrong."""
# ruff: noqa: F811, E501 -- an answer is called what its exercise is called

import pytest
import torch
from torch.utils.tensorboard import SummaryWriter

from tutor.checking import bank, run
from tutor.checking.answering import call, upstream
from tutor.checking.comparing import problems
from tutor.checking.exercise import Case

WRONG = []


def wrong(*expected):
    """Collect a wrong answer with what a check should say of it: general faults, or a misconception that it really has."""

    def collect(function):
        WRONG.append(pytest.param(function, list(expected), id=f"{function.__name__}: {function.__doc__.rstrip('.')}"))
        return function

    return collect


@wrong("wrong-values")
def relu(input):
    """Rounds what is positive."""
    return input.clamp(min=0).round()


@wrong("wrong-values")
def relu(input):
    """The mean instead of 0."""
    return torch.where(input > 0, input, input.mean())


@wrong("wrong-values")
def relu(input):
    """Zero only where the whole row is negative."""
    return input * (input.amax(-1, keepdim=True) > 0)


@wrong("wrong-values")
def relu(input):
    """A smooth bend instead of a sharp one."""
    return torch.log(1 + torch.exp(input))


@wrong("wrong-values")
def relu(input):
    """Cut off above 6, which only large numbers show."""
    return input.clamp(0, 6)


@wrong("wrong-values")
def relu(input):
    """Forgets the first element."""
    result = input.clone()
    result.view(-1)[1:] = input.reshape(-1)[1:].clamp(min=0)
    return result


@wrong("wrong-values")
def relu(input):
    """Only the last dimension's first two columns."""
    result = input.clone()
    result[..., :2] = result[..., :2].clamp(min=0)
    return result


@wrong("wrong-values")
def relu(input):
    """Sorts the elements on the way."""
    return input.clamp(min=0).flatten().sort().values.view_as(input)


@wrong("wrong-gradient")
def relu(input):
    """The right number with the slope of the identity."""
    return input + (input.clamp(min=0) - input).detach()


@wrong("wrong-values")
def sigmoid(input):
    """Saturates too early."""
    return (1 / (1 + torch.exp(-input))).clamp(0.01, 0.99)


@wrong("wrong-values")
def sigmoid(input):
    """Powers of two instead of e."""
    return 1 / (1 + 2**-input)


@wrong("wrong-values")
def sigmoid(input):
    """The square in the exponent."""
    return 1 / (1 + torch.exp(-input * input))


@wrong("wrong-values")
def sigmoid(input):
    """Arctangent, squeezed into 0 to 1."""
    return torch.atan(input) / torch.pi + 0.5


@wrong("wrong-values")
def sigmoid(input):
    """A softmax over everything."""
    return torch.exp(input) / torch.exp(input).sum()


@wrong("not-finite")
def sigmoid(input):
    """Twice stable, except at 0."""
    e = torch.exp(-input.abs())
    return torch.where(input > 0, 1 / (1 + e), e / (1 + e)) * input / input


@wrong("wrong-values")
def sigmoid(input):
    """Right for at least two dimensions, one number for a vector."""
    return 1 / (1 + torch.exp(-input)) if input.dim() > 1 else 1 / (1 + torch.exp(-input.sum())).expand_as(input)


@wrong("wrong-values")
def tanh(input):
    """Three terms of a series."""
    return input - input**3 / 3 + 2 * input**5 / 15


@wrong("wrong-values")
def tanh(input):
    """x / (1 + |x|), which has the same shape."""
    return input / (1 + input.abs())


@wrong("wrong-values")
def tanh(input):
    """A rational formula that is nearly right."""
    x = input.clamp(-3, 3)
    return x * (27 + x**2) / (27 + 9 * x**2)


@wrong("wrong-values")
def tanh(input):
    """Half of it."""
    e = torch.exp(-2 * input)
    return (1 - e) / (1 + e) / 2 if input.dim() else input


@wrong("not-finite")
def tanh(input):
    """The sign by division, which has no value at 0."""
    e = torch.exp(-2 * input.abs())
    return (1 - e) / (1 + e) * input / input.abs()


@wrong("wrong-values")
def leaky_relu(input, negative_slope=0.01):
    """The slope squared."""
    return torch.where(input > 0, input, negative_slope**2 * input)


@wrong("wrong-values")
def leaky_relu(input, negative_slope=0.01):
    """The slope subtracted."""
    return torch.where(input > 0, input, input - negative_slope)


@wrong("wrong-values")
def leaky_relu(input, negative_slope=0.01):
    """One minus the slope."""
    return torch.where(input > 0, input, (1 - negative_slope) * input)


@wrong("wrong-values")
def leaky_relu(input, negative_slope=0.01):
    """A slope of 0 taken for none given."""
    return torch.where(input > 0, input, (negative_slope or 0.01) * input)


@wrong("wrong-values")
def prelu(input, weight):
    """The channels' slopes in reverse order."""
    slopes = weight.flip(0).view(1, -1, *[1] * (input.dim() - 2))
    return torch.where(input > 0, input, slopes * input)


@wrong("wrong-values")
def prelu(input, weight):
    """The slope along the height."""
    if input.dim() < 4 or input.shape[2] != len(weight):
        return torch.where(input > 0, input, weight.mean() * input)
    return torch.where(input > 0, input, weight.view(1, 1, -1, 1) * input)


@wrong("raised")
def prelu(input, weight):
    """Images only."""
    return torch.where(
        input > 0,
        input,
        weight.view(1, -1, 1, 1)
        * input.view(*input.shape[:4], *[1] * (4 - len(input.shape))).view(
            len(input), -1, input.shape[2], input.shape[3]
        ),
    )


@wrong("wrong-facts")
def rrelu(input, lower=1 / 8, upper=1 / 3, training=False):
    """A slope for each column in training."""
    if not training:
        return torch.where(input > 0, input, (lower + upper) / 2 * input)
    slopes = lower + (upper - lower) * torch.rand(input.shape[-1], dtype=input.dtype)
    return torch.where(input > 0, input, slopes * input)


@wrong("wrong-facts")
def rrelu(input, lower=1 / 8, upper=1 / 3, training=False):
    """Bell-shaped slopes, cut off at the limits."""
    if not training:
        return torch.where(input > 0, input, (lower + upper) / 2 * input)
    slopes = (torch.randn_like(input) * (upper - lower) / 4 + (lower + upper) / 2).clamp(lower, upper)
    return torch.where(input > 0, input, slopes * input)


@wrong("wrong-facts")
def rrelu(input, lower=1 / 8, upper=1 / 3, training=False):
    """Either limit, at the toss of a coin."""
    if not training:
        return torch.where(input > 0, input, (lower + upper) / 2 * input)
    slopes = torch.where(torch.rand_like(input) < 0.5, lower, upper).to(input.dtype)
    return torch.where(input > 0, input, slopes * input)


@wrong("wrong-facts")
def rrelu(input, lower=1 / 8, upper=1 / 3, training=False):
    """The geometric middle in evaluation."""
    slopes = lower + (upper - lower) * torch.rand_like(input) if training else (lower * upper) ** 0.5
    return torch.where(input > 0, input, slopes * input)


@wrong("detached")
def rrelu(input, lower=1 / 8, upper=1 / 3, training=False):
    """Cut off from autograd, but only in training."""
    if training:
        slopes = lower + (upper - lower) * torch.rand_like(input)
        return torch.where(input > 0, input, slopes * input).detach()
    return torch.where(input > 0, input, (lower + upper) / 2 * input)


@wrong("wrong-values")
def elu(input, alpha=1.0):
    """Alpha divides in the exponent, as in CELU."""
    return torch.where(input > 0, input, alpha * torch.expm1(input.clamp(max=0) / alpha))


@wrong("wrong-values")
def elu(input, alpha=1.0):
    """Alpha added instead of multiplied."""
    return torch.where(input > 0, input, alpha + torch.expm1(input.clamp(max=0)) - 1)


@wrong("wrong-values")
def elu(input, alpha=1.0):
    """The minimum at minus one, whatever alpha."""
    return torch.where(input > 0, input, (alpha * torch.expm1(input.clamp(max=0))).clamp(min=-1))


@wrong("wrong-values")
def softmax(input, dim=None):
    """Two, not e, to the power."""
    powers = 2 ** (input - input.amax(dim, keepdim=True))
    return powers / powers.sum(dim, keepdim=True)


@wrong("wrong-values")
def softmax(input, dim=None):
    """Euclidean length instead of the sum."""
    powers = torch.exp(input - input.amax(dim, keepdim=True))
    return powers / powers.norm(dim=dim, keepdim=True)


@wrong("wrong-values")
def softmax(input, dim=None):
    """A temperature of two."""
    powers = torch.exp((input - input.amax(dim, keepdim=True)) / 2)
    return powers / powers.sum(dim, keepdim=True)


@wrong("wrong-values")
def softmax(input, dim=None):
    """A crumb added to the sum."""
    powers = torch.exp(input - input.amax(dim, keepdim=True))
    return powers / (powers.sum(dim, keepdim=True) + 1e-3)


@wrong("not-finite")
def softmax(input, dim=None):
    """The mean subtracted, which doesn't always help."""
    powers = torch.exp(input - input.mean(dim, keepdim=True))
    return powers / powers.sum(dim, keepdim=True)


@wrong("wrong-values")
def softmax(input, dim=None):
    """Clamped against overflow."""
    powers = torch.exp(input.clamp(-50, 50))
    return powers / powers.sum(dim, keepdim=True)


@wrong("wrong-values")
def softmax(input, dim=None):
    """Rounded to three places."""
    powers = torch.exp(input - input.amax(dim, keepdim=True))
    return (powers / powers.sum(dim, keepdim=True) * 1000).round() / 1000


@wrong("wrong-values")
def log_softmax(input, dim=None):
    """A floor under the probabilities."""
    powers = torch.exp(input - input.amax(dim, keepdim=True))
    return torch.log((powers / powers.sum(dim, keepdim=True)).clamp(min=1e-7))


@wrong("wrong-values")
def log_softmax(input, dim=None):
    """The logarithm of the sum, but of the shifted numbers without the shift."""
    return input - torch.exp(input - input.amax(dim, keepdim=True)).sum(dim, keepdim=True).log()


@wrong("wrong-values")
def log_softmax(input, dim=None):
    """The mean's logarithm."""
    shifted = input - input.amax(dim, keepdim=True)
    return shifted - shifted.exp().mean(dim, keepdim=True).log()


@wrong("wrong-values")
def relu_backward(grad_output, input):
    """The mask by the result's mean."""
    return (grad_output * (input > input.mean()),)


@wrong("wrong-values")
def relu_backward(grad_output, input):
    """Negative gradients doubled."""
    return (torch.where(grad_output < 0, 2 * grad_output, grad_output) * (input > 0),)


@wrong("wrong-values")
def sigmoid_backward(grad_output, input):
    """The slope of another function."""
    return (grad_output / (1 + input.abs()) ** 2,)


@wrong("wrong-values")
def sigmoid_backward(grad_output, input):
    """At most a quarter, everywhere."""
    return (grad_output / 4,)


@wrong("wrong-values")
def tanh_backward(grad_output, input):
    """The root forgotten where the square is."""
    y = torch.tanh(input)
    return (grad_output * (1 - y**2) ** 0.5,)


@wrong("wrong-values")
def softmax_backward(grad_output, input, dim=None):
    """The sum over every dimension."""
    s = torch.softmax(input, dim)
    return (s * (grad_output - (grad_output * s).sum()),)


@wrong("wrong-values")
def softmax_backward(grad_output, input, dim=None):
    """The correction twice."""
    s = torch.softmax(input, dim)
    return (s * (grad_output - 2 * (grad_output * s).sum(dim, keepdim=True)),)


@wrong("wrong-values")
def mend_tanh(input):
    """Mended at one end only."""
    return (2 / (1 + (-2 * input).exp()) + 1).clamp(max=1)


@wrong("wrong-values")
def collapse_linear(weights, biases):
    """The middle bias left out."""
    return weights[2] @ weights[1] @ weights[0], weights[2] @ weights[1] @ biases[0] + biases[2]


@wrong("wrong-values")
def collapse_linear(weights, biases):
    """The bias goes through one layer too few."""
    return weights[2] @ weights[1] @ weights[0], weights[1] @ biases[0] + biases[2] + weights[2] @ biases[1]


@wrong("wrong-facts")
def count_dead_units(activations):
    """Those with a mean below a tenth."""
    return int((activations.mean(0) < 0.1).sum())


@wrong("wrong-facts")
def count_dead_units(activations):
    """Off by the first."""
    return int((activations[:, 1:] == 0).all(0).sum())


@wrong("wrong-facts")
def count_dead_units(activations):
    """All units there are."""
    return activations.shape[1]


@wrong("wrong-values")
def gradient_norms(activation, input, weights):
    """The largest element instead of the length."""
    leaves = [weight.requires_grad_() for weight in weights]
    hidden = input
    for leaf in leaves:
        hidden = activation(hidden @ leaf.T)
    return [g.abs().max().item() for g in torch.autograd.grad(hidden.sum(), leaves)]


@wrong("wrong-values")
def gradient_norms(activation, input, weights):
    """The square of the sum as the loss."""
    leaves = [weight.requires_grad_() for weight in weights]
    hidden = input
    for leaf in leaves:
        hidden = activation(hidden @ leaf.T)
    return [g.norm().item() for g in torch.autograd.grad(hidden.square().sum(), leaves)]


@wrong("wrong-values")
def gradient_norms(activation, input, weights):
    """Weights not transposed."""
    leaves = [weight.requires_grad_() for weight in weights]
    hidden = input
    for leaf in leaves:
        hidden = activation(hidden @ leaf)
    return [g.norm().item() for g in torch.autograd.grad(hidden.sum(), leaves)]


@wrong("wrong-facts")
def predict_inplace():
    """Nothing left of the positive number."""
    return [0.0, 0.0], [0.0, 2.0], [0.0, 2.0]


@wrong("wrong-facts")
def log_layer_images(folder, name, layer, batches):
    """The first image of each batch only."""
    with SummaryWriter(folder) as writer:
        for step, (images, _) in enumerate(batches):
            writer.add_image(f"{name}/input", images[0], step)
            writer.add_image(f"{name}/output", layer(images)[0], step)


@wrong("wrong-facts")
def log_layer_images(folder, name, layer, batches):
    """Tags the other way round."""
    with SummaryWriter(folder) as writer:
        for step, (images, _) in enumerate(batches):
            writer.add_images(f"input/{name}", images, step)
            writer.add_images(f"output/{name}", layer(images), step)


@wrong("wrong-facts")
def log_layer_images(folder, name, layer, batches):
    """Width and height exchanged."""
    with SummaryWriter(folder) as writer:
        for step, (images, _) in enumerate(batches):
            writer.add_images(f"{name}/input", images.transpose(2, 3), step)
            writer.add_images(f"{name}/output", layer(images).transpose(2, 3), step)


@wrong("wrong-facts")
def log_layer_images(folder, name, layer, batches):
    """Into a folder of its own, inside the one that was given."""
    with SummaryWriter(folder / name) as writer:
        for step, (images, _) in enumerate(batches):
            writer.add_images(f"{name}/input", images, step)
            writer.add_images(f"{name}/output", layer(images), step)


@wrong("wrong-facts")
def log_layer_images(folder, name, layer, batches):
    """The last batch left out."""
    with SummaryWriter(folder) as writer:
        for step, (images, _) in enumerate(list(batches)[:-1]):
            writer.add_images(f"{name}/input", images, step)
            writer.add_images(f"{name}/output", layer(images), step)


@pytest.mark.parametrize(("function", "expected"), WRONG)
def test_it_is_caught_and_given_no_name_that_is_not_its_own(function, expected):
    for seed, hidden in ((0, False), (0, True), (5, False)):
        report = run(function.__name__, function, hidden=hidden, seed=seed)
        assert not report.passed and report.score < 1
        assert [diagnosis.id for diagnosis in report.diagnoses] == expected, (seed, hidden)


@pytest.mark.parametrize(("function", "expected"), WRONG)
def test_the_case_that_is_shown_is_really_wrong(function, expected):
    exercise = bank.get(function.__name__)
    example = run(function.__name__, function).example
    if expected == ["detached"] or exercise.prediction:
        assert example is None
        return
    drawn = exercise.draw()[0]
    if function.__name__ in ("rrelu", "log_layer_images"):  # shown as facts about what was drawn or written
        assert example.expected != example.got
        assert {"number of slopes", "negative/input"} & set(example.expected)
        return
    if example.what != "result":
        assert torch.equal(example.arguments.pop("grad_output"), upstream(example.expected))
    arguments = list(example.arguments.items())
    args = tuple(value for _, value in arguments[: len(drawn.args)])
    case = Case(
        "values", args, dict(arguments[len(drawn.args) :]), gradient=example.what != "result", judge=drawn.judge
    )
    right, got = call(exercise.oracle, case), call(function, case)
    assert problems(exercise, case, right, got)
    if example.what == "result":
        assert str(example.expected) == str(right.value) and str(example.got) == str(got.value)
    else:
        assert example.what == "gradient of input"
        assert torch.equal(example.expected, right.grads[0]) and torch.equal(example.got, got.grads[0])
    assert all(t.numel() <= 6 for t in args if torch.is_tensor(t)), "small enough to follow by hand"


def test_there_are_many_of_them_and_some_for_every_exercise():
    assert len(WRONG) >= 60
    assert {param.values[0].__name__ for param in WRONG} == set(bank.names("01_activations"))
