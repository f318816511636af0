"""Chapter 01 by detours: other formulas, other operations, gradients of one's own."""

import math

import torch
from torch.utils.tensorboard import SummaryWriter


def relu(input):
    return torch.maximum(input, torch.zeros((), dtype=input.dtype))


def sigmoid(input):
    return (torch.tanh(input / 2) + 1) / 2


def tanh(input):
    class Tanh(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            e = torch.expm1(-2 * x.abs())
            y = torch.copysign(-e / (e + 2), x)
            ctx.save_for_backward(y)
            return y

        @staticmethod
        def backward(ctx, grad):
            (y,) = ctx.saved_tensors
            return grad * (1 - y) * (1 + y)

    return Tanh.apply(input)


def leaky_relu(input, negative_slope=0.01):
    return input.clamp(min=0) + negative_slope * input.clamp(max=0)


def prelu(input, weight):
    below = input.clamp(max=0)
    return (input - below) + torch.einsum("nc...,c->nc...", below, weight.expand(input.shape[1]))


def rrelu(input, lower=1 / 8, upper=1 / 3, training=False):
    result = input.clone()
    negative = input < 0
    slopes = torch.full_like(input, math.fsum([lower, upper]) / 2)
    if training:
        slopes.uniform_(lower, upper)
    result[negative] *= slopes[negative]
    return result


def elu(input, alpha=1.0):
    class Elu(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, a):
            below = a * torch.expm1(x.clamp(max=0))
            ctx.save_for_backward(x, below)
            ctx.a = a
            return x.clamp(min=0) + below

        @staticmethod
        def backward(ctx, grad):
            x, below = ctx.saved_tensors
            return torch.where(x > 0, grad, grad * (below + ctx.a)), None

    return Elu.apply(input, alpha)


def softmax(input, dim=None):
    return torch.exp(input - torch.logsumexp(input, dim, keepdim=True))


def log_softmax(input, dim=None):
    return input - input.logsumexp(dim=dim).unsqueeze(dim)


def relu_backward(grad_output, input):
    return (grad_output.masked_fill(input <= 0, 0.0),)


def sigmoid_backward(grad_output, input):
    e = torch.exp(-input.abs())
    return [grad_output * e / (1 + e).square()]


def tanh_backward(grad_output, input):
    return (grad_output / torch.cosh(input) ** 2,)


def softmax_backward(grad_output, input, dim=None):
    x, g = input.movedim(dim, -1), grad_output.movedim(dim, -1)
    s = torch.exp(x - torch.logsumexp(x, -1, keepdim=True))
    jacobian = torch.diag_embed(s) - s.unsqueeze(-1) * s.unsqueeze(-2)
    return (torch.einsum("...i,...ij->...j", g, jacobian).movedim(-1, dim),)


def mend_tanh(input):
    return 1 - 2 / (torch.exp(2 * input) + 1)


def collapse_linear(weights, biases):
    def through(x):
        for weight, bias in zip(weights, biases, strict=True):
            x = torch.nn.functional.linear(x, weight, bias)
        return x

    size = weights[0].size(1)
    bias = through(torch.zeros(size, dtype=weights[0].dtype))
    weight = (through(torch.eye(size, dtype=weights[0].dtype)) - bias).T
    return weight, bias


def count_dead_units(activations):
    return activations.size(1) - activations.any(dim=0).count_nonzero()


def gradient_norms(activation, input, weights):
    parameters = torch.nn.ParameterList([torch.nn.Parameter(weight) for weight in weights])
    hidden = input
    for parameter in parameters:
        hidden = activation(torch.nn.functional.linear(hidden, parameter))
    hidden.sum().backward()
    return torch.stack([torch.linalg.vector_norm(parameter.grad) for parameter in parameters])


def predict_inplace():
    x = torch.tensor([-1.0, 2.0])
    y = torch.nn.functional.relu(x, inplace=True)
    z = x + y
    return x, y, z


def log_layer_images(folder, name, layer, batches):
    writer = SummaryWriter(log_dir=folder, flush_secs=1)
    try:
        for step, batch in enumerate(batches):
            pictures = {"input": batch[0], "output": layer(batch[0])}
            for side, images in pictures.items():
                n, c, h, w = images.shape
                column = images.permute(0, 2, 3, 1).reshape(n * h, w, c).clamp(0, 1)
                writer.add_image(f"{name}/{side}", column, step, dataformats="HWC")
    finally:
        writer.close()
