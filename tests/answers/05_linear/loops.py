"""Chapter 05 as somebody writes it who thinks in single numbers: loops, and one small addition at a time."""

import torch


def linear(input, weight, bias=None):
    rows = input.reshape(-1, input.shape[-1])
    output = torch.zeros(len(rows), len(weight), dtype=input.dtype)
    for n in range(len(rows)):
        for o in range(len(weight)):
            for i in range(weight.shape[1]):
                output[n, o] += rows[n, i] * weight[o, i]
            if bias is not None:
                output[n, o] += bias[o]
    return output.reshape(*input.shape[:-1], len(weight))


def flatten(input, start_dim=0, end_dim=-1):
    if input.dim() == 0:
        return torch.stack([input])
    if start_dim < 0:
        start_dim += input.dim()
    if end_dim < 0:
        end_dim += input.dim()
    shape = []
    for place in range(input.dim()):
        if start_dim < place <= end_dim:
            shape[-1] *= input.shape[place]
        else:
            shape.append(input.shape[place])
    return input.contiguous().view(shape)


def linear_backward(grad_output, input, weight, bias):
    grad_input = torch.zeros_like(input)
    grad_weight = torch.zeros_like(weight)
    grad_bias = torch.zeros_like(bias)
    for n in range(len(input)):
        for o in range(len(weight)):
            grad_bias[o] += grad_output[n, o]
            for i in range(input.shape[1]):
                grad_input[n, i] += grad_output[n, o] * weight[o, i]
                grad_weight[o, i] += grad_output[n, o] * input[n, i]
    return grad_input, grad_weight, grad_bias


def flatten_backward(grad_output, input, start_dim=0, end_dim=-1):
    numbers = list(grad_output.reshape(-1))
    return (torch.stack(numbers).reshape(list(input.shape)),)


def affine_stack(input, weights, biases):
    hidden = input
    for layer in range(len(weights)):
        columns = []
        for o in range(len(weights[layer])):
            column = 0
            for i in range(weights[layer].shape[1]):
                column = column + weights[layer][o, i] * hidden[:, i]
            columns.append(column + biases[layer][o])
        hidden = torch.stack(columns, dim=1)
    return hidden


def mixed_rows(layer, images):
    before = layer(images)
    table = []
    for i in range(len(images)):
        changed = torch.clone(images)
        changed[i] = changed[i] + 1
        after = layer(changed)
        row = []
        for j in range(len(before)):
            row.append(not torch.equal(before[j], after[j]))
        table.append(row)
    return torch.tensor(table)


def count_batches(samples, batch_size, drop_last=False):
    batches = []
    start = 0
    while start < samples:
        batches.append(min(batch_size, samples - start))
        start += batch_size
    if drop_last:
        batches = [size for size in batches if size == batch_size]
    return len(batches), batches[-1] if batches else 0


def parameter_counts(in_channels, height, width, out_channels, kernel_size):
    convolution = 0
    for _ in range(out_channels):
        convolution += in_channels * kernel_size * kernel_size + 1
    fully_connected = 0
    for _ in range(out_channels * height * width):
        fully_connected += in_channels * height * width + 1
    return [convolution, fully_connected]


def log_weights(folder, name, snapshots):
    from torch.utils.tensorboard import SummaryWriter

    writer = SummaryWriter(str(folder))
    for step in range(len(snapshots)):
        weight, bias = snapshots[step]
        writer.add_histogram(name + "/weight", weight.numpy(), global_step=step)
        writer.add_histogram(name + "/bias", bias.numpy(), global_step=step)
    writer.close()


def mend_flatten(images, weight, bias):
    rows = []
    for image in images:
        rows.append(weight @ torch.flatten(image) + bias)
    return torch.stack(rows)
