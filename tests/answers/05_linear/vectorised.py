"""Chapter 05 as somebody writes it who thinks in whole tensors: matrix products, and reshape."""

import math

import torch


def linear(input, weight, bias=None):
    output = input @ weight.T
    return output if bias is None else output + bias


def flatten(input, start_dim=0, end_dim=-1):
    if input.dim() == 0:
        return input.reshape(1)
    start, end = start_dim % input.dim(), end_dim % input.dim()
    merged = math.prod(input.shape[start : end + 1])
    return input.reshape(*input.shape[:start], merged, *input.shape[end + 1 :])


def linear_backward(grad_output, input, weight, bias):
    return grad_output @ weight, grad_output.T @ input, grad_output.sum(dim=0)


def flatten_backward(grad_output, input, start_dim=0, end_dim=-1):
    return (grad_output.reshape(input.shape),)


def affine_stack(input, weights, biases):
    for weight, bias in zip(weights, biases, strict=True):
        input = input @ weight.T + bias
    return input


def mixed_rows(layer, images):
    before = layer(images)
    table = []
    for index in range(len(images)):
        changed = images.clone()
        changed[index] += 1
        table.append((layer(changed) != before).reshape(len(before), -1).any(dim=1))
    return torch.stack(table)


def count_batches(samples, batch_size, drop_last=False):
    full, rest = divmod(samples, batch_size)
    if drop_last or rest == 0:
        return full, batch_size if full else 0
    return full + 1, rest


def parameter_counts(in_channels, height, width, out_channels, kernel_size):
    convolution = in_channels * out_channels * kernel_size**2 + out_channels
    outputs = out_channels * height * width
    return convolution, in_channels * height * width * outputs + outputs


def log_weights(folder, name, snapshots):
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(folder) as writer:
        for step, (weight, bias) in enumerate(snapshots):
            writer.add_histogram(f"{name}/weight", weight, step)
            writer.add_histogram(f"{name}/bias", bias, step)


def mend_flatten(images, weight, bias):
    return torch.nn.functional.linear(torch.flatten(images, start_dim=1), weight, bias)
