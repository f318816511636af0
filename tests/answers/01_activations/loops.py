"""Chapter 01 as somebody writes it who thinks in single numbers: loops, lists, and a stack at the end."""
# ruff: noqa: SIM113 -- a learner counts steps by hand

import math

import torch
from torch.utils.tensorboard import SummaryWriter


def relu(input):
    out = []
    for x in input.flatten():
        if x > 0:
            out.append(x)
        else:
            out.append(torch.zeros_like(x))
    return torch.stack(out).view(input.shape)


def sigmoid(input):
    out = []
    for x in input.flatten():
        if x >= 0:
            out.append(1 / (1 + torch.exp(-x)))
        else:
            out.append(torch.exp(x) / (1 + torch.exp(x)))
    return torch.stack(out).view(input.shape)


def tanh(input):
    out = []
    for x in input.flatten():
        e = torch.exp(-2 * abs(x))
        size = (1 - e) / (1 + e)
        out.append(size if x > 0 else -size)
    return torch.stack(out).reshape(input.shape)


def leaky_relu(input, negative_slope=0.01):
    out = [x if x > 0 else x * negative_slope for x in input.reshape(-1)]
    return torch.stack(out).reshape(input.shape)


def prelu(input, weight):
    channels = []
    for c in range(input.shape[1]):
        slope = weight[c] if len(weight) > 1 else weight[0]
        channel = input[:, c]
        channels.append(torch.where(channel > 0, channel, slope * channel))
    return torch.stack(channels, dim=1)


def rrelu(input, lower=1 / 8, upper=1 / 3, training=False):
    out = []
    for x in input.flatten():
        slope = (lower + upper) / 2
        if training:
            slope = lower + (upper - lower) * torch.rand(1).item()
        out.append(x if x > 0 else slope * x)
    return torch.stack(out).view(input.shape)


def elu(input, alpha=1.0):
    out = []
    for x in input.flatten():
        if x > 0:
            out.append(x)
        else:
            out.append(alpha * (math.e**x - 1))
    return torch.stack(out).view(input.shape)


def softmax(input, dim=None):
    last = input.transpose(dim, -1)
    rows = []
    for row in last.reshape(-1, last.shape[-1]):
        biggest = max(row)
        powers = [torch.exp(x - biggest) for x in row]
        total = sum(powers)
        rows.append(torch.stack([p / total for p in powers]))
    return torch.stack(rows).reshape(last.shape).transpose(dim, -1)


def log_softmax(input, dim=None):
    parts = input.unbind(dim)
    biggest = parts[0]
    for part in parts:
        biggest = torch.maximum(biggest, part)
    total = torch.zeros_like(biggest)
    for part in parts:
        total = total + torch.exp(part - biggest)
    return torch.stack([part - biggest - torch.log(total) for part in parts], dim=dim)


def relu_backward(grad_output, input):
    grad_input = torch.zeros_like(input)
    for i, x in enumerate(input.flatten()):
        if x > 0:
            grad_input.view(-1)[i] = grad_output.reshape(-1)[i]
    return (grad_input,)


def sigmoid_backward(grad_output, input):
    out = []
    for g, x in zip(grad_output.flatten(), input.flatten(), strict=True):
        y = 1 / (1 + torch.exp(-x))
        out.append(g * y * (1 - y))
    return (torch.stack(out).view(input.shape),)


def tanh_backward(grad_output, input):
    out = []
    for g, x in zip(grad_output.flatten(), input.flatten(), strict=True):
        y = torch.tanh(x)
        out.append(g * (1 - y * y))
    return (torch.stack(out).view(input.shape),)


def softmax_backward(grad_output, input, dim=None):
    xs, gs = input.unbind(dim), grad_output.unbind(dim)
    biggest = xs[0]
    for x in xs:
        biggest = torch.maximum(biggest, x)
    powers = [torch.exp(x - biggest) for x in xs]
    s = [p / sum(powers) for p in powers]
    out = []
    for j in range(len(s)):
        total = 0
        for i in range(len(s)):
            total = total + gs[i] * s[i] * ((1 if i == j else 0) - s[j])
        out.append(total)
    return (torch.stack(out, dim=dim),)


def mend_tanh(input):
    return torch.stack([2 / (1 + torch.exp(-2 * x)) - 1 for x in input.flatten()]).view(input.shape)


def collapse_linear(weights, biases):
    weight, bias = weights[0], biases[0]
    for w, b in zip(weights[1:], biases[1:], strict=True):
        rows, shifts = [], []
        for i in range(w.shape[0]):
            rows.append(sum(w[i, k] * weight[k] for k in range(w.shape[1])))
            shifts.append(sum(w[i, k] * bias[k] for k in range(w.shape[1])) + b[i])
        weight, bias = torch.stack(rows), torch.stack(shifts)
    return weight, bias


def count_dead_units(activations):
    dead = 0
    for unit in range(activations.shape[1]):
        alive = False
        for sample in range(activations.shape[0]):
            if activations[sample, unit] != 0:
                alive = True
        if not alive:
            dead += 1
    return dead


def gradient_norms(activation, input, weights):
    norms = []
    for weight in weights:
        weight.requires_grad_()
    for position in range(len(weights)):
        hidden = input
        for weight in weights:
            hidden = activation(hidden @ weight.T)
        (gradient,) = torch.autograd.grad(hidden.sum(), weights[position])
        total = 0.0
        for g in gradient.flatten():
            total += g.item() ** 2
        norms.append(math.sqrt(total))
    return norms


def predict_inplace():
    x = [-1.0, 2.0]
    for i in range(2):
        if x[i] < 0:
            x[i] = 0.0
    y = x
    z = []
    for i in range(2):
        z.append(x[i] + y[i])
    return x, y, z


def log_layer_images(folder, name, layer, batches):
    writer = SummaryWriter(str(folder))
    step = 0
    for images, labels in batches:
        after = layer(images)
        before_row = torch.cat([images[i] for i in range(len(labels))], dim=2)
        after_row = torch.cat([after[i] for i in range(len(labels))], dim=2)
        writer.add_image(name + "/input", before_row, global_step=step)
        writer.add_image(name + "/output", after_row, global_step=step)
        step += 1
    writer.close()
